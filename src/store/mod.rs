//! The database: SQLite in WAL mode, one writer, readers that never wait.
//!
//! Knows the domain and the expression language. Must not know the scheduler, HTTP or the workers: it
//! applies the changes it is given, all of one group or none, and answers questions.

mod apply;
pub mod blob;
mod checkpoints;
mod direct;
mod ensembles;
mod error;
mod fields;
mod folds;
mod gc;
mod judgements;
mod legs;
mod notes;
mod open;
mod open_trials;
pub mod query;
mod recover;
mod rows;
mod sources;
mod terms;
mod workers;

#[cfg(test)]
mod store_test;

pub use error::StoreError;
pub use gc::Cleared;
pub use open::{DATABASE_FILE, Durability, Reader, Writer};
