//! Trials that a worker trains in one step (`fuse`): who may come beside whom. Each is handed out, reports, and ends as if
//! it were alone; only its worker has several.

use super::core::{Core, LEASE_MS, Turn};
use super::feasible::plan_of;
use super::hand_out::Wanted;
use super::input::{Refusal, Reply, Seeker};
use super::state::{Open, Run, RunId};
use crate::domain::{AttemptId, ObjectiveKind, Sweep, SweepId};
use crate::model::Plan;
use std::collections::BTreeMap;

/// What the first attempt computed with and later ones do too: one process has one of each.
const SHARED: [&str; 2] = ["threads", "precision"];

/// Whom a trial must resemble to be trained in one step with it.
pub(super) struct Mate {
    fold: usize,
    kind: ObjectiveKind,
    /// What it trains, where the built-in trainer does.
    plan: Option<Plan>,
    environment: BTreeMap<String, String>,
}

impl Mate {
    fn of(spec: &Sweep, open: &Open, fold: usize) -> Option<Self> {
        let run = open.runs.get(fold)?;
        let attempt = run.attempt.as_ref()?;
        let kind = spec.objective.kind;
        let environment = run.environment.as_ref().unwrap_or(&attempt.row.environment).clone();
        Some(Self { fold, kind, plan: plan_of(kind, &open.row.params).ok()?, environment })
    }

    /// Whether a trial's fold, of the same sweep, may be trained in one step with it.
    pub fn suits(&self, open: &Open, fold: usize) -> bool {
        let same = |run: &Run| {
            let first = run.environment.as_ref();
            SHARED
                .iter()
                .all(|name| first.is_none_or(|first| first.get(*name) == self.environment.get(*name)))
        };
        let fuses = || match (&self.plan, plan_of(self.kind, &open.row.params)) {
            (Some(one), Ok(Some(other))) => one.fuses_with(&other),
            (None, Ok(None)) => true,
            _ => false,
        };
        fold == self.fold && !needs_room(open) && open.runs.get(fold).is_some_and(same) && fuses()
    }
}

/// Whether a trial is trained by itself: with others it did not fit.
fn needs_room(open: &Open) -> bool {
    open.alone || open.accumulate > 1
}

/// How many trials may be trained in one step where this one is: 1 for itself alone.
pub(super) fn together(spec: &Sweep, open: &Open) -> u32 {
    if needs_room(open) { 1 } else { spec.search.fuse }
}

impl Core {
    /// A worker that has work takes a further trial, to be trained in one step with that of `lead`. The oldest of those
    /// that wait and fit; a new one where none waits at all.
    pub(super) fn claim_beside(
        &mut self,
        turn: &mut Turn,
        seeker: &Seeker,
        lead: AttemptId,
    ) -> Result<Reply, Refusal> {
        let stale = Refusal::StaleAttempt { attempt: lead };
        let (sweep, mate) = self.mate(seeker, lead).ok_or(stale)?;
        // Whoever needs the device for itself waits for it to be free.
        if mate.is_none() || self.reserved(turn.now, seeker).is_some() {
            return Ok(Reply::Nothing);
        }
        let wanted = Wanted { lease_ms: Some(LEASE_MS), reserved: None, mate };
        let claimed = self.hand_out(turn, sweep, seeker, wanted);
        Ok(claimed.map_or(Reply::Nothing, |claimed| Reply::Work(Box::new(claimed))))
    }

    /// The sweep of a worker's attempt, and whom it may have beside it; nobody where it has as many as may be.
    fn mate(&self, seeker: &Seeker, lead: AttemptId) -> Option<(SweepId, Option<Mate>)> {
        self.sweeps.iter().find_map(|(id, sweep)| {
            let mut theirs = sweep.open.of_worker(&seeker.worker);
            let RunId { trial, fold } = theirs.find(|run| {
                let open = sweep.open.get(run.trial);
                open.and_then(|open| open.fold_of(lead)) == Some(run.fold)
            })?;
            let (spec, open) = (&sweep.row.spec, sweep.open.get(trial)?);
            let has = sweep.open.of_worker(&seeker.worker).count();
            let more = has < together(spec, open) as usize;
            Some((*id, more.then(|| Mate::of(spec, open, fold)).flatten()))
        })
    }
}
