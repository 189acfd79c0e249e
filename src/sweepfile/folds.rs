//! `objective.folds` and `search.race`: cross validation, and what it goes together with.

use super::node::{Kind, Node};
use super::objective::line_of;
use super::problem::Problem;
use super::reader::{Table, finite, whole};
use crate::domain::{Objective, Search};

/// Fewer are no cross validation; more cost more than they tell.
const FOLDS: std::ops::RangeInclusive<i64> = 2..=20;

/// How sure it must be that a trial is worse than the best, where the file says nothing.
const RACE: f64 = 0.95;

/// The number of folds, from the table `objective`.
pub(super) fn read(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<u32> {
    let folds = table.read("folds", "a whole number from 2 to 20", problems, |node| {
        whole(node).filter(|folds| FOLDS.contains(folds)).and_then(|folds| u32::try_from(folds).ok())
    });
    if let (Some(_), Some(node)) = (table.get("folds"), table.get("validation")) {
        let message = "cannot go with folds, each of which validates in its turn: leave one of the two out";
        problems.push(Problem::new(node.line, &table.key("validation"), message));
    }
    folds
}

/// The race, from the table `search`: `Some(None)` for none. Nothing where the file says nothing.
pub(super) fn read_race(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<Option<f64>> {
    let expected = "a confidence from 0.5 to below 1, or false";
    table.read("race", expected, problems, |node| match node.kind {
        Kind::Bool(false) => Some(None),
        _ => finite(node).filter(|sure| (0.5..1.0).contains(sure)).map(Some),
    })
}

/// What the search has to do with folds. Both tables come with what they were read as.
pub(super) fn check(
    objective: &Objective,
    (node, search): (&Node, &mut Search),
    said: Option<Option<f64>>,
    problems: &mut Vec<Problem>,
) {
    let mut complain = |key: &str, message: &str| {
        problems.push(Problem::new(line_of(node, key), &format!("search.{key}"), message));
    };
    if objective.folds.is_none() {
        if said.is_some() {
            complain("race", "is for trials with folds: set objective.folds, or leave it out");
        }
        return;
    }
    if search.stopper.is_some() {
        let message = "cannot go with objective.folds, whose trials are stopped between folds: leave it out (see \
                       search.race)";
        complain("stopper", message);
    }
    let several = objective.count() > 1;
    if several && said.flatten().is_some() {
        complain("race", "knows one objective: with several, leave it out");
    }
    search.race = said.unwrap_or((!several).then_some(RACE));
}
