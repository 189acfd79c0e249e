//! Grid search: every combination once, in a fixed order.
//!
//! The grid is a tree over the space's entries, the last entry turning fastest; a parameter that does not
//! exist is no level. Trial number k is the k-th combination that can exist.

use super::{Ask, Sampler, Suggestion};
use crate::domain::{ParameterKind, Params, Reason, Value};
use crate::space::{Dimension, Space, exists};
use std::sync::Mutex;

/// Every combination.
#[derive(Debug)]
pub(super) struct Grid {
    divisions: u32,
    /// Where the last answer stood, so that the next is one step on: rebuilt from the start when lost.
    cursor: Mutex<Option<Cursor>>,
}

/// A place in the grid.
#[derive(Debug, Clone)]
struct Cursor {
    /// The number of the trial that stands here.
    number: u64,
    /// The index of each entry's value; 0 where the entry does not exist.
    indexes: Vec<u64>,
    /// How many combinations before it, since the last trial, cannot exist.
    refused: u32,
    refusal: Option<String>,
}

impl Grid {
    pub fn new(divisions: u32) -> Self {
        Self { divisions: divisions.max(1), cursor: Mutex::new(None) }
    }

    /// The first feasible place at or after `cursor`, counted in the order of the grid.
    fn settle(&self, mut cursor: Cursor, ask: &Ask<'_>) -> Result<(Cursor, Params), Option<String>> {
        loop {
            let params = self.params(ask.space, &cursor.indexes);
            match (ask.feasible)(&params) {
                Ok(()) => return Ok((cursor, params)),
                Err(why) => {
                    cursor.refused = cursor.refused.saturating_add(1);
                    cursor.refusal = Some(why);
                }
            }
            if !self.advance(ask.space, &mut cursor.indexes) {
                return Err(cursor.refusal);
            }
        }
    }

    fn params(&self, space: &Space, indexes: &[u64]) -> Params {
        let mut params = Params::new();
        for (entry, index) in space.entries().iter().zip(indexes) {
            if exists(entry, &params) {
                params.insert(entry.name.clone(), self.value(&entry.dimension, *index));
            }
        }
        params
    }

    /// Turns the last entry that exists and can turn, and resets all after it; `false` at the end.
    fn advance(&self, space: &Space, indexes: &mut [u64]) -> bool {
        let params = self.params(space, indexes);
        for at in (0..indexes.len()).rev() {
            let entry = &space.entries()[at];
            if exists(entry, &params) && indexes[at] + 1 < self.levels(&entry.dimension) {
                indexes[at] += 1;
                indexes[at + 1..].fill(0);
                return true;
            }
        }
        false
    }

    /// How many values of a dimension the grid visits.
    fn levels(&self, dimension: &Dimension) -> u64 {
        let divisions = u128::from(self.divisions);
        let levels = match (dimension.kind(), dimension.size()) {
            (ParameterKind::Int { .. } | ParameterKind::Float { .. }, Some(size)) => size.min(divisions),
            (_, Some(size)) => size,
            (_, None) => divisions,
        };
        u64::try_from(levels).unwrap_or(u64::MAX)
    }

    fn value(&self, dimension: &Dimension, index: u64) -> Value {
        let levels = self.levels(dimension);
        let all = dimension.size().is_some_and(|size| size == u128::from(levels));
        let unit = if all {
            // The middle of the value's own interval.
            (index as f64 + 0.5) / levels as f64
        } else if levels == 1 {
            0.5
        } else {
            // Both ends, and evenly in between.
            index as f64 / (levels - 1) as f64
        };
        match dimension.kind() {
            // A log int's intervals are not equal: its values are counted instead.
            ParameterKind::Int { low, step, .. } if all => {
                Value::Int(low.saturating_add(i64::try_from(index).unwrap_or(i64::MAX) * step.unwrap_or(1)))
            }
            _ => dimension.decode(unit),
        }
    }
}

impl Sampler for Grid {
    fn suggest(&self, ask: &Ask<'_>) -> Suggestion {
        let start = Cursor { number: 0, indexes: vec![0; ask.space.len()], refused: 0, refusal: None };
        let mut slot = self.cursor.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The kept place serves only what lies at or after it.
        let mut place = match slot.take().filter(|kept| kept.number <= ask.number) {
            Some(kept) => {
                let params = self.params(ask.space, &kept.indexes);
                Ok((kept, params))
            }
            None => self.settle(start, ask),
        };
        loop {
            let (cursor, params) = match place {
                Ok(found) => found,
                Err(why) => return exhausted(why, ask.number),
            };
            if cursor.number == ask.number {
                let reason = Reason::Suggested {
                    sampler: "grid".into(),
                    refused: cursor.refused,
                    refusal: cursor.refusal.clone(),
                };
                *slot = Some(cursor);
                return Suggestion::Trial { params, reason };
            }
            let mut next = Cursor { number: cursor.number + 1, refused: 0, refusal: None, ..cursor };
            place =
                if self.advance(ask.space, &mut next.indexes) { self.settle(next, ask) } else { Err(None) };
        }
    }
}

fn exhausted(refusal: Option<String>, number: u64) -> Suggestion {
    let reason = match refusal {
        Some(why) if number == 0 => {
            Reason::BadConfiguration { message: format!("no combination can exist; the last: {why}") }
        }
        _ => Reason::SpaceExhausted,
    };
    Suggestion::Exhausted { reason }
}

#[cfg(test)]
#[path = "grid_test.rs"]
mod grid_test;
