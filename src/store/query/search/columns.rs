//! The fields that an expression names, for many trials at once: each is read in the order of the ids, in which
//! it lies on the disk.

use super::team::value;
use crate::domain::{SweepId, Value};
use crate::expr::{Expr, Place};
use crate::store::StoreError;
use rusqlite::{Connection, params};

/// Of trials that lie further apart than this, each is looked up by itself.
const SPARSE: u64 = 16;

/// The fields of an expression, and how to read them.
pub(super) struct Columns<'a> {
    sweep: SweepId,
    names: Vec<&'a str>,
    strips: Vec<Strip<'a>>,
}

/// What one statement reads.
struct Strip<'a> {
    /// The trials `?3` to `?4`: the id and some fields.
    sql: String,
    /// The parameter's name.
    name: &'a str,
    width: usize,
}

impl<'a> Columns<'a> {
    pub fn of(sweep: SweepId, expr: &'a Expr) -> Self {
        let (mut names, mut strips, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for (name, place) in expr.fields() {
            match place {
                Place::Param => {
                    let sql = "select trial_id, value from trial_param where sweep_id = ?1 and name = ?2 \
                               and trial_id between ?3 and ?4 order by trial_id";
                    names.push(name);
                    strips.push(Strip { sql: sql.into(), name, width: 1 });
                }
                Place::Column("trial.tags") => {
                    // Those that have any, and no other row is touched.
                    let sql = "select trial_id, tags from trial indexed by trial_tagged where sweep_id = ?1 \
                               and trial_id between ?3 and ?4 and tags is not null and ?2 = '' order by trial_id";
                    names.push(name);
                    strips.push(Strip { sql: sql.into(), name: "", width: 1 });
                }
                Place::Column(column) => own.push((name, column)),
            }
        }
        if !own.is_empty() {
            let columns: Vec<&str> = own.iter().map(|(_, column)| *column).collect();
            let sql = format!(
                "select trial.trial_id, {} from trial where trial.trial_id between ?3 and ?4 \
                 order by trial.trial_id",
                columns.join(", ")
            );
            names.extend(own.iter().map(|(name, _)| *name));
            strips.push(Strip { sql, name: "", width: own.len() });
        }
        Self { sweep, names, strips }
    }

    /// Reads the fields of trials, whose ids are given smallest first.
    pub fn read(&self, connection: &Connection, ids: &[i64]) -> Result<Table<'_>, StoreError> {
        let mut table = Table { names: &self.names, values: vec![Vec::new(); self.names.len()] };
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(table) };
        let mut at = 0;
        for strip in &self.strips {
            let values = &mut table.values[at..at + strip.width];
            values.iter_mut().for_each(|values| values.resize(ids.len(), None));
            if last.abs_diff(*first) / SPARSE <= ids.len() as u64 {
                self.read_strip(connection, strip, ids, &[(*first, *last)], values)?;
            } else {
                let each: Vec<(i64, i64)> = ids.iter().map(|id| (*id, *id)).collect();
                self.read_strip(connection, strip, ids, &each, values)?;
            }
            at += strip.width;
        }
        Ok(table)
    }

    fn read_strip(
        &self,
        connection: &Connection,
        strip: &Strip<'_>,
        ids: &[i64],
        ranges: &[(i64, i64)],
        values: &mut [Vec<Option<Value>>],
    ) -> Result<(), StoreError> {
        let mut statement = connection.prepare(&strip.sql)?;
        let mut at = 0;
        for (from, to) in ranges {
            let mut rows = statement.query(params![self.sweep.0, strip.name, from, to])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                while ids.get(at).is_some_and(|wanted| *wanted < id) {
                    at += 1;
                }
                if ids.get(at) == Some(&id) {
                    for (column, values) in values.iter_mut().enumerate() {
                        values[at] = value(row, column + 1)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The fields of some trials.
pub(super) struct Table<'a> {
    names: &'a [&'a str],
    values: Vec<Vec<Option<Value>>>,
}

impl Table<'_> {
    /// A field of the trial whose id was given at that place.
    pub fn get(&self, name: &str, trial: usize) -> Option<Value> {
        let column = self.names.iter().position(|known| *known == name)?;
        self.values.get(column)?.get(trial)?.clone()
    }
}
