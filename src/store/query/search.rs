//! Trials by filter and order, in a sweep that may have a million of them.
//!
//! SQLite keeps no statistics here and cannot know what a condition lets through, so the plan is chosen by a
//! look at the data. There are three ways to the first `limit` trials of an order:
//!
//! - *walk* through an index that has the order, until enough trials pass the filter;
//! - *gather* what an index says of one part of the filter, test the rest, and sort;
//! - *scan* every trial of the sweep, one after the other, and sort.
//!
//! A sample from the beginning of the walk says how long it would be; counting up to a limit says how much a
//! gathering would bring. A guess that is wrong costs time and never changes the answer.

use super::trials::{TrialSummary, trial_summary};
use crate::domain::{SweepId, Value};
use crate::expr::{Bound, Expr, Joins, Place, Sql};
use crate::store::apply::bind_value;
use crate::store::rows::unsigned;
use crate::store::{Reader, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

/// How many trials at the beginning of a walk are looked at to guess its length; and how many, where none of
/// those passes and nothing else is cheap.
const SAMPLE: u64 = 500;
const LARGE_SAMPLE: u64 = 30_000;
/// Beyond so many, what a part of the filter lets through is not counted any more.
const MOST_GATHERED: u64 = 50_000;
/// A scan reads neighbours; a walk or a gathering jumps about, and takes so many times longer for each trial.
const JUMP: u64 = 3;

/// An order of trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What to sort by.
    pub by: Expr,
    /// Largest first.
    pub descending: bool,
}

/// Some trials of a sweep by an index: the table alias `o` with a column `trial_id`.
struct Source {
    /// What follows `from`, up to `where`.
    table: &'static str,
    /// The column that the index sorts by.
    column: &'static str,
    condition: String,
    binds: Vec<Value>,
}

impl Source {
    /// All trials of a sweep, by number.
    fn all(sweep: SweepId) -> Self {
        Self {
            table: "trial o indexed by trial_by_number",
            column: "o.number",
            condition: "o.sweep_id = ?".into(),
            binds: vec![Value::Int(sweep.0)],
        }
    }

    /// Those that have a value at a place that an index knows.
    fn having(sweep: SweepId, name: &str, place: Place) -> Option<Self> {
        let (table, column) = match place {
            Place::Param => ("trial_param o indexed by trial_param_by_value", "o.value"),
            Place::Column("trial.number") => ("trial o indexed by trial_by_number", "o.number"),
            Place::Column("trial.best_value") => ("trial o indexed by trial_by_value", "o.best_value"),
            Place::Column("trial.state") => ("trial o indexed by trial_by_state", "o.state"),
            Place::Column(_) => return None,
        };
        let source = Self { table, column, ..Self::all(sweep) }.and(&format!("{column} is not null"), &[]);
        let named = [Value::Text(name.to_owned())];
        Some(if place == Place::Param { source.and("o.name = ?", &named) } else { source })
    }

    /// Those that have none there, if there may be any. `key` is the place in SQL.
    fn lacking(sweep: SweepId, key: &Sql, place: Place) -> Option<Self> {
        match place {
            Place::Column("trial.best_value") => {
                let table = "trial o indexed by trial_by_value";
                Some(Self { table, ..Self::all(sweep) }.and("o.best_value is null", &[]))
            }
            Place::Param => Some(Self::all(sweep).and(&format!("{} is null", key.text()), key.binds())),
            Place::Column(_) => None,
        }
    }

    fn and(mut self, condition: &str, binds: &[Value]) -> Self {
        self.condition.push_str(" and ");
        self.condition.push_str(condition);
        self.binds.extend_from_slice(binds);
        self
    }

    /// Only those that pass a bound of the same place.
    fn within(self, bound: &Bound<'_>) -> Self {
        let test = format!("{} {}", self.column, bound.test);
        self.and(&test, bound.binds)
    }
}

/// What has to hold, and the parameters that it names.
struct Filter {
    joins: Joins,
    sql: Option<Sql>,
}

/// What stands after `order by`, and the parameters that it and the filter name.
struct Order {
    text: String,
    binds: Vec<Value>,
    joins: Joins,
}

/// An index that has the order which is wanted.
struct Walk {
    source: Source,
    /// Trials that come after all of those.
    rest: Option<Source>,
    direction: &'static str,
}

impl Walk {
    fn of(sweep: SweepId, sort: Option<(&Sort, &Sql)>, bounds: &[Bound<'_>]) -> Option<Self> {
        let (name, place) = match sort {
            Some((sort, _)) => sort.by.field()?,
            None => ("number", Place::Column("trial.number")),
        };
        let is_own =
            |bound: &&Bound<'_>| bound.place == place && (bound.name == name || place != Place::Param);
        let own: Vec<_> = bounds.iter().filter(is_own).collect();
        // Nothing is no value within any bounds.
        let rest = sort.filter(|_| own.is_empty()).and_then(|(_, key)| Source::lacking(sweep, key, place));
        let source = own.into_iter().fold(Source::having(sweep, name, place)?, Source::within);
        Some(Self { source, rest, direction: sort.map_or("asc", |(sort, _)| sort.direction()) })
    }

    fn order(&self) -> String {
        format!("{} {}", self.source.column, self.direction)
    }
}

impl Sort {
    fn direction(&self) -> &'static str {
        if self.descending { "desc" } else { "asc" }
    }
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
        let bounds = filter.map(Expr::bounds).unwrap_or_default();
        let mut joins = Joins::new("o");
        let sql = filter.map(|filter| filter.to_sql(&mut joins));
        let filter = Filter { joins: joins.clone(), sql };
        let key = sort.map(|sort| (sort, sort.by.to_sql(&mut joins)));
        let walk = Walk::of(sweep, key.as_ref().map(|(sort, key)| (*sort, key)), &bounds);
        let mut walk_cost = match &walk {
            Some(walk) => self.length(walk, &filter, limit, SAMPLE).await?,
            None => u64::MAX,
        };
        let mut gathered = (self.size(sweep).await? / JUMP, Source::all(sweep));
        if walk_cost > limit.saturating_add(SAMPLE) {
            for bound in &bounds {
                let Some(source) = Source::having(sweep, bound.name, bound.place) else { continue };
                let source = source.within(bound);
                let most = gathered.0.min(MOST_GATHERED);
                let cost = self.count(&source, most).await?;
                if cost < most {
                    gathered = (cost, source);
                }
            }
        }
        if let Some(walk) = walk.as_ref().filter(|_| walk_cost.min(gathered.0) > LARGE_SAMPLE) {
            walk_cost = self.length(walk, &filter, limit, LARGE_SAMPLE).await?;
        }
        let rows = match walk {
            Some(walk) if walk_cost <= gathered.0 => self.walk(walk, &filter, joins, limit).await?,
            _ => {
                let (text, binds) = match &key {
                    Some((sort, key)) => (
                        format!("{} {} nulls last, o.trial_id", key.text(), sort.direction()),
                        key.binds().to_vec(),
                    ),
                    None => ("o.trial_id".into(), Vec::new()),
                };
                self.first(&gathered.1, &filter, &Order { text, binds, joins }, limit).await?
            }
        };
        rows.iter().map(trial_summary).collect()
    }

    async fn size(&self, sweep: SweepId) -> Result<u64, StoreError> {
        let sql = "select coalesce(sum(trials), 0) from trial_count where sweep_id = ?";
        self.number(sql.into(), &[&[Value::Int(sweep.0)]]).await
    }

    /// How many trials a walk would probably pass until it has enough, by its first `sample` trials.
    async fn length(&self, walk: &Walk, filter: &Filter, limit: u64, sample: u64) -> Result<u64, StoreError> {
        let Some(test) = &filter.sql else { return Ok(limit) };
        let Source { table, condition, binds, .. } = &walk.source;
        let sql = format!(
            "select count(*) from (select o.sweep_id, o.trial_id from {table} where {condition} order by {} \
             limit {sample}) o{} cross join trial on trial.trial_id = o.trial_id where {}",
            walk.order(),
            filter.joins.text(),
            test.text()
        );
        let passed = self.number(sql, &[binds, filter.joins.binds(), test.binds()]).await?;
        // None at all: it may still be one among the next.
        Ok(limit.saturating_mul(2 * sample) / (2 * passed).max(1))
    }

    /// How many trials a source has, counted up to a limit.
    async fn count(&self, source: &Source, most: u64) -> Result<u64, StoreError> {
        let Source { table, condition, binds, .. } = source;
        let sql = format!("select count(*) from (select 1 from {table} where {condition} limit {most})");
        self.number(sql, &[binds]).await
    }

    async fn number(&self, sql: String, binds: &[&[Value]]) -> Result<u64, StoreError> {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in binds.iter().copied().flatten() {
            query = bind_value(query, value)?;
        }
        let row = query.fetch_one(&self.pool).await?;
        unsigned("a count", row.try_get(0)?)
    }

    /// The first trials in an index's order that pass, then those without a value there.
    async fn walk(
        &self,
        walk: Walk,
        filter: &Filter,
        joins: Joins,
        limit: u64,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let text = format!("{}, o.trial_id", walk.order());
        let order = Order { text, binds: Vec::new(), joins: filter.joins.clone() };
        let mut rows = self.first(&walk.source, filter, &order, limit).await?;
        let missing = limit.saturating_sub(rows.len() as u64);
        if let (Some(rest), 1..) = (&walk.rest, missing) {
            let order = Order { text: "o.trial_id".into(), binds: Vec::new(), joins };
            rows.extend(self.first(rest, filter, &order, missing).await?);
        }
        Ok(rows)
    }

    /// The first trials of a source that pass, in an order.
    async fn first(
        &self,
        source: &Source,
        filter: &Filter,
        order: &Order,
        limit: u64,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let Source { table, condition, binds, .. } = source;
        let mut sql = format!(
            "select trial.* from {table}{} cross join trial on trial.trial_id = o.trial_id where {condition}",
            order.joins.text()
        );
        if let Some(filter) = &filter.sql {
            sql.push_str(&format!(" and {}", filter.text()));
        }
        sql.push_str(&format!(" order by {} limit ?", order.text));
        let tested = filter.sql.as_ref().map_or(&[][..], Sql::binds);
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in order.joins.binds().iter().chain(binds).chain(tested).chain(&order.binds) {
            query = bind_value(query, value)?;
        }
        Ok(query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(&self.pool).await?)
    }
}

#[cfg(test)]
#[path = "search_test.rs"]
mod search_test;
