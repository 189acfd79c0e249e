//! The one reader of the record for all streams: while anybody listens, it reads what has happened, writes it down
//! once, and hands it around.

use super::super::metrics::{Metrics, clock};
use super::line::Line;
use crate::domain::SweepId;
use crate::store::query::{News, Place, What};
use crate::store::{Reader, StoreError};
use axum::body::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// The shortest time between two looks at the record: what happens within it goes out together.
const PAUSE: Duration = Duration::from_millis(100);
/// Every stream is a write more for each look: the more there are, the longer it waits for the next.
const PAUSE_PER_STREAM: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// The shortest time between two hints about one thing.
const HINT_PAUSE: Duration = Duration::from_secs(1);
/// After the record could not be read.
const REST: Duration = Duration::from_secs(1);
/// How much is read at once, at most.
pub(super) const PAGE: usize = 500;
/// How many batches are kept for readers that are a little late; later ones read for themselves.
const KEPT: usize = 64;
/// How many readers read for themselves at once: what is asked otherwise goes first.
const CATCHING_UP: usize = 2;

/// What streams need; clones are of the same one.
#[derive(Clone)]
pub struct Live {
    pub(super) reader: Reader,
    metrics: Arc<Metrics>,
    /// See [`cursor`](super::cursor).
    pub(super) era: Arc<str>,
    batches: broadcast::Sender<Arc<Batch>>,
    touched: mpsc::Sender<(SweepId, String)>,
    pub(super) catching_up: Arc<Semaphore>,
    /// Turns true when streams are to end.
    pub(super) closing: watch::Receiver<bool>,
}

/// What happened between two places.
#[derive(Debug)]
pub(super) struct Batch {
    pub from: Place,
    pub until: Place,
    pub lines: Vec<Line>,
    /// Hints: they have no place, and are for all who get the batch.
    pub hints: Vec<Line>,
    /// All of it, for those who want all of it.
    pub whole: Bytes,
}

/// What the feed is woken by.
pub struct Feed {
    live: Live,
    /// Changes with every commit.
    commits: watch::Receiver<u64>,
    /// Changes when a worker process comes or goes.
    workers: watch::Receiver<u64>,
    touched: mpsc::Receiver<(SweepId, String)>,
    place: Option<Place>,
    hints: Hints,
}

impl Live {
    /// The streams' side and the feed's. `era` changes when numbers may be given again.
    #[must_use]
    pub fn new(
        reader: Reader,
        metrics: Arc<Metrics>,
        era: &str,
        commits: watch::Receiver<u64>,
        workers: watch::Receiver<u64>,
        closing: watch::Receiver<bool>,
    ) -> (Self, Feed) {
        let (batches, _) = broadcast::channel(KEPT);
        let (touched_sender, touched) = mpsc::channel(1024);
        let live = Self {
            reader,
            metrics,
            era: era.into(),
            batches,
            touched: touched_sender,
            catching_up: Arc::new(Semaphore::new(CATCHING_UP)),
            closing,
        };
        let hints = Hints::default();
        (live.clone(), Feed { live, commits, workers, touched, place: None, hints })
    }

    /// Something of a sweep's summary moved that is not in the record: it was removed, or a note was written.
    pub fn touch(&self, sweep: SweepId, uid: &str) {
        // Where there are too many, whoever looks at one of them learns it later.
        let _ = self.touched.try_send((sweep, uid.to_owned()));
    }

    /// How many streams are open.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.batches.receiver_count()
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Batch>> {
        self.batches.subscribe()
    }
}

impl Feed {
    /// Runs until whoever announces commits is gone.
    pub async fn run(mut self) {
        loop {
            let due = self.hints.due();
            tokio::select! {
                changed = self.commits.changed() => if changed.is_err() { return },
                changed = self.workers.changed() => match changed {
                    Ok(()) => self.hints.workers = true,
                    Err(_) => return,
                },
                touched = self.touched.recv() => match touched {
                    Some((sweep, uid)) => self.hints.touch(sweep, &uid),
                    None => return,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            if self.live.streams() == 0 {
                // Whoever comes begins where the record ends then.
                self.place = None;
                self.hints = Hints::default();
            } else if let Err(error) = self.look().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "events cannot be read");
                sleep(REST).await;
                // Not forgotten: whatever happens next, or after the rest, they are looked at again.
                self.commits.mark_changed();
            }
            let streams = u32::try_from(self.live.streams()).unwrap_or(u32::MAX);
            sleep(PAUSE_PER_STREAM.saturating_mul(streams).saturating_add(PAUSE).min(LONGEST_PAUSE)).await;
        }
    }

    /// Hands around what is new.
    async fn look(&mut self) -> Result<(), StoreError> {
        let mut from = match self.place {
            Some(place) => place,
            // Streams that were opened before know a place before it, and see that they missed something.
            None => self.live.reader.news_end().await?,
        };
        loop {
            let began = clock();
            let page = self.live.reader.news_after(from, PAGE).await?;
            self.live.metrics.asked("events", began.elapsed());
            self.hints.note(&page.news);
            let lines: Vec<Line> = page.news.iter().map(|news| Line::of(news, &self.live.era)).collect();
            let hints = self.hints.take();
            let texts: Vec<&[u8]> = lines.iter().chain(&hints).map(|line| line.text.as_ref()).collect();
            let whole = texts.concat().into();
            let batch = Batch { from, until: page.until, lines, hints, whole };
            // Whoever listened may have gone.
            let _ = self.live.batches.send(Arc::new(batch));
            from = page.until;
            self.place = Some(from);
            if !page.more {
                return Ok(());
            }
        }
    }
}

/// What is to be hinted at, and when that was done last.
#[derive(Default)]
struct Hints {
    sweeps: BTreeMap<SweepId, String>,
    workers: bool,
    told: BTreeMap<SweepId, Instant>,
    workers_told: Option<Instant>,
}

#[allow(clippy::disallowed_methods, reason = "hints are spread over time")]
fn now() -> Instant {
    Instant::now()
}

impl Hints {
    fn note(&mut self, news: &[News]) {
        for news in news {
            self.touch(news.sweep_id, &news.sweep);
            self.workers |= matches!(news.what, What::Event { attempt: true, .. } | What::Report { .. });
        }
    }

    fn touch(&mut self, sweep: SweepId, uid: &str) {
        self.sweeps.entry(sweep).or_insert_with(|| uid.to_owned());
    }

    /// When the next hint may be given; `None` where there is none to give.
    fn due(&self) -> Option<Instant> {
        let sweeps = self.sweeps.keys().map(|sweep| self.told.get(sweep).copied());
        let workers = self.workers.then_some(self.workers_told);
        let told = sweeps.chain(workers).min()?;
        Some(told.map_or_else(now, |told| told + HINT_PAUSE))
    }

    /// What may be hinted at now.
    fn take(&mut self) -> Vec<Line> {
        let at = now();
        let is_due = |told: Option<&Instant>| told.is_none_or(|told| *told + HINT_PAUSE <= at);
        self.told.retain(|_, told| !is_due(Some(told)));
        let mut lines = Vec::new();
        let told = &mut self.told;
        self.sweeps.retain(|sweep, uid| {
            let due = !told.contains_key(sweep);
            if due {
                told.insert(*sweep, at);
                lines.push(Line::sweep(*sweep, uid));
            }
            !due
        });
        if self.workers && is_due(self.workers_told.as_ref()) {
            self.workers = false;
            self.workers_told = Some(at);
            lines.push(Line::workers());
        }
        lines
    }
}
