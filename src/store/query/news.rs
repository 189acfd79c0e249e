//! What has happened since a place in the record: events and reports, in the order of the inputs that led to them.
//!
//! A place stays good for ever: numbers of inputs and ids of events only grow. What was reported and does not count any
//! more, or belongs to a removed sweep, is not told again.

use crate::domain::{EventKind, Metrics, Millis, Reason, SweepId, TrialId};
use crate::store::fields::Fields as _;
use crate::store::rows::{event_kind, join_metrics, optional_json};
use crate::store::{Reader, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// Up to where the record is known: every report up to an input, and every event up to an id. Of two places of one
/// record, the later one is greater in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The input's number.
    pub seq: i64,
    /// The event's id.
    pub event: i64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The place right after it.
    pub place: Place,
    /// The sweep's public id.
    pub sweep: String,
    /// The sweep's id inside the database.
    pub sweep_id: SweepId,
    /// The trial, if one.
    pub trial: Option<TrialId>,
    /// The trial's number within the sweep.
    pub number: Option<u64>,
    /// When.
    pub at: Millis,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A row of the record.
    Event {
        /// Its kind.
        kind: EventKind,
        /// Why.
        reason: Option<Reason>,
        /// An attempt had part in it.
        attempt: bool,
    },
    /// A step's metrics.
    Report {
        /// The fold.
        fold: u32,
        /// The step, from 1.
        step: u64,
        /// The numbers.
        metrics: Metrics,
    },
}

/// Some of what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In order.
    pub news: Vec<News>,
    /// Up to where the record is known with it.
    pub until: Place,
    /// There is more than this page holds.
    pub more: bool,
}

impl Reader {
    /// The end of the record.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn news_end(&self) -> Result<Place, StoreError> {
        let mut connection = self.pool.acquire().await?;
        end(&mut connection).await
    }

    /// What happened after a place: the first `most` of it. The place must be of this record, and should not lie far
    /// back: every trial that had to do with anything since is looked at.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn news_after(&self, place: Place, most: usize) -> Result<Page, StoreError> {
        // One transaction sees one moment: all of the inputs up to some number, and nothing of later ones.
        let mut moment = self.pool.begin().await?;
        let end = end(&mut moment).await?;
        if end == place {
            return Ok(Page { news: Vec::new(), until: end, more: false });
        }
        let mut news = events(&mut moment, place, most).await?;
        let mut complete = news.len() <= most;
        let reports = reports(&mut moment, place, most).await?;
        complete &= reports.len() <= most;
        // Beyond the last of either that was read, there may be some that were not.
        let bound = [&news, &reports].map(|read| read.get(most).map(|first_left_out| first_left_out.place));
        let bound = bound.into_iter().flatten().min();
        news.extend(reports);
        // An input's report comes before its events.
        news.sort_by_key(|news| news.place);
        news.retain(|news| bound.is_none_or(|bound| news.place < bound));
        complete &= news.len() <= most;
        news.truncate(most);
        let mut last = place;
        for one in &mut news {
            last = Place { seq: one.place.seq, event: last.event.max(one.place.event) };
            one.place = last;
        }
        Ok(Page { news, until: if complete { end } else { last }, more: !complete })
    }
}

async fn end(connection: &mut SqliteConnection) -> Result<Place, StoreError> {
    let sql = "select (select value from counter where name = 'seq') as seq, max( \
               (select coalesce(max(event_id), 0) from event), (select value from counter where name = 'event')) as event";
    let row = sqlx::query(sql).fetch_one(connection).await?;
    Ok(Place { seq: row.try_get("seq")?, event: row.try_get("event")? })
}

/// The events after a place, at most one more than `most`; each with its own number of input and id as its place.
async fn events(moment: &mut SqliteConnection, place: Place, most: usize) -> Result<Vec<News>, StoreError> {
    let sql = "select event.event_id, event.seq, event.at_ms, event.attempt_id, event.kind, event.reason, \
               event.sweep_id, event.trial_id, sweep.uid, trial.number from event join sweep using (sweep_id) \
               left join trial on trial.trial_id = event.trial_id where event_id > ? order by event_id limit ?";
    let rows = sqlx::query(sql).bind(place.event).bind(one_more(most)).fetch_all(moment).await?;
    rows.iter()
        .map(|row| {
            let reason = optional_json("event.reason", row.maybe_text("event.reason")?)?;
            let kind = event_kind(row.text("event.kind")?.to_owned())?;
            let attempt = row.maybe_int("event.attempt_id")?.is_some();
            news(row, row.int("event.event_id")?, What::Event { kind, reason, attempt })
        })
        .collect()
}

/// The reports after a place, at most one more than `most`; each with its own number of input as its place.
///
/// There is no index of reports by input: it would cost every report something, and every database a tenth of its size.
/// But a trial that has reported since either still has an open attempt or has had an event; and of those, the last
/// step tells.
async fn reports(moment: &mut SqliteConnection, place: Place, most: usize) -> Result<Vec<News>, StoreError> {
    let sql = "with seen as materialized ( \
                   select trial_id from attempt indexed by attempt_open where state = 'open' \
                   union select trial_id from event where event_id > ?1 and trial_id is not null), \
               reported as materialized (select trial_id from seen where (select seq from report where \
                   report.trial_id = seen.trial_id order by fold desc, step desc limit 1) > ?2) \
               select report.*, sweep.uid, trial.sweep_id, trial.number from reported cross join report using (trial_id) \
               cross join trial using (trial_id) cross join sweep using (sweep_id) where report.seq > ?2 \
               order by report.seq limit ?3";
    let query = sqlx::query(sql).bind(place.event).bind(place.seq).bind(one_more(most));
    let rows = query.fetch_all(moment).await?;
    rows.iter()
        .map(|row| {
            let (fold, step) = (row.small("report.fold")?, row.count("report.step")?);
            news(row, 0, What::Report { fold, step, metrics: join_metrics(row)? })
        })
        .collect()
}

fn one_more(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1)
}

fn news(row: &SqliteRow, event: i64, what: What) -> Result<News, StoreError> {
    Ok(News {
        place: Place { seq: row.int("seq")?, event },
        sweep: row.text("sweep.uid")?.to_owned(),
        sweep_id: SweepId(row.int("sweep_id")?),
        trial: row.maybe_int("trial_id")?.map(TrialId),
        number: row.maybe_count("trial.number")?,
        at: Millis(row.int("at_ms")?),
        what,
    })
}

#[cfg(test)]
#[path = "news_test.rs"]
mod news_test;
