//! Which trials of a sweep pass a filter.

use super::bits::Bits;
use super::columns::Columns;
use super::source::{Parts, Source};
use super::team::{Team, each};
use crate::domain::{SweepId, Value};
use crate::expr::Expr;
use crate::store::StoreError;

/// Trials that are looked at together, in words of a set: some ten thousands. (Tests have few trials.)
pub(super) const CHUNK: usize = if cfg!(test) { 8 } else { 512 };

/// Where an index leaves no more than this, the others are not read.
const FEW: i64 = if cfg!(test) { 40 } else { 2_000 };

/// The trials that pass. What indexes know is read from them, one beside the other; the rest of the filter is
/// evaluated for what is left then.
pub(super) fn passing(
    team: &mut Team,
    sweep: SweepId,
    filter: Option<&Expr>,
    parts: &Parts,
    largest: usize,
) -> Result<Bits, StoreError> {
    let sources: Vec<&Source> = parts.sources().collect();
    for source in &sources {
        if has_few(team, source)? {
            let few = read(team, &[*source], largest)?.pop().unwrap_or_else(|| Bits::none(largest));
            return filter.map_or(Ok(few.clone()), |all| evaluated(team, sweep, all, &few, largest));
        }
    }
    let passing = if sources.is_empty() {
        all(team, sweep, largest)?
    } else {
        let mut sets = read(team, &sources, largest)?.into_iter();
        let mut passing = sets.next().unwrap_or_else(|| Bits::none(largest));
        sets.for_each(|set| passing.and(&set));
        passing
    };
    match &parts.rest {
        Some(rest) => evaluated(team, sweep, rest, &passing, largest),
        None => Ok(passing),
    }
}

fn has_few(team: &Team, source: &Source) -> Result<bool, StoreError> {
    let Source { table, condition, binds, .. } = source;
    let sql = format!("select count(*) from (select 1 from {table} where {condition} limit {})", FEW + 1);
    Ok(team.number(&sql, binds)? <= FEW)
}

/// All trials of the sweep: numbers are given out one after the other, so they are cut into equal parts.
fn all(team: &mut Team, sweep: SweepId, largest: usize) -> Result<Bits, StoreError> {
    let sql = "select coalesce(max(number), -1) from trial where sweep_id = ?";
    let numbers = team.number(sql, &[Value::Int(sweep.0)])?.saturating_add(1);
    let size = numbers / team.size().max(1) as i64 + 1;
    let part = |i: usize| {
        let from = size.saturating_mul(i as i64);
        Source::numbered(sweep, from, from.saturating_add(size))
    };
    let parts: Vec<Source> = (0..team.size()).map(part).collect();
    let mut all = Bits::none(largest);
    read(team, &parts.iter().collect::<Vec<_>>(), largest)?.iter().for_each(|set| all.or(set));
    Ok(all)
}

fn read(team: &mut Team, sources: &[&Source], largest: usize) -> Result<Vec<Bits>, StoreError> {
    team.share(sources.len(), |connection, task| {
        let Source { table, condition, binds, .. } = sources[task];
        let mut set = Bits::none(largest);
        let sql = format!("select o.trial_id from {table} where {condition}");
        each(connection, &sql, binds, |row| {
            set.set(row.get(0)?);
            Ok(true)
        })?;
        Ok(set)
    })
}

fn evaluated(
    team: &mut Team,
    sweep: SweepId,
    filter: &Expr,
    of: &Bits,
    largest: usize,
) -> Result<Bits, StoreError> {
    let columns = Columns::of(sweep, filter);
    let chunks = team.share(of.words().div_ceil(CHUNK), |connection, task| {
        let ids: Vec<i64> = of.ids_within(task * CHUNK..(task + 1) * CHUNK).collect();
        let table = columns.read(connection, &ids)?;
        let holds = |i: usize| filter.holds(&|name| table.get(name, i)) == Some(true);
        let passing = ids.iter().enumerate().filter(|(i, _)| holds(*i)).map(|(_, id)| *id);
        Ok(passing.collect::<Vec<i64>>())
    })?;
    let mut passing = Bits::none(largest);
    chunks.into_iter().flatten().for_each(|id| passing.set(id));
    Ok(passing)
}
