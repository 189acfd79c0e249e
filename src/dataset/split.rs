//! Which rows are trained on and which validate: by group of identical images, fixed by a seed.
//!
//! Invariants: every row is on exactly one side, rows of one group are on the same side, both sides have
//! a row, and the folds of one seed share no validation row and cover all rows.

use super::cache::Dataset;
use super::columns::COLUMNS;
use super::error::DatasetError;
use crate::domain::Objective;
use crate::domain::stream::{Key, seed_for};
use std::collections::{HashMap, HashSet};

/// Share of rows that validate where nobody says otherwise.
pub const DEFAULT_FRACTION: f64 = 0.2;
/// Seed of the split where nobody says otherwise.
pub const DEFAULT_SEED: u64 = 0;

/// Row indexes of both sides, each in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<u32>,
    /// Rows to validate on.
    pub validation: Vec<u32>,
}

impl Split {
    /// Puts about `fraction` of the rows (0 to 1, both excluded) on the validation side.
    ///
    /// # Errors
    /// `Request` when the fraction is not between 0 and 1, or all rows have the same image.
    pub fn fraction(dataset: &Dataset, fraction: f64, seed: u64) -> Result<Self, DatasetError> {
        fraction_of(&Rows::of(dataset), fraction, seed)
    }

    /// Fold number `fold` (from 0) of `folds`: its rows validate, all others train.
    ///
    /// # Errors
    /// `Request` when `folds` is below 2 or above the number of different images, or `fold` is not below
    /// `folds`.
    pub fn fold(dataset: &Dataset, folds: u32, fold: u32, seed: u64) -> Result<Self, DatasetError> {
        fold_of(&Rows::of(dataset), folds, fold, seed)
    }

    /// The split that a dataset's mean-face baseline is shown for: [`DEFAULT_FRACTION`] and
    /// [`DEFAULT_SEED`].
    ///
    /// # Errors
    /// As [`Self::fraction`].
    pub fn default_of(dataset: &Dataset) -> Result<Self, DatasetError> {
        Self::fraction(dataset, DEFAULT_FRACTION, DEFAULT_SEED)
    }
}

/// The split that a trial's fold trains and validates with: one of the objective's folds, or the one split by its
/// validation share.
///
/// # Errors
/// As [`Split::fold`] and [`Split::fraction`].
pub fn of_fold(dataset: &Dataset, objective: &Objective, fold: u32) -> Result<Split, DatasetError> {
    match objective.folds {
        Some(folds) => Split::fold(dataset, folds, fold, DEFAULT_SEED),
        None => Split::fraction(dataset, objective.validation, DEFAULT_SEED),
    }
}

/// What of a dataset a split depends on, per row.
struct Rows<'a> {
    groups: &'a [u32],
    existing_labels: Vec<u8>,
}

impl<'a> Rows<'a> {
    fn of(dataset: &'a Dataset) -> Self {
        let count = |row| dataset.labels(row).iter().filter(|label| !label.is_nan()).count() as u8;
        Self { groups: dataset.groups(), existing_labels: (0..dataset.rows()).map(count).collect() }
    }
}

struct Group {
    id: u32,
    rows: usize,
    labels: u8,
}

/// The groups in the order in which they are dealt out: rows with few, some and all labels apart, so that
/// dealing spreads each kind evenly, large groups first, and random within that.
fn dealt(rows: &Rows<'_>, seed: u64) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<u32, usize> = HashMap::new();
    for (id, labels) in rows.groups.iter().zip(&rows.existing_labels) {
        let at = *index.entry(*id).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group { id: *id, rows: 0, labels: 0 });
        }
        groups[at].rows += 1;
        groups[at].labels = groups[at].labels.max(*labels);
    }
    let stratum = |labels: u8| match usize::from(labels) {
        COLUMNS => 2,
        0..=8 => 0,
        _ => 1,
    };
    groups.sort_by_cached_key(|g| {
        let random = seed_for(seed, "split", &[Key::Number(u64::from(g.id))]);
        (stratum(g.labels), std::cmp::Reverse(g.rows), random, g.id)
    });
    groups
}

fn fraction_of(rows: &Rows<'_>, fraction: f64, seed: u64) -> Result<Split, DatasetError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(DatasetError::Request(format!(
            "a validation share of {fraction} is not between 0 and 1"
        )));
    }
    let groups = dealt(rows, seed);
    if groups.len() < 2 {
        return Err(DatasetError::Request("all rows have the same image: nothing to split".to_owned()));
    }
    let (mut passed, mut taken) = (0, 0);
    let mut validation = Vec::new();
    for group in &groups {
        passed += group.rows;
        // Taken where that brings the share nearer to the one asked for.
        if (passed as f64 * fraction) - taken as f64 >= group.rows as f64 / 2.0 {
            taken += group.rows;
            validation.push(group.id);
        }
    }
    if validation.len() == groups.len() {
        validation.pop();
    }
    if validation.is_empty() {
        validation.push(groups[groups.len() - 1].id);
    }
    let validation: HashSet<u32> = validation.into_iter().collect();
    Ok(sides(rows, |id| validation.contains(&id)))
}

fn fold_of(rows: &Rows<'_>, folds: u32, fold: u32, seed: u64) -> Result<Split, DatasetError> {
    let groups = dealt(rows, seed);
    if folds < 2 || folds as usize > groups.len() {
        let most = groups.len();
        return Err(DatasetError::Request(format!(
            "{folds} folds: 2 to {most} are possible with this dataset"
        )));
    }
    if fold >= folds {
        return Err(DatasetError::Request(format!("fold {fold} of {folds}: they are numbered from 0")));
    }
    let dealt: HashMap<u32, u32> = groups.iter().map(|g| g.id).zip((0..folds).cycle()).collect();
    Ok(sides(rows, |id| dealt.get(&id) == Some(&fold)))
}

fn sides(rows: &Rows<'_>, validates: impl Fn(u32) -> bool) -> Split {
    let all = 0..u32::try_from(rows.groups.len()).unwrap_or(u32::MAX);
    let (validation, train) = all.partition(|row| validates(rows.groups[*row as usize]));
    Split { train, validation }
}
