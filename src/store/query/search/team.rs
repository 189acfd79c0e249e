//! Connections that read at once, one on each core, and see the same moment.
//!
//! They step through rows where they are, twenty times as fast as sqlx, which sends every row to another
//! thread. Whatever changes a trial counts the inputs up in the same transaction: transactions that read the
//! same count see the same trials.

use crate::domain::Value;
use crate::store::StoreError;
use crate::store::direct::{self, Named};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params_from_iter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// More would not be faster.
const MOST_MEMBERS: usize = 8;
/// What each may keep of the database in memory. They read from one end to the other, and hardly anything twice: to
/// keep more costs more than it saves, most of all where two cores wait for each other to get the memory.
const CACHE_KB: i64 = 512;

/// Where teams come from: connections that wait for the next search.
#[derive(Debug)]
pub(in crate::store) struct Bench {
    path: PathBuf,
    waiting: Mutex<Vec<Connection>>,
}

impl Bench {
    /// Opens nothing yet.
    pub fn new(path: &Path) -> Arc<Self> {
        Arc::new(Self { path: path.to_owned(), waiting: Mutex::default() })
    }

    /// A team that sees the moment at which `seq` inputs have been handled; `None` where that moment has passed.
    pub(super) fn team(self: &Arc<Self>, seq: i64, wanted: usize) -> Result<Option<Team>, StoreError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut team = Team { members: Vec::new(), bench: Arc::clone(self) };
        for _ in 0..wanted.clamp(1, cores.min(MOST_MEMBERS)) {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let member = waiting.map_or_else(|| self.open(), Ok)?;
            member.execute_batch("begin")?;
            team.members.push(member);
        }
        let sql = "select value from counter where name = 'seq'";
        for member in &team.members {
            if member.query_row(sql, [], |row| row.get::<_, i64>(0))? != seq {
                return Ok(None);
            }
        }
        Ok(Some(team))
    }

    /// One connection that sees a moment, whichever that is.
    pub(super) fn alone(self: &Arc<Self>) -> Result<Team, StoreError> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let member = waiting.map_or_else(|| self.open(), Ok)?;
        member.execute_batch("begin")?;
        Ok(Team { members: vec![member], bench: Arc::clone(self) })
    }

    /// Closes the connections that wait.
    pub fn clear(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let connection = direct::open(&self.path)?;
        connection.pragma_update(None, "cache_size", -CACHE_KB)?;
        Ok(connection)
    }
}

/// At least one connection, each in a transaction.
#[derive(Debug)]
pub(super) struct Team {
    members: Vec<Connection>,
    bench: Arc<Bench>,
}

impl Team {
    /// How many can work at once.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Does the tasks `0..tasks`, each by whichever member is free; what came out, in their order.
    pub fn share<T: Send>(
        &mut self,
        tasks: usize,
        work: impl Fn(&Connection, usize) -> Result<T, StoreError> + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let next = AtomicUsize::new(0);
        let take_turns = |member: &mut Connection| {
            let mut done = Vec::new();
            loop {
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    return Ok::<_, StoreError>(done);
                }
                done.push((task, work(member, task)?));
            }
        };
        let mut members = self.members.iter_mut().take(tasks.max(1));
        let Some(first) = members.next() else { return Ok(Vec::new()) };
        let mut done = std::thread::scope(|scope| {
            let take_turns = &take_turns;
            let others: Vec<_> = members.map(|member| scope.spawn(move || take_turns(member))).collect();
            let mut done = take_turns(first)?;
            for other in others {
                done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, StoreError>(done)
        })?;
        done.sort_unstable_by_key(|(task, _)| *task);
        Ok(done.into_iter().map(|(_, out)| out).collect())
    }

    /// The first connection.
    pub fn first(&self) -> Option<&Connection> {
        self.members.first()
    }

    /// One number.
    pub fn number(&self, sql: &str, binds: &[Value]) -> Result<i64, StoreError> {
        let mut number = 0;
        if let Some(member) = self.members.first() {
            each(member, sql, binds, |row| {
                number = row.get(0)?;
                Ok(true)
            })?;
        }
        Ok(number)
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        let mut waiting = self.bench.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for member in self.members.drain(..) {
            // One that cannot even end its transaction is closed.
            if waiting.len() < MOST_MEMBERS && member.execute_batch("rollback").is_ok() {
                waiting.push(member);
            }
        }
    }
}

/// Every row of a statement, until `see` says that it has seen enough by `false`.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    binds: &[Value],
    see: impl FnMut(&Named<'_>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let binds = binds.iter().map(direct::stored).collect::<Result<Vec<_>, _>>()?;
    direct::each(connection, sql, params_from_iter(binds), see)
}

/// A value as SQLite keeps it: flags are numbers, lists are texts.
pub(super) fn value(row: &Row<'_>, column: usize) -> Result<Option<Value>, StoreError> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Integer(i) => Some(Value::Int(i)),
        ValueRef::Real(x) => Some(Value::Float(x)),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|error| StoreError::damaged("a text", error))?;
            Some(Value::Text(text.to_owned()))
        }
        ValueRef::Blob(_) => return Err(StoreError::damaged("a value", "bytes")),
    })
}
