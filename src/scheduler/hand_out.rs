//! Handing out work: which sweep, which trial, to whom.

use super::core::{Core, LEASE_MS, Turn};
use super::fuse::{Mate, together};
use super::input::{Claimed, DeviceMemory, Refusal, Reply, Seeker};
use super::place::{device_of, is_short, suits};
use super::state::{Active, Attempt, Open, Run, RunId};
use super::trials::Crowd;
use crate::domain::trial::TrialEvent;
use crate::domain::worker_process::{SHARED_STEPS, STEPS};
use crate::domain::{AttemptId, Change, EventKind, NewAttempt, ObjectiveKind, Sweep, SweepId, TrialState};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Of so many that wait one is looked for that fits beside another.
const LOOKED_AT: usize = 256;

/// What is to be handed out, beside that it suits the seeker.
pub(super) struct Wanted {
    /// Milliseconds of silence after which it is taken back; `None` for never.
    pub lease_ms: Option<i64>,
    /// Only this one: the device is kept free for it.
    pub reserved: Option<RunId>,
    /// Only what may be trained in one step with this.
    pub mate: Option<Mate>,
}

impl Core {
    /// A worker's slot is free: the most urgent sweep's oldest waiting trial, or a new one. Among equally
    /// urgent sweeps the one that has the fewest slots goes first, so that they share them evenly.
    pub(super) fn claim(&mut self, turn: &mut Turn, seeker: &Seeker) -> Result<Reply, Refusal> {
        self.askers.note(&seeker.worker, &seeker.slot, turn.now);
        if let Some(again) = self.answered(&seeker.request_id) {
            return Ok(Reply::Work(Box::new(again)));
        }
        if let Some(lead) = seeker.beside {
            return self.claim_beside(turn, seeker, lead);
        }
        self.lose_attempts_of(turn, &seeker.worker, "its worker asked for other work");
        let mut candidates: Vec<SweepId> = self
            .sweeps
            .iter()
            .filter(|(_, sweep)| {
                let kind = sweep.row.spec.objective.kind;
                kind != ObjectiveKind::External && seeker.kinds.contains(&kind)
            })
            .map(|(id, _)| *id)
            .collect();
        candidates.sort_by_key(|id| {
            let sweep = &self.sweeps[id];
            (Reverse(sweep.row.spec.priority), sweep.running(), *id)
        });
        let reserved = self.reserved(turn.now, seeker);
        for sweep in candidates {
            let wanted = Wanted { reserved, lease_ms: Some(LEASE_MS), mate: None };
            if let Some(claimed) = self.hand_out(turn, sweep, seeker, wanted) {
                return Ok(Reply::Work(Box::new(claimed)));
            }
        }
        Ok(Reply::Nothing)
    }

    /// A client wants a trial of one sweep.
    pub(super) fn ask(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        seeker: &Seeker,
        lease_ms: Option<i64>,
    ) -> Result<Reply, Refusal> {
        if let Some(again) = self.answered(&seeker.request_id) {
            return Ok(Reply::Work(Box::new(again)));
        }
        let active = self.sweeps.get(&sweep).filter(|s| !s.row.state.is_over()).ok_or(Refusal::SweepOver)?;
        if active.row.spec.objective.kind != ObjectiveKind::External {
            return Err(Refusal::NotExternal);
        }
        match self.hand_out(turn, sweep, seeker, Wanted { lease_ms, reserved: None, mate: None }) {
            Some(claimed) => Ok(Reply::Work(Box::new(claimed))),
            None if self.sweeps.contains_key(&sweep) => Ok(Reply::Nothing),
            None => Err(Refusal::SweepOver),
        }
    }

    /// What the same request was answered, while its attempt is open.
    fn answered(&self, request_id: &str) -> Option<Claimed> {
        let answer = |sweep: &Active| {
            let (open, run) = sweep.open.of_request(request_id)?;
            claimed(sweep, open, &open.runs[run.fold])
        };
        self.sweeps.values().find_map(answer)
    }

    /// Whether an open attempt answers that request.
    pub(super) fn knows_request(&self, request_id: &str) -> bool {
        self.sweeps.values().any(|sweep| sweep.open.of_request(request_id).is_some())
    }

    /// Hands out a leg of one sweep, if there is one that is wanted.
    pub(super) fn hand_out(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        seeker: &Seeker,
        wanted: Wanted,
    ) -> Option<Claimed> {
        let Wanted { lease_ms, reserved, mate } = wanted;
        let crowd = self.on_device(&seeker.slot);
        // A device that is short of memory has none for one more; what runs on it may need what is left.
        let full = crowd.attempts > 0 && self.short.contains(device_of(&seeker.slot));
        if crowd.alone > 0 || full || !self.sweeps.get(&sweep)?.may_start(turn.now) {
            return None;
        }
        let now = turn.now;
        let fits = |(trial, run): &(&Open, RunId)| {
            trial.ready.is_none_or(|ready| ready <= now)
                && (!trial.alone || crowd.attempts == 0)
                && reserved.is_none_or(|reserved| reserved == *run)
                && suits(&trial.runs[run.fold], seeker)
                && mate.as_ref().is_none_or(|mate| mate.suits(trial, run.fold))
        };
        let most = if mate.is_some() { LOOKED_AT } else { usize::MAX };
        let waiting = |active: &Active| active.open.ready().take(most).find(fits).map(|(_, run)| run);
        let run = loop {
            let active = self.sweeps.get(&sweep)?;
            if let Some(run) = waiting(active) {
                break run;
            }
            // What the user asked for waits already. But nothing is drawn beside one that waits and does not fit: it is
            // the next worker's.
            let is_wish = active.open.first_undecided().is_some();
            let passed = active.open.ready().take(most).count();
            let enough = passed >= LOOKED_AT || passed > 0 && !is_wish;
            if reserved.is_some() || mate.is_some() && enough {
                return None;
            }
            self.decide_next(turn, sweep)?;
            if mate.is_none() || !is_wish {
                break waiting(self.sweeps.get(&sweep)?)?;
            }
        };
        self.open_attempt(turn, sweep, run, seeker, lease_ms)
    }

    /// A device's memory was looked at; whether more may start there now than before.
    pub(super) fn note_memory(&mut self, device: String, memory: Option<DeviceMemory>) -> bool {
        match memory {
            Some(memory) => drop(self.sizes.insert(device.clone(), memory.total_bytes)),
            None => drop(self.sizes.remove(&device)),
        }
        let was = self.short.contains(&device);
        let is = memory.is_some_and(|memory| is_short(was, memory));
        let free_mib = memory.map(|memory| memory.free_bytes >> 20);
        match (was, is) {
            (false, true) => {
                let why = "short of memory: no further trial starts there beside others until some is free";
                tracing::warn!(device, free_mib, "{why}");
                self.short.insert(device);
            }
            (true, false) => {
                tracing::info!(device, free_mib, "memory is free again: further trials start there");
                self.short.remove(&device);
            }
            _ => {}
        }
        was && !is
    }

    /// Who works on the device that a slot is a share of.
    fn on_device(&self, slot: &str) -> Crowd {
        let device = device_of(slot);
        let of_sweep = self.sweeps.values().map(|sweep| sweep.open.on_device(device));
        of_sweep.fold(Crowd::default(), |all, one| Crowd {
            attempts: all.attempts + one.attempts,
            alone: all.alone + one.alone,
        })
    }

    /// Whether anybody works on the device of a slot.
    pub(super) fn is_busy(&self, slot: &str) -> bool {
        self.on_device(slot).attempts > 0
    }

    /// Whether anybody else has worked on the device of an attempt at any time since it began. Whoever was there
    /// may have gone before it could tell that there was no memory for both.
    pub(super) fn had_company(&self, slot: &str, attempt: AttemptId) -> bool {
        self.shared.get(device_of(slot)).is_some_and(|last| *last >= attempt)
    }

    /// Whether no device is known to have more memory than that of a slot.
    pub(super) fn is_on_largest(&self, slot: &str) -> bool {
        let own = self.sizes.get(device_of(slot));
        self.sizes.values().all(|size| own.is_some_and(|own| size <= own))
    }

    fn open_attempt(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        RunId { trial, fold }: RunId,
        seeker: &Seeker,
        lease_ms: Option<i64>,
    ) -> Option<Claimed> {
        let attempt_id = self.next_attempt_id();
        if self.is_busy(&seeker.slot) {
            self.shared.insert(device_of(&seeker.slot).to_owned(), attempt_id);
        }
        let active = self.sweeps.get_mut(&sweep)?;
        let mut open = active.open.get_mut(trial)?;
        let row = NewAttempt {
            id: attempt_id,
            leg: open.runs[fold].leg?.id,
            trial,
            worker: seeker.worker.clone(),
            slot: seeker.slot.clone(),
            request_id: seeker.request_id.clone(),
            environment: environment_of(&active.row.spec, &open, seeker),
            lease_ms,
            started: turn.now,
        };
        turn.changes.push(Change::AttemptOpened(Box::new(row.clone())));
        let lease_until = lease_ms.map(|lease| turn.now.plus_ms(lease));
        let parts = open.accumulate;
        let run = &mut open.runs[fold];
        run.environment.get_or_insert_with(|| row.environment.clone());
        run.attempt = Some(Attempt { row, lease_until, parts, recovered: false });
        // Another fold of it may be worked on.
        if open.state != TrialState::Running {
            Self::move_trial(turn, &mut open, TrialEvent::Started, None);
        }
        drop(open);
        turn.record(sweep, Some(trial), Some(attempt_id), EventKind::AttemptStarted, None);
        let open = active.open.get(trial)?;
        claimed(active, open, &open.runs[fold])
    }
}

/// What an attempt's results depend on: the worker's environment, and what the attempt itself is not exact in.
fn environment_of(spec: &Sweep, trial: &Open, seeker: &Seeker) -> BTreeMap<String, String> {
    let mut environment = seeker.environment.clone();
    let shares = environment.get(STEPS).is_some_and(|steps| steps == SHARED_STEPS);
    let others = if shares { together(spec, trial) - 1 } else { 0 };
    let inexact = match trial.accumulate {
        2.. => Some(format!("gradients of {} parts of each batch are summed", trial.accumulate)),
        _ if others > 0 => Some(format!(
            "trained in one step with up to {others} other{}",
            if others > 1 { "s" } else { "" }
        )),
        _ => None,
    };
    environment.extend(inexact.map(|how| ("inexact".to_owned(), how)));
    environment
}

fn claimed(sweep: &Active, trial: &Open, run: &Run) -> Option<Claimed> {
    let attempt = run.attempt.as_ref()?;
    let environment = run.environment.as_ref();
    Some(Claimed {
        sweep_uid: sweep.row.uid.clone(),
        spec: sweep.row.spec.clone(),
        dataset_hash: sweep.row.origin.dataset_hash.clone(),
        leg: run.leg?,
        number: trial.row.number,
        attempt: attempt.row.id,
        params: trial.row.params.clone(),
        descent: trial.row.suggested.descent(),
        lease_ms: attempt.row.lease_ms,
        checkpoints: run.checkpoints.clone(),
        accumulate: trial.accumulate,
        fuse: together(&sweep.row.spec, trial),
        threads: environment.and_then(|e| e.get("threads")).and_then(|threads| threads.parse().ok()),
        precision: environment.and_then(|e| e.get("precision")).cloned(),
    })
}

#[cfg(test)]
#[path = "company_test.rs"]
mod company_test;
