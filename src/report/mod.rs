//! What people are shown, as text: tables, sentences, lines of progress. Pure: the time and the width of the
//! screen are given.
//!
//! Must not know files, sockets, clocks or terminals; it is handed what the store's questions answered.

mod csv;
mod curves;
pub mod ensemble;
mod front;
mod importance;
mod inexact;
mod leaderboard;
mod progress;
mod sweeps;
mod table;
mod terms;
mod time;
mod trial;
mod trials;
pub mod view;
mod workers;

pub use csv::{csv_headings, csv_lines};
pub use curves::{Curve, Drawn, Plot, PlotError, PlotSource, PlottedSweep, plotted_metric};
pub use front::{front_line, front_table};
pub use importance::{Importance, Importances, LEAST_RESULTS, MOST_RESULTS, importance_table, importances};
pub use leaderboard::leaderboard;
pub use progress::{Eta, sweep_line, time_left_ms, trial_line};
pub use sweeps::{sweep_detail, sweep_list, time_up};
pub use table::TextTable;
pub use terms::{alteration_table, still_fit};
pub use time::{age, duration_ms, moment};
pub use trial::trial_detail;
pub use trials::trial_list;
pub use workers::worker_list;

use crate::domain::Sweep;
use crate::space::Space;
use crate::store::query::TrialSummary;

/// A number of the objective's metric, to four digits after the point.
#[must_use]
pub fn value(x: Option<f64>) -> String {
    x.map_or_else(|| "-".to_owned(), |x| format!("{x:.4}"))
}

/// A trial's value, with the standard deviation of its folds' where it has any.
fn measured(trial: &TrialSummary) -> String {
    match trial.spread {
        Some(spread) => format!("{} ± {}", value(trial.value), value(Some(spread))),
        None => value(trial.value),
    }
}

/// A value of an objective: four digits after the point, none for what is large.
#[must_use]
pub fn objective_value(x: Option<f64>) -> String {
    match x {
        // Small enough that every whole number is just that.
        Some(n) if (1e5..9e15).contains(&n) || n.fract() == 0.0 && (1e3..1e5).contains(&n) => {
            grouped(n.round() as u64)
        }
        _ => value(x),
    }
}

/// A metric's name as a heading: `RMSE`.
#[must_use]
pub fn heading(name: &str) -> String {
    name.to_uppercase()
}

/// The parameters that tell a sweep's trials apart, without `epochs`, which has a column of its own.
fn varying(sweep: &Sweep) -> Vec<String> {
    match Space::new(&sweep.space) {
        Ok(space) => space.varying().filter(|name| *name != "epochs").map(str::to_owned).collect(),
        // A stored sweep has been checked; should it be refused all the same, its parameters are all shown.
        Err(_) => sweep.space.keys().cloned().collect(),
    }
}

/// `3925630` as `3,925,630`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount of memory: `512 MiB`, `3.2 GiB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    crate::domain::memory_size(n)
}

#[cfg(test)]
mod report_test;
