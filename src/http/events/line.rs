//! One event as it goes over the wire.

use super::cursor;
use crate::domain::{EventKind, Metrics, Millis, Reason, SweepId, TrialId};
use crate::store::query::{News, Place, What};
use axum::body::Bytes;
use serde::Serialize;

/// An event, written once for all readers.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The place after it; hints have none.
    pub place: Option<Place>,
    /// The sweep it is about; `None`: of interest to readers of any.
    pub sweep: Option<SweepId>,
    /// The trial it is about.
    pub trial: Option<TrialId>,
    pub text: Bytes,
}

#[derive(Serialize)]
struct Change<'a> {
    sweep: &'a str,
    trial_id: Option<TrialId>,
    number: Option<u64>,
    kind: EventKind,
    reason: &'a Option<Reason>,
    at_ms: Millis,
}

#[derive(Serialize)]
struct Report<'a> {
    sweep: &'a str,
    trial_id: Option<TrialId>,
    number: Option<u64>,
    step: u64,
    fold: u32,
    at_ms: Millis,
    metrics: &'a Metrics,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Sweep<'a> {
    sweep: &'a str,
}

impl Line {
    pub fn of(news: &News, era: &str) -> Self {
        let News { place, sweep, trial: trial_id, number, at: at_ms, .. } = news;
        let (trial_id, number, at_ms) = (*trial_id, *number, *at_ms);
        let (name, data) = match &news.what {
            What::Event { kind, reason, .. } => {
                ("change", json(&Change { sweep, trial_id, number, kind: *kind, reason, at_ms }))
            }
            What::Report { fold, step, metrics } => (
                "report",
                json(&Report { sweep, trial_id, number, step: *step, fold: *fold, at_ms, metrics }),
            ),
        };
        let id = cursor::text(era, *place);
        let text = format!("id: {id}\nevent: {name}\ndata: {data}\n\n").into();
        Self { place: Some(*place), sweep: Some(news.sweep_id), trial: trial_id, text }
    }

    /// A sweep's summary moved.
    pub fn sweep(id: SweepId, uid: &str) -> Self {
        let text = format!("event: sweep\ndata: {}\n\n", json(&Sweep { sweep: uid })).into();
        Self { place: None, sweep: Some(id), trial: None, text }
    }

    /// The list of workers moved.
    pub fn workers() -> Self {
        let text = Bytes::from_static(b"event: workers\ndata: {}\n\n");
        Self { place: None, sweep: None, trial: None, text }
    }
}

/// Everything is to be read again; the place from which it then goes on.
pub(super) fn reset(era: &str, place: Place) -> String {
    format!("id: {}\nevent: reset\ndata: {}\n\n", cursor::text(era, place), json(&Nothing {}))
}

/// Nothing happened: keeps the connection open, and tells the place.
pub(super) fn still_here(era: &str, place: Place) -> String {
    format!(": nothing new\nid: {}\n\n", cursor::text(era, place))
}

fn json(value: &impl Serialize) -> String {
    // These shapes have text for keys and nothing that can fail.
    serde_json::to_string(value).unwrap_or_default()
}
