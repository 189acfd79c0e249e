//! Deriving a sweep's stored decisions again, with the deciding code itself and with what each of them saw.
//!
//! What users did (enqueued, tried again, cancelled) and what became of legs is taken from the record. What
//! follows from it is derived: which trial each leg is of, up to which step, with which configuration and for
//! which reason, which running trials were told to end (`rejudge.rs`), and in the end why paused trials went no
//! further.

use super::decided::Decided;
use super::folds::{Doom, FoldEnd};
use super::method::{Method, Next};
use super::refold::Courses;
use super::reuse::Known;
use crate::domain::decisions::{StoredDecisions, StoredEvent, StoredReport, StoredTrial};
use crate::domain::recovery::Past;
use crate::domain::sweep::Sweep;
use crate::domain::{EventKind, LegOutcome, LegRecord, Params, Reason};
use crate::stopper::Ended;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The first decision that is not what is derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The leg that was decided; `None` where no leg is concerned.
    pub leg: Option<u64>,
    /// What is stored.
    pub stored: String,
    /// What is derived.
    pub derived: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(leg) = self.leg {
            write!(f, "leg {leg}: ")?;
        }
        write!(f, "stored is: {}; derived is: {}", self.stored, self.derived)
    }
}

/// Derives every decision again; how many there were.
///
/// # Errors
/// The first [`Difference`].
pub fn replay(stored: &StoredDecisions) -> Result<u64, Box<Difference>> {
    let mut replay = Replay::new(stored)?;
    let events = stored.events.iter().map(|event| event.seq);
    let legs =
        stored.legs.iter().flat_map(|leg| [Some(leg.decided_seq), leg.end.as_ref().map(|end| end.seq)]);
    let reports = stored.reports.iter().map(|report| report.seq);
    let moments: BTreeSet<i64> = events.chain(legs.flatten()).chain(reports).collect();
    for seq in moments {
        replay.moment(seq)?;
    }
    replay.all_used()?;
    Ok(replay.decisions)
}

/// Where the derivation stands.
pub(super) struct Replay<'a> {
    /// The sweep as it was then.
    pub(super) spec: Sweep,
    pub(super) method: Method,
    /// How many of its past terms are past.
    pub(super) edits: usize,
    pub(super) stored: &'a StoredDecisions,
    /// The record and the legs by the inputs that led to them.
    events: BTreeMap<i64, Vec<&'a StoredEvent>>,
    decided: BTreeMap<i64, Vec<&'a LegRecord>>,
    ended: BTreeMap<i64, Vec<&'a LegRecord>>,
    /// Values that were reported, by the input they came with, and those so far by trial and step.
    pub(super) reports: BTreeMap<i64, &'a StoredReport>,
    pub(super) curves: BTreeMap<u64, Vec<(u64, f64)>>,
    /// The same values' steps by the further objectives.
    pub(super) further: BTreeMap<u64, BTreeMap<u64, &'a [Option<f64>]>>,
    /// Each trial's latest leg, and who has been told to end in it.
    pub(super) leg_of: BTreeMap<u64, u64>,
    pub(super) stopping: BTreeSet<u64>,
    /// Trials so far: the next one's number.
    pub(super) created: u64,
    /// Legs so far: the next one's number.
    pub(super) legs: u64,
    open_legs: BTreeSet<u64>,
    /// Trials (their folds) that wait without a leg, and those that are paused.
    waiting: BTreeSet<(u64, u32)>,
    /// Where the folds of trials stand, if there are any.
    courses: Option<Courses>,
    paused: BTreeSet<u64>,
    /// Where each trial's latest leg was to end.
    until: BTreeMap<u64, Option<u64>>,
    /// The sweep had ended, and is open for what is retried alone.
    retry_alone: bool,
    pub(super) decisions: u64,
}

/// What the record of one input says of the legs that it decided.
#[derive(Default)]
struct Said<'a> {
    suggested: BTreeSet<u64>,
    continued: BTreeMap<u64, Option<&'a Reason>>,
    /// Whose results new trials got.
    copied: BTreeMap<u64, u64>,
    /// Trials of which the rest was given up.
    given_up: BTreeMap<u64, Option<&'a Reason>>,
    idle: usize,
    /// Trials that ended, or were told to.
    over: Vec<u64>,
    /// Ends of trials that were not being worked on: by themselves, and because heirs took their places.
    endings: Vec<&'a StoredEvent>,
    replaced: BTreeMap<u64, &'a Reason>,
    sweep_ended: bool,
}

impl<'a> Replay<'a> {
    fn new(stored: &'a StoredDecisions) -> Result<Self, Box<Difference>> {
        let spec = match stored.terms.first() {
            Some(first) => stored.spec.with_terms(first.terms.clone()),
            None => stored.spec.clone(),
        };
        let past = Past { sources: stored.sources.clone(), ..Past::default() };
        let method = Method::new(&spec, &past).map_err(|why| difference(None, "a search".into(), why))?;
        let mut events: BTreeMap<i64, Vec<&StoredEvent>> = BTreeMap::new();
        for event in &stored.events {
            events.entry(event.seq).or_default().push(event);
        }
        let (mut decided, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for leg in &stored.legs {
            decided.entry(leg.decided_seq).or_insert_with(Vec::new).push(leg);
            if let Some(end) = &leg.end {
                ended.entry(end.seq).or_insert_with(Vec::new).push(leg);
            }
        }
        Ok(Self {
            spec,
            method,
            edits: 0,
            stored,
            events,
            decided,
            ended,
            reports: stored.reports.iter().map(|report| (report.seq, report)).collect(),
            curves: BTreeMap::new(),
            further: BTreeMap::new(),
            leg_of: BTreeMap::new(),
            stopping: BTreeSet::new(),
            created: 0,
            legs: 0,
            open_legs: BTreeSet::new(),
            waiting: BTreeSet::new(),
            courses: stored.spec.objective.folds.map(Courses::new),
            paused: BTreeSet::new(),
            until: BTreeMap::new(),
            retry_alone: false,
            decisions: 0,
        })
    }

    /// One input: what it ended and what users did come first, then what was decided, then what followed.
    fn moment(&mut self, seq: i64) -> Result<(), Box<Difference>> {
        if self.stored.terms.get(self.edits).is_some_and(|past| past.seq == seq) {
            self.edit(seq)?;
        }
        let ended = self.ended.remove(&seq).unwrap_or_default();
        // What nobody worked on ends with its decision; legs of a trial that is given up end after that.
        let (after, before): (Vec<_>, Vec<_>) =
            ended.into_iter().filter(|leg| leg.decided_seq != seq).partition(|leg| self.is_dropped(leg));
        for leg in before {
            self.end(leg);
        }
        let events = self.events.remove(&seq).unwrap_or_default();
        self.judge(seq, &events)?;
        let mut said = Said::default();
        for event in &events {
            self.note(event, &mut said);
        }
        for leg in self.decided.remove(&seq).unwrap_or_default() {
            self.decide(leg, &mut said)?;
        }
        for leg in after {
            self.end(leg);
        }
        self.nothing_left(&said)?;
        self.handed_out(&events)?;
        self.finish(&said)
    }

    fn is_dropped(&self, leg: &LegRecord) -> bool {
        let outcome = leg.end.as_ref().map(|end| end.outcome);
        self.courses.is_some() && outcome == Some(LegOutcome::Cancelled)
    }

    fn end(&mut self, leg: &LegRecord) {
        let (Some(trial), Some(end)) = (leg.trial, &leg.end) else { return };
        self.open_legs.remove(&leg.number);
        let (until_step, outcome, value, further) =
            (leg.until_step, end.outcome, end.value, end.further.clone());
        let end = Ended { trial, until_step, outcome, value, further };
        let whole = end_is_whole(leg);
        if let Some(courses) = self.courses.as_mut().filter(|_| !whole) {
            courses.ended(trial, leg.fold, leg.number, outcome);
        }
        let out_of_memory = leg.end.as_ref().is_some_and(|end| end.out_of_memory);
        self.method.ended(leg.number, FoldEnd { fold: leg.fold, whole, out_of_memory, end });
        if outcome == LegOutcome::Completed && self.method.needs_curves() {
            self.method.completed(leg.number, self.curves.get(&trial).map_or(&[], Vec::as_slice));
        }
    }

    fn note(&mut self, event: &'a StoredEvent, said: &mut Said<'a>) {
        let Some(trial) = event.trial else {
            said.idle += usize::from(event.kind == EventKind::NothingToDo);
            said.sweep_ended |= event.kind == EventKind::SweepCompleted
                || event.kind == EventKind::SweepCancelled && self.retry_alone;
            self.retry_alone |= event.reason == Some(Reason::RetryAlone);
            return;
        };
        let idle = self.paused.contains(&trial) || self.waits(trial);
        match event.kind {
            EventKind::TrialSuggested if matches!(event.reason, Some(Reason::Enqueued { .. })) => {
                self.add();
            }
            EventKind::TrialSuggested => {
                said.suggested.insert(trial);
            }
            EventKind::TrialCopied => {
                if let Some(Reason::Copied { from }) = event.reason {
                    said.copied.insert(trial, from);
                }
            }
            EventKind::TrialContinued => {
                said.continued.insert(trial, event.reason.as_ref());
            }
            EventKind::TrialRetried => match &mut self.courses {
                Some(courses) => {
                    let folds = courses.again(trial);
                    self.waiting.extend(folds.into_iter().map(|fold| (trial, fold)));
                }
                None => {
                    self.waiting.insert((trial, 0));
                }
            },
            EventKind::FoldsGivenUp => {
                said.given_up.insert(trial, event.reason.as_ref());
            }
            EventKind::TrialStopping => {
                self.stopping.insert(trial);
                said.over.push(trial);
            }
            EventKind::TrialPaused => {
                self.paused.insert(trial);
            }
            EventKind::TrialStopped if idle && matches!(event.reason, Some(Reason::Replaced { .. })) => {
                said.replaced.extend(event.reason.as_ref().map(|reason| (trial, reason)));
            }
            EventKind::TrialStopped | EventKind::TrialCancelled if self.courses.is_none() && idle => {
                said.endings.push(event);
            }
            EventKind::TrialStopped
            | EventKind::TrialCancelled
            | EventKind::TrialCompleted
            | EventKind::TrialFailed => said.over.push(trial),
            _ => {}
        }
    }

    /// One leg's decision.
    fn decide(&mut self, leg: &LegRecord, said: &mut Said<'_>) -> Result<(), Box<Difference>> {
        let number = self.legs;
        if leg.number != number {
            let stored = format!("no leg {number}, but a leg {}", leg.number);
            return Err(difference(Some(number), stored, "every number is decided once".into()));
        }
        let first_open = self.open_legs.first().copied();
        if !self.method.may_decide(number, first_open) {
            let stored = "decided while a leg that it had to see was open".into();
            return Err(difference(Some(number), stored, "decided afterwards".into()));
        }
        self.method.show_for(number);
        let doomed = self.courses.as_ref().and_then(|courses| courses.doomed(&self.method, number));
        let derived = if doomed.is_none() { self.next() } else { Next::Nothing };
        let reason = leg.trial.and_then(|trial| said.continued.remove(&trial).flatten());
        let copied = leg.trial.and_then(|trial| said.copied.remove(&trial));
        let descent = leg.trial.filter(|trial| said.suggested.contains(trial));
        let descent = descent.and_then(|trial| self.row(trial)).and_then(|row| row.suggested.descent());
        let ends = descent.and_then(|descent| said.replaced.remove(&descent.replaces));
        let given_up = leg.trial.and_then(|trial| said.given_up.remove(&trial));
        let stored = match (given_up, leg.trial) {
            (Some(reason), Some(trial)) => {
                self.given_up(trial, reason, leg.end.as_ref().and_then(|end| end.value))
            }
            _ => self.stored_leg(leg, reason, copied, ends),
        };
        let derived = match &doomed {
            Some((trial, doom)) => {
                let (value, _) = self.method.mean_of(*trial);
                match doom {
                    Doom::Hopeless(reason) => self.given_up(*trial, Some(reason), value),
                    Doom::Fold(_) => self.given_up(*trial, None, value),
                }
            }
            None => self.derived_leg(derived),
        };
        if stored != derived {
            return Err(difference(Some(number), stored.to_string(), derived.to_string()));
        }
        self.decisions += 1;
        self.legs += 1;
        match leg.trial {
            None => said.idle = said.idle.saturating_sub(1),
            Some(trial) => {
                if said.suggested.remove(&trial) {
                    self.add();
                }
                if let Some(descent) = descent {
                    self.method.inherited(trial, descent);
                    self.paused.remove(&descent.replaces);
                }
                if doomed.is_some() {
                    self.method.decided(trial, None, false);
                    self.method.gave_up(trial);
                    self.end(leg);
                    self.is_over(trial);
                    return Ok(());
                }
                self.waiting.remove(&(trial, leg.fold));
                if let Some(courses) = &mut self.courses {
                    courses.decided(trial, leg.fold);
                }
                self.paused.remove(&trial);
                self.until.insert(trial, leg.until_step);
                self.leg_of.insert(trial, number);
                self.stopping.remove(&trial);
                self.open_legs.insert(number);
                self.method.decided(trial, leg.until_step, leg.is_copy());
                if leg.is_copy() {
                    self.end(leg);
                    self.is_over(trial);
                }
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Next<(u64, u32)> {
        let may_go_on = |trial| self.paused.contains(&trial);
        let more = self.spec.search.trials.is_none_or(|limit| self.created < limit) && !self.retry_alone;
        self.method.next(self.waiting.first().copied(), &may_go_on, more.then_some(self.created))
    }

    /// A trial was added: the next by number.
    fn add(&mut self) {
        if let Some(row) = usize::try_from(self.created).ok().and_then(|at| self.stored.trials.get(at)) {
            self.method.suggested(&row.params);
        }
        if let Some(courses) = &mut self.courses {
            courses.add(self.created);
        }
        let trial = self.created;
        self.waiting.extend((0..self.spec.objective.runs()).map(|fold| (trial, fold)));
        self.created += 1;
    }

    fn row(&self, trial: u64) -> Option<&'a StoredTrial> {
        let row = usize::try_from(trial).ok().and_then(|at| self.stored.trials.get(at));
        row.filter(|row| row.number == trial)
    }

    fn stored_leg(
        &self,
        leg: &LegRecord,
        reason: Option<&Reason>,
        copied: Option<u64>,
        ends: Option<&Reason>,
    ) -> Decided {
        let Some(trial) = leg.trial else { return Decided::Nothing };
        let until = leg.until_step;
        if self.waiting.contains(&(trial, leg.fold)) {
            Decided::Waiting { trial, fold: leg.fold, until }
        } else if let Some(reason) = reason {
            Decided::Promoted { trial, until, reason: reason.clone() }
        } else {
            let (params, reason) = self
                .row(trial)
                .map_or((String::new(), None), |row| (text_of(&row.params), Some(row.suggested.clone())));
            match (copied, &leg.end) {
                (Some(from), Some(end)) => {
                    let known = Known { trial: from, value: end.value, further: end.further.clone() };
                    Decided::Copied { trial, until, params, reason, known }
                }
                _ => Decided::New { trial, until, params, reason, ends: ends.cloned() },
            }
        }
    }

    /// That a trial was given up. How a fold failed is no decision.
    fn given_up(&self, trial: u64, reason: Option<&Reason>, value: Option<f64>) -> Decided {
        let reason = reason.filter(|reason| matches!(reason, Reason::Outraced { .. })).cloned();
        Decided::GivenUp { trial, value, reason }
    }

    /// A trial with folds has ended, or is to.
    fn is_over(&mut self, trial: u64) {
        if let Some(courses) = &mut self.courses {
            courses.over(trial);
            self.waiting.retain(|(waiting, _)| *waiting != trial);
        }
    }

    /// Whether a leg of a trial is yet to be decided.
    fn waits(&self, trial: u64) -> bool {
        self.waiting.range((trial, 0)..=(trial, u32::MAX)).next().is_some()
    }

    fn derived_leg(&self, next: Next<(u64, u32)>) -> Decided {
        match next {
            Next::Waiting((trial, fold)) => {
                let until = self.until.get(&trial).copied().unwrap_or_else(|| self.method.first_rung(trial));
                Decided::Waiting { trial, fold, until }
            }
            Next::Promotion(promotion) => Decided::Promoted {
                trial: promotion.trial,
                until: Some(promotion.until_step),
                reason: promotion.reason,
            },
            Next::New(params, reason) => Decided::New {
                trial: self.created,
                until: self.method.first_rung(self.created),
                params: text_of(&params),
                reason: Some(reason),
                ends: None,
            },
            Next::Heir(heir) => Decided::New {
                trial: self.created,
                until: self.method.leg_after(heir.descent.step),
                params: text_of(&heir.params),
                reason: Some(heir.reason),
                ends: heir.ends,
            },
            Next::Copy(params, reason, known) => Decided::Copied {
                trial: self.created,
                until: None,
                params: text_of(&params),
                reason: Some(reason),
                known,
            },
            Next::Nothing => Decided::Nothing,
        }
    }

    /// The record speaks of no leg that is not stored.
    fn nothing_left(&self, said: &Said<'_>) -> Result<(), Box<Difference>> {
        if let Some((trial, _)) = said.given_up.first_key_value() {
            return Err(self.missing(&format!("the rest of trial {trial} was given up")));
        }
        if let Some((trial, _)) = said.copied.first_key_value() {
            return Err(self.missing(&format!("trial {trial} got a known result")));
        }
        if let Some((trial, _)) = said.replaced.first_key_value() {
            return Err(self.missing(&format!("trial {trial} was replaced by an heir")));
        }
        let what = match (said.suggested.first(), said.continued.first_key_value()) {
            (Some(trial), _) => format!("trial {trial} was suggested"),
            (_, Some((trial, _))) => format!("trial {trial} went on"),
            _ if said.idle > 0 => "there was nothing to do".into(),
            _ => return Ok(()),
        };
        Err(self.missing(&what))
    }

    /// No attempt at a trial began that has no leg.
    fn handed_out(&self, events: &[&StoredEvent]) -> Result<(), Box<Difference>> {
        for event in events.iter().filter(|event| event.kind == EventKind::AttemptStarted) {
            if let Some(trial) = event.trial.filter(|trial| self.has_no_leg(*trial)) {
                return Err(self.missing(&format!("trial {trial} was handed out")));
            }
        }
        Ok(())
    }

    fn has_no_leg(&self, trial: u64) -> bool {
        match &self.courses {
            Some(courses) => !courses.is_open(trial),
            None => self.waits(trial),
        }
    }

    fn missing(&self, what: &str) -> Box<Difference> {
        difference(Some(self.legs), "no such leg".into(), format!("a leg, because {what}"))
    }

    /// What became of trials that nobody worked on, and of the sweep.
    fn finish(&mut self, said: &Said<'_>) -> Result<(), Box<Difference>> {
        if said.sweep_ended {
            // The end itself looks at what the next decision would see.
            self.method.show_for(self.legs);
            self.retry_alone = false;
        }
        for trial in &said.over {
            self.is_over(*trial);
        }
        for event in &said.endings {
            let Some(trial) = event.trial else { continue };
            self.waiting.remove(&(trial, 0));
            self.paused.remove(&trial);
            let Some(stopper) = self.method.stopper.as_ref() else { continue };
            // Users and clocks are not derived.
            if matches!(event.reason, Some(Reason::ByUser | Reason::TimeLimit)) {
                continue;
            }
            let (stored, derived) = (event.reason.as_ref(), stopper.verdict(trial));
            if stored != Some(&derived) {
                let stored = stored.map_or_else(|| "no reason".into(), ToString::to_string);
                let trial = |what: String| format!("trial {trial} ended: {what}");
                return Err(difference(None, trial(stored), trial(derived.to_string())));
            }
            self.decisions += 1;
        }
        Ok(())
    }

    /// Every trial was suggested by a decision or by a user.
    fn all_used(&self) -> Result<(), Box<Difference>> {
        let stored = self.stored.trials.len() as u64;
        if stored == self.created {
            return Ok(());
        }
        Err(difference(None, format!("{stored} trials"), format!("{} trials", self.created)))
    }
}

/// Whether a leg's end is that of its trial: nobody worked on it.
fn end_is_whole(leg: &LegRecord) -> bool {
    leg.is_copy() || leg.is_given_up()
}

/// A configuration as JSON: every float in the shortest form that gives back its bits.
fn text_of(params: &Params) -> String {
    serde_json::to_string(params).unwrap_or_default()
}

pub(super) fn difference(leg: Option<u64>, stored: String, derived: String) -> Box<Difference> {
    Box::new(Difference { leg, stored, derived })
}

#[cfg(test)]
#[path = "replay_test.rs"]
pub(super) mod replay_test;
