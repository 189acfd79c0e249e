//! Trials by filter and order, in a sweep that may have a million of them.
//!
//! SQLite keeps no statistics here and cannot know what a condition lets through, so it is tried out:
//!
//! - *walk* along an index that has the order, and test the first trials one by one. Most questions end here;
//! - *sieve*: the set of all trials that pass is made from the indexes and from the columns that the filter
//!   names, by all cores; then its first trials are found along an index, or by the value of the sort key.
//!
//! A sweep that is small is looked at as a whole, by SQLite alone.

mod bits;
mod columns;
mod look;
mod page;
mod rank;
mod sieve;
mod source;
mod team;

pub use page::{Mark, TrialPage};
pub(in crate::store) use team::Bench;

use super::TrialNames;
use super::trials::{SUMMARY, TrialSummary, trial_summary};
use crate::domain::{Direction, Sweep, SweepId, Value};
use crate::expr::{Expr, ExprError, Joins, Sql};
use crate::store::rows::{to_json, unsigned};
use crate::store::{Reader, StoreError};
use source::{Parts, Source, Walk};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row, Sqlite};
use std::sync::Arc;
use team::Team;

/// Trials that are tested one by one before anything else is tried, and so many more for each one wanted.
const WALKED: u64 = 500;
const WALKED_MORE: u64 = 2;
/// A sweep that has no more trials is small.
const SMALL: u64 = 2_000;
/// Trials that keep one core busy: so many more for each core that helps. (Tests have few trials.)
const SHARE: u64 = if cfg!(test) { 1_000 } else { 20_000 };
/// How often a moment is looked for that all connections see. Another one is only missed while a daemon writes.
const TRIES: usize = 20;
/// Beyond that, sets of ids would take more memory than they are worth.
const LARGEST_ID: usize = 1 << 30;
/// Rows that are fetched together by their ids.
const TOGETHER: usize = 1_000;

/// An order of trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What to sort by.
    pub by: Expr,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// The best first, by the sweep's primary objective.
    ///
    /// # Errors
    /// None: the column is always there.
    pub fn best_first(sweep: &Sweep) -> Result<Self, ExprError> {
        let descending = sweep.objective.direction == Direction::Maximize;
        Ok(Self { by: TrialNames::of_value()?, descending })
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    sweep: SweepId,
    filter: Option<&'a Expr>,
    sort: Option<&'a Sort>,
    /// Only those behind this one.
    after: Option<&'a Mark>,
    limit: u64,
}

impl Reader {
    /// Trials of a sweep that a filter lets through, at most `limit`, by number unless sorted. Trials without
    /// the value that is sorted by come last, whichever the direction; equal ones come by number.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn trials(
        &self,
        sweep: SweepId,
        filter: Option<&Expr>,
        sort: Option<&Sort>,
        limit: u64,
    ) -> Result<Vec<TrialSummary>, StoreError> {
        self.answer(&Question { sweep, filter, sort, after: None, limit }).await
    }

    async fn answer(&self, asked: &Question<'_>) -> Result<Vec<TrialSummary>, StoreError> {
        let Question { sweep, filter, sort, limit, .. } = *asked;
        let size = "select coalesce(sum(trials), 0) from trial_count where sweep_id = ?";
        let size = self.number(size.into(), &[Value::Int(sweep.0)]).await?;
        if limit == 0 || size == 0 {
            return Ok(Vec::new());
        }
        if size <= SMALL {
            return summaries(&self.sorted(asked, &Source::all(sweep)).await?);
        }
        let parts = Parts::of(sweep, filter);
        let walk = Walk::of(sweep, sort.map(|sort| (&sort.by, sort.descending)), &parts);
        // An index knows only those that have a value: behind one without there are no others.
        let walk = walk.and_then(|walk| match asked.after {
            None => Some(walk),
            Some(mark) => Some(walk.after(mark.key.as_ref()?, mark.trial)),
        });
        if let Some(walk) = &walk {
            let rows = self.walked(asked, walk).await?;
            if rows.len() as u64 >= limit {
                return summaries(&rows);
            }
        }
        for _ in 0..TRIES {
            let mut moment = self.pool.begin().await?;
            let seq = sqlx::query_scalar("select value from counter where name = 'seq'");
            let seq: i64 = seq.fetch_one(&mut *moment).await?;
            if let Some(ids) = self.sieved(asked, size, seq).await? {
                return fetched(&mut moment, &ids).await;
            }
        }
        summaries(&self.sorted(asked, &Source::all(sweep)).await?)
    }

    /// The first trials along an index that pass, among so few that this is cheap.
    async fn walked(&self, asked: &Question<'_>, walk: &Walk) -> Result<Vec<SqliteRow>, StoreError> {
        let most = match asked.filter {
            Some(_) => WALKED.saturating_add(asked.limit.min(SMALL).saturating_mul(WALKED_MORE)),
            None => asked.limit,
        };
        let (joins, test) = asked.test();
        let Source { table, condition, binds, .. } = &walk.source;
        // The outer loop goes through the limited part in its order, and ends when there are enough.
        let sql = format!(
            "select {SUMMARY} from (select o.sweep_id, o.trial_id from {table} where {condition} order by {} limit ?) o{} \
             cross join trial on trial.trial_id = o.trial_id where {} limit ?",
            walk.order(),
            joins.text(),
            test.as_ref().map_or("true", Sql::text),
        );
        let mut all = binds.clone();
        all.push(bounded(most));
        all.extend_from_slice(joins.binds());
        all.extend_from_slice(test.as_ref().map_or(&[][..], Sql::binds));
        all.push(bounded(asked.limit));
        self.rows(sql, &all).await
    }

    /// The first trials of a source that pass, in the order that is asked for.
    async fn sorted(&self, asked: &Question<'_>, source: &Source) -> Result<Vec<SqliteRow>, StoreError> {
        let (mut joins, test) = asked.test();
        let key = asked.sort.map(|sort| (sort, sort.by.to_sql(&mut joins)));
        let descending = asked.sort.is_some_and(|sort| sort.descending);
        let direction = if descending { "desc" } else { "asc" };
        let (behind, behind_binds) =
            asked.after.map_or(("true".into(), Vec::new()), |mark| mark.sql(descending));
        let Source { table, condition, binds, .. } = source;
        let sql = format!(
            "select {SUMMARY} from (select o.trial_id as id, {} as sort_key from {table}{} \
             cross join trial on trial.trial_id = o.trial_id where {condition} and {}) found \
             cross join trial on trial.trial_id = found.id where {behind} \
             order by sort_key {direction} nulls last, id limit ?",
            key.as_ref().map_or("null", |(_, key)| key.text()),
            joins.text(),
            test.as_ref().map_or("true", Sql::text),
        );
        let mut all = key.as_ref().map_or(&[][..], |(_, key)| key.binds()).to_vec();
        all.extend_from_slice(joins.binds());
        all.extend_from_slice(binds);
        all.extend_from_slice(test.as_ref().map_or(&[][..], Sql::binds));
        all.extend(behind_binds);
        all.push(bounded(asked.limit));
        self.rows(sql, &all).await
    }

    /// The ids of the answer, as of the moment at which `seq` inputs have been handled; `None` where that
    /// moment has passed.
    async fn sieved(
        &self,
        asked: &Question<'_>,
        size: u64,
        seq: i64,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let bench = Arc::clone(&self.bench);
        let (sweep, limit) = (asked.sweep, asked.limit);
        let (filter, sort, after) = (asked.filter.cloned(), asked.sort.cloned(), asked.after.cloned());
        let work = move || {
            let wanted = usize::try_from(size / SHARE).unwrap_or(usize::MAX).saturating_add(1);
            let Some(mut team) = bench.team(seq, wanted)? else { return Ok(None) };
            let (filter, sort, after) = (filter.as_ref(), sort.as_ref(), after.as_ref());
            let asked = Question { sweep, filter, sort, after, limit };
            sieve_and_rank(&mut team, &asked, size)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(ids) => ids,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime shuts down: nobody waits for the answer.
                Err(_) => Ok(Some(Vec::new())),
            },
        }
    }

    async fn number(&self, sql: String, binds: &[Value]) -> Result<u64, StoreError> {
        let rows = self.rows(sql, binds).await?;
        rows.first().map_or(Ok(0), |row| unsigned("a count", row.try_get(0)?))
    }

    async fn rows(&self, sql: String, binds: &[Value]) -> Result<Vec<SqliteRow>, StoreError> {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in binds {
            query = bind_value(query, value)?;
        }
        Ok(query.fetch_all(&self.pool).await?)
    }
}

impl Question<'_> {
    /// The filter in SQL, and the parameters that it names.
    fn test(&self) -> (Joins, Option<Sql>) {
        let mut joins = Joins::new("o");
        let test = self.filter.map(|filter| filter.to_sql(&mut joins));
        (joins, test)
    }
}

fn sieve_and_rank(team: &mut Team, asked: &Question<'_>, size: u64) -> Result<Option<Vec<i64>>, StoreError> {
    let largest = team.number("select coalesce(max(trial_id), 0) from trial", &[])?;
    let Some(largest) = usize::try_from(largest).ok().filter(|id| *id <= LARGEST_ID) else {
        return Ok(None);
    };
    let parts = Parts::of(asked.sweep, asked.filter);
    let walk = Walk::of(asked.sweep, asked.sort.map(|sort| (&sort.by, sort.descending)), &parts);
    let passing = sieve::passing(team, asked.sweep, asked.filter, &parts, largest)?;
    let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let walk = walk.as_ref().filter(|_| asked.after.is_none());
    let order = rank::Order { sort: asked.sort, after: asked.after, walk };
    rank::first(team, asked.sweep, passing, size, &order, limit).map(Some)
}

/// Trials by their ids, in that order.
pub(super) async fn fetched(
    moment: &mut SqliteConnection,
    ids: &[i64],
) -> Result<Vec<TrialSummary>, StoreError> {
    let sql = format!(
        "select {SUMMARY} from json_each(?) wanted cross join trial on trial.trial_id = wanted.value \
         order by wanted.key"
    );
    let mut trials = Vec::with_capacity(ids.len());
    for ids in ids.chunks(TOGETHER) {
        let rows =
            sqlx::query(AssertSqlSafe(sql.as_str())).bind(to_json(&ids)?).fetch_all(&mut *moment).await?;
        trials.extend(summaries(&rows)?);
    }
    Ok(trials)
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Binds a value by its own type; a list as its JSON.
fn bind_value<'q>(query: Query<'q>, value: &Value) -> Result<Query<'q>, StoreError> {
    Ok(match value {
        Value::Bool(b) => query.bind(*b),
        Value::Int(i) => query.bind(*i),
        Value::Float(x) => query.bind(*x),
        Value::Text(s) => query.bind(s.clone()),
        list @ Value::List(_) => query.bind(to_json(list)?),
    })
}

fn summaries(rows: &[SqliteRow]) -> Result<Vec<TrialSummary>, StoreError> {
    rows.iter().map(trial_summary).collect()
}

fn bounded(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

#[cfg(test)]
#[path = "search_test.rs"]
mod search_test;
