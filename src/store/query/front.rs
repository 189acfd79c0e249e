//! The front of a sweep with several objectives: the completed trials that no other one dominates.

use super::search::fetched;
use super::sweeps::SweepSummary;
use super::trials::TrialSummary;
use crate::domain::{SweepId, Target, TrialId, pareto};
use crate::store::direct::all;
use crate::store::{Reader, StoreError};
use rusqlite::Connection;
use serde::Serialize;

/// The size of the largest front whose volume is computed, by the number of objectives from one: with more of them it
/// soon costs more than anybody waits for.
const MOST_WITH_VOLUME: [usize; 4] = [usize::MAX, usize::MAX, 2_000, 1_000];

/// A sweep's front in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FrontShape {
    /// What is optimised, the primary metric first.
    pub objectives: Vec<Target>,
    /// How many trials have completed.
    pub completed: u64,
    /// How many of them no other one dominates.
    pub size: u64,
    /// Of each objective the worst value among the completed trials and a tenth of their range more, so that whoever is
    /// the worst of the front by one objective counts too.
    pub reference: Vec<f64>,
    /// The volume of what the front dominates up to `reference`; absent where that would take too long.
    pub hypervolume: Option<f64>,
}

/// A trial of the front.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FrontMember {
    /// A value per objective.
    pub values: Vec<f64>,
    /// The trial.
    pub trial: TrialSummary,
}

/// A sweep and its front.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Front {
    /// The sweep.
    pub sweep: SweepSummary,
    /// The front in numbers.
    #[serde(flatten)]
    pub shape: FrontShape,
    /// The best by the primary objective first.
    pub members: Vec<FrontMember>,
}

/// A trial with its values.
type Valued = (TrialId, Vec<f64>);

impl Reader {
    /// The front of a sweep's completed trials, of which the first `most` are shown; `None` where the sweep has been
    /// removed.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn front(&self, sweep: SweepId, most: u64) -> Result<Option<Front>, StoreError> {
        let Some(sweep) = self.sweep(sweep).await? else { return Ok(None) };
        let objectives: Vec<Target> = sweep
            .spec
            .objective
            .targets()
            .map(|(name, direction)| Target { name: name.to_owned(), direction })
            .collect();
        let id = sweep.sweep;
        let (shape, front) = self
            .look(move |connection| {
                let completed = valued(connection, id, objectives.len())?;
                Ok(shape(objectives, completed))
            })
            .await?;
        let shown = &front[..front.len().min(usize::try_from(most).unwrap_or(usize::MAX))];
        let ids: Vec<i64> = shown.iter().map(|(trial, _)| trial.0).collect();
        let trials = fetched(&mut *self.pool.acquire().await?, &ids).await?;
        let members = shown
            .iter()
            .zip(trials)
            .map(|((_, values), trial)| FrontMember { values: values.clone(), trial });
        Ok(Some(Front { sweep, shape, members: members.collect() }))
    }
}

/// The trials that have a value of every objective, by their ids.
fn valued(connection: &Connection, sweep: SweepId, objectives: usize) -> Result<Vec<Valued>, StoreError> {
    let sql = "select trial_id, value from trial_value where sweep_id = ? and objective = ? and ranked = 1";
    let mut trials: Vec<Valued> = Vec::new();
    for objective in 0..objectives {
        let number = i64::try_from(objective).unwrap_or(i64::MAX);
        let mut column: Vec<(i64, f64)> =
            all(connection, sql, [sweep.0, number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        column.sort_unstable_by_key(|(trial, _)| *trial);
        if objective == 0 {
            let first = |(trial, value)| (TrialId(trial), vec![value]);
            trials = column.into_iter().map(first).collect();
            continue;
        }
        let mut column = column.into_iter().peekable();
        for (trial, values) in &mut trials {
            while column.next_if(|(other, _)| *other < trial.0).is_some() {}
            values.extend(column.next_if(|(other, _)| *other == trial.0).map(|(_, value)| value));
        }
        trials.retain(|(_, values)| values.len() > objective);
    }
    Ok(trials)
}

/// The front of some trials in numbers, and its members, the best by the first objective first.
fn shape(objectives: Vec<Target>, trials: Vec<Valued>) -> (FrontShape, Vec<Valued>) {
    let losses: Vec<Vec<f64>> = trials
        .iter()
        .map(|(_, values)| objectives.iter().zip(values).map(|(of, x)| of.direction.signed(*x)).collect())
        .collect();
    let losses: Vec<&[f64]> = losses.iter().map(Vec::as_slice).collect();
    let mut front = pareto::first_front(&losses);
    let beyond = |k: usize| {
        let of = || losses.iter().map(|losses| losses[k]);
        of().reduce(f64::max).zip(of().reduce(f64::min)).map(|(worst, best)| worst + (worst - best) / 10.0)
    };
    let corner: Vec<f64> = (0..objectives.len()).filter_map(beyond).collect();
    let small = MOST_WITH_VOLUME.get(objectives.len() - 1).is_some_and(|most| front.len() <= *most);
    let members: Vec<&[f64]> = front.iter().map(|place| losses[*place]).collect();
    let hypervolume = (small && !trials.is_empty()).then(|| pareto::hypervolume(&members, &corner));
    front.sort_by(|a, b| losses[*a][0].total_cmp(&losses[*b][0]).then(a.cmp(b)));
    let reference = objectives.iter().zip(&corner).map(|(of, loss)| of.direction.signed(*loss)).collect();
    let (completed, size) = (trials.len() as u64, front.len() as u64);
    let front = front.into_iter().map(|place| trials[place].clone()).collect();
    (FrontShape { objectives, completed, size, reference, hypervolume }, front)
}

#[cfg(test)]
#[path = "front_test.rs"]
mod front_test;
