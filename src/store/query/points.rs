//! All trials of a sweep as points: which, in what state, worth what. From indexes alone, since the rows of a large
//! sweep are too much to read for a picture.

use crate::domain::{Millis, Params, SweepId, TrialId, TrialState};
use crate::store::direct::{each, first};
use crate::store::rows::{from_json, to_json, trial_state, unsigned};
use crate::store::{Reader, StoreError};
use rusqlite::Connection;
use serde::Serialize;
use std::collections::HashMap;

/// A trial as a point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TrialPoint {
    /// Its id.
    pub trial_id: TrialId,
    /// Its number within the sweep.
    pub number: u64,
    /// Its state.
    pub state: TrialState,
    /// The metric at its best step.
    pub value: Option<f64>,
}

impl Reader {
    /// All trials of a sweep, by number.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn points(&self, sweep: SweepId) -> Result<Vec<TrialPoint>, StoreError> {
        self.look(move |connection| points(connection, sweep)).await
    }

    /// The configurations of some trials; those that are gone are left out.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn params(&self, trials: &[TrialId]) -> Result<HashMap<TrialId, Params>, StoreError> {
        let ids: Vec<i64> = trials.iter().map(|trial| trial.0).collect();
        let wanted = to_json(&ids)?;
        self.look(move |connection| {
            let sql = "select trial_id, params from json_each(?) wanted cross join trial \
                       on trial.trial_id = wanted.value";
            let mut all = HashMap::with_capacity(ids.len());
            each(connection, sql, [wanted], |row| {
                let params = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
                all.insert(TrialId(row.get(0)?), from_json("trial.params", params)?);
                Ok(true)
            })?;
            Ok(all)
        })
        .await
    }

    /// When some trials ended, in their order.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn ends(&self, trials: &[TrialId]) -> Result<Vec<Option<Millis>>, StoreError> {
        let ids: Vec<i64> = trials.iter().map(|trial| trial.0).collect();
        let wanted = to_json(&ids)?;
        self.look(move |connection| {
            let sql = "select finished_ms from json_each(?) wanted left join trial \
                       on trial.trial_id = wanted.value order by wanted.key";
            let mut ends = Vec::with_capacity(ids.len());
            each(connection, sql, [wanted], |row| {
                ends.push(row.get::<_, Option<i64>>(0)?.map(Millis));
                Ok(true)
            })?;
            Ok(ends)
        })
        .await
    }
}

fn points(connection: &Connection, sweep: SweepId) -> Result<Vec<TrialPoint>, StoreError> {
    // The state that most are in is looked up for none of them.
    let sql = "select state from trial_count where sweep_id = ? order by trials desc limit 1";
    let usual: Option<String> = first(connection, sql, [sweep.0])?;
    let usual = usual.map_or(Ok(TrialState::Queued), |word| trial_state(&word))?;
    let mut points = Vec::new();
    let sql =
        "select trial_id, number from trial indexed by trial_by_number where sweep_id = ? order by number";
    each(connection, sql, [sweep.0], |row| {
        let number = unsigned("trial.number", row.get(1)?)?;
        let trial_id = TrialId(row.get(0)?);
        points.push(TrialPoint { trial_id, number, state: usual, value: None });
        Ok(true)
    })?;
    // Ids grow with the numbers.
    let sql = "select trial_id from trial indexed by trial_by_state where sweep_id = ? and state = ?";
    for state in TrialState::ALL.into_iter().filter(|state| *state != usual) {
        each(connection, sql, rusqlite::params![sweep.0, state.as_str()], |row| {
            if let Some(point) = of(&mut points, row.get(0)?) {
                point.state = state;
            }
            Ok(true)
        })?;
    }
    let sql = "select trial_id, best_value from trial indexed by trial_by_value \
               where sweep_id = ? and best_value is not null";
    each(connection, sql, [sweep.0], |row| {
        if let Some(point) = of(&mut points, row.get(0)?) {
            point.value = row.get(1)?;
        }
        Ok(true)
    })?;
    Ok(points)
}

/// The point of a trial. Most often no other sweep has taken an id in between.
fn of(points: &mut [TrialPoint], id: i64) -> Option<&mut TrialPoint> {
    let first = points.first()?.trial_id.0;
    let guess = usize::try_from(id.checked_sub(first)?).ok()?;
    let place = match points.get(guess) {
        Some(point) if point.trial_id.0 == id => guess,
        _ => points.binary_search_by_key(&id, |point| point.trial_id.0).ok()?,
    };
    points.get_mut(place)
}

#[cfg(test)]
#[path = "points_test.rs"]
mod points_test;
