//! Some trials of a sweep, by an index, in SQL.

use crate::domain::{SweepId, TrialId, Value};
use crate::expr::{Bound, Expr, Place};

/// Some trials of a sweep by an index: the table alias `o` with the columns `sweep_id` and `trial_id`.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What follows `from`, up to `where`.
    pub table: &'static str,
    /// The column that the index sorts by.
    pub column: &'static str,
    pub condition: String,
    pub binds: Vec<Value>,
}

impl Source {
    /// All trials of a sweep, by number.
    pub fn all(sweep: SweepId) -> Self {
        Self {
            table: "trial o indexed by trial_by_number",
            column: "o.number",
            condition: "o.sweep_id = ?".into(),
            binds: vec![Value::Int(sweep.0)],
        }
    }

    /// Those with a number from `from` on and below `until`.
    pub fn numbered(sweep: SweepId, from: i64, until: i64) -> Self {
        Self::all(sweep).and("o.number >= ? and o.number < ?", &[Value::Int(from), Value::Int(until)])
    }

    /// Those that have a value at a place that an index knows.
    pub fn having(sweep: SweepId, name: &str, place: Place) -> Option<Self> {
        let (table, column) = match place {
            Place::Param => ("trial_param o indexed by trial_param_by_value", "o.value"),
            Place::Column("trial.number") => ("trial o indexed by trial_by_number", "o.number"),
            Place::Column("trial.best_value") => ("trial o indexed by trial_by_value", "o.best_value"),
            Place::Column("trial.state") => ("trial o indexed by trial_by_state", "o.state"),
            Place::Column("trial.tags") => ("trial o indexed by trial_tagged", "o.tags"),
            Place::Column(_) => return None,
        };
        let source = Self { table, column, ..Self::all(sweep) }.and(&format!("{column} is not null"), &[]);
        let named = [Value::Text(name.to_owned())];
        Some(if place == Place::Param { source.and("o.name = ?", &named) } else { source })
    }

    fn and(mut self, condition: &str, binds: &[Value]) -> Self {
        self.condition.push_str(" and ");
        self.condition.push_str(condition);
        self.binds.extend_from_slice(binds);
        self
    }

    /// Only those that pass a bound of the same place.
    fn within(self, bound: &Bound<'_>) -> Self {
        let test = bound.on(self.column);
        self.and(&test, bound.binds)
    }
}

/// A filter in two parts: what indexes know, one source for each field, and the rest.
pub(super) struct Parts {
    sources: Vec<(String, Place, Source)>,
    pub rest: Option<Expr>,
}

impl Parts {
    pub fn of(sweep: SweepId, filter: Option<&Expr>) -> Self {
        let known = |bound: &Bound<'_>| Source::having(sweep, bound.name, bound.place).is_some();
        let (bounds, rest) = filter.map(|filter| filter.split(known)).unwrap_or_default();
        let mut sources: Vec<(String, Place, Source)> = Vec::new();
        for bound in &bounds {
            let same = sources.iter_mut().find(|(name, place, _)| is_same((name, *place), bound));
            match same {
                Some((_, _, source)) => *source = source.clone().within(bound),
                None => {
                    let source = Source::having(sweep, bound.name, bound.place);
                    sources.extend(
                        source.map(|source| (bound.name.to_owned(), bound.place, source.within(bound))),
                    );
                }
            }
        }
        Self { sources, rest }
    }

    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(|(_, _, source)| source)
    }

    /// The trials that a filter on this field alone lets through.
    fn of_field(&self, field: (&str, Place)) -> Option<&Source> {
        let is_own = |(name, place, _): &&(String, Place, Source)| {
            *place == field.1 && (name == field.0 || *place != Place::Param)
        };
        self.sources.iter().find(is_own).map(|(_, _, source)| source)
    }
}

/// Columns have several names.
fn is_same((name, place): (&str, Place), bound: &Bound<'_>) -> bool {
    place == bound.place && (name == bound.name || place != Place::Param)
}

/// An index that has the order which is wanted: those trials that have a value there.
#[derive(Debug)]
pub(super) struct Walk {
    pub source: Source,
    direction: &'static str,
}

impl Walk {
    /// `by` is what is sorted by, and whether the largest come first; by number unless given.
    pub fn of(sweep: SweepId, by: Option<(&Expr, bool)>, parts: &Parts) -> Option<Self> {
        let (name, place) = match by {
            Some((by, _)) => by.field()?,
            None => ("number", Place::Column("trial.number")),
        };
        let source = match parts.of_field((name, place)) {
            Some(source) => source.clone(),
            None => Source::having(sweep, name, place)?,
        };
        let descending = by.is_some_and(|(_, descending)| descending);
        Some(Self { source, direction: if descending { "desc" } else { "asc" } })
    }

    /// The same behind a trial with a value at that place.
    pub fn after(self, key: &Value, trial: TrialId) -> Self {
        let (source, direction) = (self.source, self.direction);
        let (column, beyond) = (source.column, if direction == "desc" { '<' } else { '>' });
        let behind = format!("{column} {beyond}= ? and ({column} {beyond} ? or o.trial_id > ?)");
        let binds = [key.clone(), key.clone(), Value::Int(trial.0)];
        Self { source: source.and(&behind, &binds), direction }
    }

    /// What stands after `order by`.
    pub fn order(&self) -> String {
        format!("{} {}, o.trial_id", self.source.column, self.direction)
    }
}
