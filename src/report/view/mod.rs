//! What pictures of many trials are drawn from: few enough points, chosen so that the best and the worst are never
//! hidden.

mod choose;
mod compare;
mod curve;
mod errors;
mod timeline;
mod values;

pub use choose::{spread, thinned};
pub use compare::{Compared, compared, moves};
pub use curve::{chosen, rungs, thin_curve};
pub use errors::{Errors, errors};
pub use timeline::{Slot, Span, slots};
pub use values::{Column, ColumnKind, columns, row};

#[cfg(test)]
#[path = "view_test.rs"]
mod view_test;
