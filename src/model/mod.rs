//! Architecture as data: parameters in, layer table, shapes and counts out.
//!
//! Must not know tch: the worker builds what the layer table says.
