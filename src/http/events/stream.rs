//! One reader's stream: its place in the record, and how it gets from there to the present.

use super::cursor;
use super::feed::{Batch, Live, PAGE};
use super::line::{self, Line};
use crate::domain::{SweepId, TrialId};
use crate::store::StoreError;
use crate::store::query::Place;
use axum::body::Bytes;
use futures_util::stream;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::sleep;

/// How long a stream says nothing, at most.
const STILL: Duration = Duration::from_secs(15);
/// A reader that is further behind reads everything again, which costs less: in events, and in inputs.
const FAR: i64 = 20_000;
const FAR_INPUTS: i64 = 200_000;

/// What of the events a reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Filter {
    pub sweep: Option<SweepId>,
    pub trial: Option<TrialId>,
}

/// A reader.
pub(super) struct Stream {
    live: Live,
    filter: Filter,
    batches: broadcast::Receiver<Arc<Batch>>,
    closing: watch::Receiver<bool>,
    place: Place,
    /// Something happened after its place that is not on its way to it.
    behind: bool,
    greeting: Option<String>,
}

impl Stream {
    /// A reader at the place that it was at last, or at the end of the record.
    pub async fn open(live: &Live, filter: Filter, last: Option<&str>) -> Result<Self, StoreError> {
        // Before the end is looked up: what is committed from here on either comes around or is found out.
        let batches = live.subscribe();
        let end = live.reader.news_end().await?;
        let held = last.map(|last| cursor::place(&live.era, last));
        let within = |place: &Place| {
            let (inputs, events) = (end.seq - place.seq, end.event - place.event);
            (0..=FAR_INPUTS).contains(&inputs) && (0..=FAR).contains(&events)
        };
        let (place, greeting) = match held {
            None => (end, format!("retry: 2000\n{}", line::still_here(&live.era, end))),
            Some(held) => match held.filter(within) {
                Some(place) => (place, "retry: 2000\n\n".to_owned()),
                None => (end, format!("retry: 2000\n{}", line::reset(&live.era, end))),
            },
        };
        Ok(Self {
            filter,
            batches,
            closing: live.closing.clone(),
            behind: place != end,
            place,
            greeting: Some(greeting),
            live: live.clone(),
        })
    }

    /// What is sent, piece by piece, each when there is room for it.
    pub fn chunks(self) -> impl futures_util::Stream<Item = Result<Bytes, StoreError>> {
        stream::unfold(self, async |mut stream| {
            let chunk = stream.next().await.transpose()?;
            Some((chunk, stream))
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if let Some(greeting) = self.greeting.take() {
            return Ok(Some(greeting.into()));
        }
        loop {
            if *self.closing.borrow() {
                return Ok(None);
            }
            let chunk = if self.behind { self.catch_up().await? } else { self.listen().await? };
            match chunk {
                Some(chunk) if chunk.is_empty() => {}
                other => return Ok(other),
            }
        }
    }

    /// Waits for what the feed hands around. `None` when the stream ends.
    async fn listen(&mut self) -> Result<Option<Bytes>, StoreError> {
        let received = tokio::select! {
            received = self.batches.recv() => received,
            _ = self.closing.wait_for(|closing| *closing) => return Ok(None),
            // A reader of one quiet sweep keeps up with the record all the same.
            () = sleep(STILL) => return Ok(Some(line::still_here(&self.live.era, self.place).into())),
        };
        match received {
            Ok(batch) => Ok(Some(self.take(&batch))),
            Err(RecvError::Lagged(_)) => {
                self.behind = true;
                Ok(Some(Bytes::new()))
            }
            Err(RecvError::Closed) => Ok(None),
        }
    }

    /// What of a batch comes after the place.
    fn take(&mut self, batch: &Batch) -> Bytes {
        if batch.from > self.place {
            self.behind = true;
            return Bytes::new();
        }
        let place = self.place;
        if self.filter == Filter::default() && batch.from == place {
            self.place = batch.until;
            return batch.whole.clone();
        }
        let new = batch.lines.iter().filter(|line| line.place.is_some_and(|at| at > place));
        let text = self.written(new.chain(&batch.hints));
        self.place = place.max(batch.until);
        text
    }

    /// Reads what was missed, a page at a time, with hints at everything that it is about.
    async fn catch_up(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Ok(_turn) = self.live.catching_up.acquire().await else { return Ok(None) };
        let page = self.live.reader.news_after(self.place, PAGE).await?;
        let sweeps: BTreeMap<SweepId, &str> =
            page.news.iter().map(|news| (news.sweep_id, news.sweep.as_str())).collect();
        let hints = sweeps.into_iter().map(|(id, uid)| Line::sweep(id, uid)).chain([Line::workers()]);
        let lines = page.news.iter().map(|news| Line::of(news, &self.live.era)).chain(hints);
        let lines: Vec<Line> = lines.collect();
        let text = self.written(lines.iter());
        self.place = page.until;
        self.behind = page.more;
        Ok(Some(text))
    }

    fn written<'a>(&self, lines: impl Iterator<Item = &'a Line>) -> Bytes {
        let Filter { sweep, trial } = self.filter;
        let wanted = lines.filter(|line| {
            let of_sweep = sweep.is_none() || line.sweep.is_none() || line.sweep == sweep;
            of_sweep && (trial.is_none() || line.trial == trial)
        });
        let texts: Vec<&[u8]> = wanted.map(|line| line.text.as_ref()).collect();
        texts.concat().into()
    }
}
