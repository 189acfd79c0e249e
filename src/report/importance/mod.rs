//! Which parameters mattered: how much of what came of trials each of them explains.
//!
//! Two measures. PED-ANOVA asks what sets the best tenth of the trials apart, which is what a search wants to know;
//! fANOVA asks what makes results differ anywhere in the space, bad regions included. Both count a parameter by
//! itself, not together with others, and both know that a conditional parameter does not exist everywhere.

mod fanova;
mod forest;
mod ped_anova;

use super::TextTable;

use crate::domain::{Direction, Params, Sweep};
use crate::space::Space;
use crate::store::query::Completed;
use serde::Serialize;

/// Fewer results say nothing.
pub const LEAST_RESULTS: usize = 10;

/// More results say hardly more, and take much longer.
pub const MOST_RESULTS: usize = 2_000;

/// What a sweep's results say about its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Importances {
    /// How many trials have completed.
    pub completed: u64,
    /// How many of their results these are derived from: all, or so many, evenly spread.
    pub results: usize,
    /// Every parameter that varies, the most important first.
    pub parameters: Vec<Importance>,
}

/// How much one parameter mattered.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Importance {
    /// Its name.
    pub name: String,
    /// Its share of what sets the best tenth of the trials apart, in `[0, 1]`; all shares together are 1.
    pub ped_anova: f64,
    /// The share of the results' variance over the whole space that it explains alone, in `[0, 1]`.
    pub fanova: f64,
    /// In how many of the results it exists.
    pub results: usize,
}

/// Results as numbers.
struct Results {
    /// A point of the unit cube per result, with NaN where a parameter does not exist.
    points: Vec<Vec<f64>>,
    /// What is to be made small.
    losses: Vec<f64>,
}

/// How much each parameter of a sweep mattered, by its completed trials; `None` where there are fewer than
/// [`LEAST_RESULTS`].
#[must_use]
pub fn importances(sweep: &Sweep, completed: &Completed) -> Option<Importances> {
    let space = Space::new(&sweep.space).ok()?;
    let sign = match sweep.objective.direction {
        Direction::Minimize => 1.0,
        Direction::Maximize => -1.0,
    };
    // Once a space was changed, some results are not of it.
    let counts = |(params, value): &&(Params, f64)| value.is_finite() && space.contains(params).is_ok();
    let finite: Vec<&(Params, f64)> = completed.some.iter().filter(counts).collect();
    if finite.len() < LEAST_RESULTS {
        return None;
    }
    let results = Results {
        points: finite.iter().map(|(params, _)| space.point(params)).collect(),
        losses: finite.iter().map(|(_, value)| sign * value).collect(),
    };
    let ped_anova = ped_anova::shares(&results, &space);
    let fanova = fanova::shares(&results, &space);
    let varying: Vec<&str> = space.varying().collect();
    let importance = |(d, entry): (usize, &crate::space::Entry)| Importance {
        name: entry.name.clone(),
        ped_anova: ped_anova[d],
        fanova: fanova[d],
        results: results.points.iter().filter(|point| !point[d].is_nan()).count(),
    };
    let entries = space.entries().iter().enumerate();
    let mut parameters: Vec<Importance> =
        entries.filter(|(_, entry)| varying.contains(&entry.name.as_str())).map(importance).collect();
    parameters.sort_by(|a, b| b.ped_anova.total_cmp(&a.ped_anova).then(a.name.cmp(&b.name)));
    Some(Importances { completed: completed.trials, results: finite.len(), parameters })
}

/// Importances as a table with bars.
#[must_use]
pub fn importance_table(importances: &Importances) -> String {
    const BAR: f64 = 30.0;
    let mut table = TextTable::new()
        .words("PARAMETER")
        .numbers("BEST 10%")
        .words("")
        .numbers("VARIANCE")
        .numbers("RESULTS");
    for one in &importances.parameters {
        table.row([
            one.name.clone(),
            format!("{:.1}%", 100.0 * one.ped_anova),
            "█".repeat((BAR * one.ped_anova).round() as usize),
            format!("{:.1}%", 100.0 * one.fanova),
            one.results.to_string(),
        ]);
    }
    let of = match u64::try_from(importances.results) {
        Ok(results) if results < importances.completed => format!("{results} of {}", importances.completed),
        _ => importances.results.to_string(),
    };
    format!(
        "{}\n\nBEST 10%: what sets the best tenth of {of} completed trials apart (PED-ANOVA); VARIANCE: what of all \
         differences\na parameter explains alone (fANOVA), the rest being interactions and chance.",
        table.render(None).0,
    )
}

#[cfg(test)]
#[path = "importance_test.rs"]
mod importance_test;
