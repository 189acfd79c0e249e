//! The first of some trials, in an order.

use super::bits::Bits;
use super::columns::Columns;
use super::sieve::CHUNK;
use super::source::Walk;
use super::team::{Team, each};
use super::{Mark, Sort};
use crate::domain::{SweepId, Value};
use crate::expr::sort_order;
use crate::store::StoreError;
use std::cmp::Ordering;

/// An entry of an index is read in so much less time than a value is looked up.
const LOOK_UP: u64 = 16;

/// Which come first, and behind whom.
pub(super) struct Order<'a> {
    pub sort: Option<&'a Sort>,
    /// Only those behind this one.
    pub after: Option<&'a Mark>,
    /// An index that has this order, where all are wanted.
    pub walk: Option<&'a Walk>,
}

/// Of some trials of a sweep that has `size` trials, the first `limit`.
pub(super) fn first(
    team: &mut Team,
    sweep: SweepId,
    trials: Bits,
    size: u64,
    order: &Order<'_>,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let Some(sort) = order.sort else {
        let behind = order.after.map_or(i64::MIN, |mark| mark.trial.0);
        return Ok(trials.ids().filter(|id| *id > behind).take(limit).collect());
    };
    let count = trials.count().max(1);
    let walked = size / count.div_ceil(limit.max(1) as u64).max(1);
    match order.walk {
        Some(walk) if walked / LOOK_UP <= count => along(team, walk, trials, limit),
        _ => by_key(team, sweep, &trials, (sort, order.after), limit),
    }
}

/// Along an index that has the order; those that it does not know have no value, and come last.
fn along(team: &mut Team, walk: &Walk, mut trials: Bits, limit: usize) -> Result<Vec<i64>, StoreError> {
    let source = &walk.source;
    let sql = format!(
        "select o.trial_id from {} where {} order by {}",
        source.table,
        source.condition,
        walk.order()
    );
    let found = team.share(1, |connection, _| {
        let (mut found, mut left) = (Vec::new(), trials.clone());
        each(connection, &sql, &source.binds, |row| {
            let id = row.get(0)?;
            if left.take(id) {
                found.push(id);
            }
            Ok(found.len() < limit)
        })?;
        Ok(found)
    })?;
    let mut found: Vec<i64> = found.into_iter().flatten().collect();
    for id in &found {
        trials.take(*id);
    }
    found.extend(trials.ids().take(limit.saturating_sub(found.len())));
    Ok(found)
}

/// By the value of the key: of each chunk the first, and of those the first again.
fn by_key(
    team: &mut Team,
    sweep: SweepId,
    trials: &Bits,
    (sort, after): (&Sort, Option<&Mark>),
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let after = after.map(|mark| (mark.key.clone(), mark.trial.0));
    let columns = Columns::of(sweep, &sort.by);
    let chunks = team.share(trials.words().div_ceil(CHUNK), |connection, task| {
        let ids: Vec<i64> = trials.ids_within(task * CHUNK..(task + 1) * CHUNK).collect();
        let table = columns.read(connection, &ids)?;
        let key = |(i, id): (usize, &i64)| (sort.by.value(&|name| table.get(name, i)), *id);
        let is_behind =
            |trial: &Keyed| after.as_ref().is_none_or(|after| order(trial, after, sort) == Ordering::Greater);
        Ok(keep_first(ids.iter().enumerate().map(key).filter(is_behind).collect(), sort, limit))
    })?;
    let mut kept = keep_first(chunks.into_iter().flatten().collect(), sort, limit);
    kept.sort_unstable_by(|a, b| order(a, b, sort));
    Ok(kept.into_iter().map(|(_, id)| id).collect())
}

type Keyed = (Option<Value>, i64);

fn keep_first(mut trials: Vec<Keyed>, sort: &Sort, limit: usize) -> Vec<Keyed> {
    if limit < trials.len() {
        trials.select_nth_unstable_by(limit, |a, b| order(a, b, sort));
        trials.truncate(limit);
    }
    trials
}

fn order(a: &Keyed, b: &Keyed, sort: &Sort) -> Ordering {
    sort_order(a.0.as_ref(), b.0.as_ref(), sort.descending).then(a.1.cmp(&b.1))
}
