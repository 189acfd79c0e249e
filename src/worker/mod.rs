//! The protocol between daemon and workers, and both its ends.
//!
//! Knows the domain and the model room; never the store: only the daemon touches the database.

pub mod protocol;
