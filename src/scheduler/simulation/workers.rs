//! Fake workers and clients: each a state machine of its own, like the real ones. They claim (or ask),
//! train, buffer what they have to say while nobody answers, and say it in order.

use super::faults::{Dice, Faults};
use super::sweeps::{behaves, epochs, is_too_large, metrics};
use super::wire::{Answer, Call};
use crate::domain::{AttemptId, Decision, Metrics, Millis, ObjectiveKind, Reason, SweepId, TellState};
use crate::scheduler::{Claimed, Input, Refusal, Reply, Seeker};
use std::collections::{BTreeMap, VecDeque};

/// What an heir says that has nothing to go on from.
pub const LOST: &str = "nothing is left to go on from";

/// What the allocator says of a trial that does not fit, whatever else there is.
pub const TOO_LARGE: &str = "too large";

/// How much a worker trains ahead of what has been answered.
const AHEAD: usize = 5;

pub struct Worker {
    pub name: String,
    slot: String,
    environment: BTreeMap<String, String>,
    /// A client of external sweeps; with a lease, or waited for until it tells.
    client: Option<Option<i64>>,
    every: u64,
    requests: u64,
    /// The second trial that a worker trains in one step with its first: it claims beside that one.
    is_second: bool,
    /// What it was given beside another trial.
    pub joined: u64,
    pub phase: Phase,
    /// The call that waits for its answer, and its number.
    pub in_flight: Option<(u64, Call)>,
    /// Silent until then.
    pub asleep: Option<Millis>,
}

/// What a worker knows of its other hand.
pub struct Hand {
    pub is_free: bool,
    pub shares: Option<AttemptId>,
}

pub enum Phase {
    Free,
    /// Its process has ended and nobody has noticed yet.
    Dead,
    Asking,
    Working(Box<Task>),
}

/// A leg being worked on.
pub struct Task {
    pub claimed: Claimed,
    pub step: u64,
    reported: bool,
    ended: bool,
    decision: Decision,
    /// What is to be said, in order.
    outbox: VecDeque<Input>,
}

impl Worker {
    pub fn new(name: &str, client: Option<Option<i64>>) -> Self {
        Self {
            name: name.into(),
            slot: if client.is_some() { "client".into() } else { "cpu:0".into() },
            environment: BTreeMap::from([("threads".into(), "2".into())]),
            client,
            every: 1,
            requests: 0,
            is_second: false,
            joined: 0,
            phase: Phase::Free,
            in_flight: None,
            asleep: None,
        }
    }

    pub fn random(dice: &mut Dice, index: usize, client: bool) -> Self {
        let lease = dice.chance(0.6).then_some(30_000);
        let name = format!("{}{index}", if client { "client " } else { "w" });
        let mut worker = Self::new(&name, client.then_some(lease));
        worker.every = dice.between(1, 3) as u64;
        if !client {
            worker.slot = dice.among(&["cpu:0", "cpu:1", "cuda:0/1", "cuda:0/2"]).into();
            let libtorch = dice.among(&["2.11", "2.11", "2.11", "2.12"]);
            worker.environment.insert("libtorch".into(), libtorch.into());
        }
        worker
    }

    /// Where a worker keeps what it has beside its first trial.
    pub fn second_hand(&self) -> Option<Self> {
        let second = Self {
            slot: self.slot.clone(),
            environment: self.environment.clone(),
            every: self.every,
            is_second: true,
            ..Self::new(&self.name, None)
        };
        (!self.is_client()).then_some(second)
    }

    pub fn is_second(&self) -> bool {
        self.is_second
    }

    /// The attempt that it works on, where others may be beside it.
    pub fn shares(&self) -> Option<AttemptId> {
        match &self.phase {
            Phase::Working(task) if task.claimed.fuse > 1 => Some(task.claimed.attempt),
            _ => None,
        }
    }

    /// Whether the two are hands of one process.
    pub fn is_one_with(&self, other: &Self) -> bool {
        !self.is_client() && self.name == other.name
    }

    pub fn is_client(&self) -> bool {
        self.client.is_some()
    }

    /// What it says next, if anything; `sweeps` are those that a client may ask for work, `other` is its other hand.
    pub fn act(
        &mut self,
        dice: &mut Dice,
        faults: &Faults,
        sweeps: &[SweepId],
        other: &Hand,
    ) -> Option<Call> {
        if self.in_flight.is_some() {
            return None;
        }
        match &mut self.phase {
            Phase::Dead | Phase::Asking => None,
            Phase::Free => {
                let hand = if self.is_second { " second" } else { "" };
                let request_id = format!("{}{hand} request {}", self.name, self.requests);
                let call = match self.client {
                    None if self.is_second => {
                        let beside = Some(other.shares?);
                        Input::Claim(Seeker { beside, ..self.seeker(self.name.clone(), request_id) })
                    }
                    // New work is claimed when all has ended.
                    None if !other.is_free => return None,
                    None => Input::Claim(self.seeker(self.name.clone(), request_id)),
                    Some(lease_ms) if !sweeps.is_empty() => {
                        let seeker = self.seeker(request_id.clone(), request_id);
                        Input::Ask { sweep: dice.among(sweeps), seeker, lease_ms }
                    }
                    Some(_) => return None,
                };
                self.phase = Phase::Asking;
                Some(Call::Input(call))
            }
            Phase::Working(task) => {
                while !task.ended && task.outbox.len() < AHEAD && (task.outbox.is_empty() || dice.chance(0.5))
                {
                    task.train(dice, faults, self.every);
                }
                task.outbox.front().cloned().map(Call::Input)
            }
        }
    }

    fn seeker(&self, worker: String, request_id: String) -> Seeker {
        Seeker {
            worker,
            slot: self.slot.clone(),
            request_id,
            is_new: false,
            kinds: vec![ObjectiveKind::Toy, ObjectiveKind::Keypoints],
            environment: self.environment.clone(),
            beside: None,
        }
    }

    pub fn beat(&self) -> Option<Call> {
        let Phase::Working(task) = &self.phase else { return None };
        Some(Call::Input(Input::Heartbeat { trial: task.claimed.leg.trial, attempt: task.claimed.attempt }))
    }

    /// Its call was answered.
    pub fn hear(&mut self, answer: Answer, dice: &mut Dice, faults: &Faults) {
        if !answer.is_final() {
            return;
        }
        let Some((_, call)) = self.in_flight.take() else { return };
        match (&mut self.phase, answer) {
            (Phase::Asking, Answer::Reply(Reply::Work(claimed))) => {
                self.joined += u64::from(self.is_second);
                self.phase = Phase::Working(Box::new(Task::begin(*claimed, dice, faults)));
            }
            (Phase::Asking, _) => {
                self.requests += 1;
                self.phase = Phase::Free;
            }
            (Phase::Working(task), Answer::Reply(reply)) => {
                let said = task.outbox.pop_front();
                match (reply, said) {
                    (Reply::Decision(decision), Some(Input::Report { .. })) => task.decide(decision),
                    (Reply::Done, Some(Input::Checkpoint { .. })) => {}
                    (Reply::Done, Some(Input::Tell { .. })) => self.free(),
                    (reply, said) => panic!("{reply:?} was the answer to {said:?}"),
                }
            }
            (Phase::Working(_), Answer::Refused(Refusal::NotOpen | Refusal::StaleAttempt { .. })) => {
                self.free()
            }
            (Phase::Working(_), answer) => panic!("{answer:?} was the answer to {call:?}"),
            (Phase::Free | Phase::Dead, _) => {}
        }
    }

    /// A heartbeat was answered.
    pub fn hear_beat(&mut self, call: &Call, answer: &Answer) {
        let (Phase::Working(task), Call::Input(Input::Heartbeat { attempt, .. })) = (&mut self.phase, call)
        else {
            return;
        };
        match answer {
            _ if task.claimed.attempt != *attempt => {}
            Answer::Reply(Reply::Decision(decision)) => task.decide(*decision),
            // Its end may just have been told; if not, its next call will hear the same.
            Answer::Refused(_) if self.in_flight.is_none() => self.free(),
            _ => {}
        }
    }

    fn free(&mut self) {
        self.requests += 1;
        self.phase = Phase::Free;
        self.in_flight = None;
    }

    /// Its process ends. A client starts again by itself: one that is waited for with what it last asked for.
    pub fn die(&mut self) {
        self.in_flight = None;
        match self.client {
            None => self.phase = Phase::Dead,
            Some(None) => self.phase = Phase::Free,
            Some(Some(_)) => self.free(),
        }
    }

    /// A new process in its place.
    pub fn revive(&mut self) {
        self.requests += 1;
        self.phase = Phase::Free;
    }
}

impl Task {
    fn begin(claimed: Claimed, dice: &mut Dice, faults: &Faults) -> Self {
        let usable = claimed.checkpoints.iter().find(|_| !dice.chance(faults.damaged));
        let step = usable.map(|checkpoint| checkpoint.step);
        // Clients keep what they need themselves, and know of whom they are heirs.
        let external = claimed.spec.objective.kind == ObjectiveKind::External;
        let parent = claimed.descent.map(|descent| descent.step);
        let is_lost = parent.is_some() && step.is_none() && !external;
        let mut task = Self {
            claimed,
            step: step.or(parent).unwrap_or(0),
            reported: false,
            ended: false,
            decision: Decision::Continue,
            outbox: VecDeque::new(),
        };
        if is_lost {
            task.tell(TellState::Failed, Some(Reason::Error { message: LOST.into() }));
        }
        task
    }

    fn decide(&mut self, decision: Decision) {
        if decision != Decision::Continue {
            self.decision = decision;
        }
    }

    /// One step, or the end.
    fn train(&mut self, dice: &mut Dice, faults: &Faults, every: u64) {
        let budget = epochs(&self.claimed.params);
        let until = self.claimed.leg.until_step.map_or(budget, |until| until.min(budget));
        if self.decision == Decision::Stop {
            return self.tell(TellState::Stopped, None);
        }
        if is_too_large(&self.claimed.params, self.claimed.accumulate) {
            let reason = Reason::OutOfMemory { message: TOO_LARGE.into(), alone: false };
            return self.tell(TellState::Failed, Some(reason));
        }
        if dice.chance(faults.hand_back) {
            self.checkpoint();
            // Without a reason it is taken for the leg's end where the reports that stand go so far: those of
            // this attempt, which then end in the middle, or of an earlier one where this has none.
            let told = self.step >= until || !self.reported || dice.chance(0.7);
            let reason = told.then_some(Reason::DaemonStopped);
            return self.tell(TellState::Paused, reason);
        }
        if dice.chance(faults.out_of_memory) {
            return self
                .tell(TellState::Failed, Some(Reason::OutOfMemory { message: "no".into(), alone: false }));
        }
        let objective = &self.claimed.spec.objective;
        let external = objective.kind == ObjectiveKind::External;
        if external && self.claimed.params["silent"].as_bool() == Some(true) {
            let all = metrics(objective, &self.claimed.params, self.claimed.leg.fold, budget);
            return self.tell_with(TellState::Completed, all, None);
        }
        if self.step >= until {
            let completed = until == budget;
            if !completed {
                self.checkpoint();
            }
            return self.tell(if completed { TellState::Completed } else { TellState::Paused }, None);
        }
        self.step += 1;
        // Of the folds, only one may do so.
        let (fold, last) = (self.claimed.leg.fold, objective.runs() - 1);
        if behaves(&self.claimed.params) == "diverge" && self.step == 2 && fold == last.min(1) {
            return self.tell(TellState::Failed, Some(Reason::Diverged { step: 2, what: "the loss".into() }));
        }
        let metrics = metrics(objective, &self.claimed.params, self.claimed.leg.fold, self.step);
        let (trial, attempt) = (self.claimed.leg.trial, self.claimed.attempt);
        self.reported = true;
        self.outbox.push_back(Input::Report { trial, attempt, step: self.step, metrics });
        if self.step.is_multiple_of(every) {
            self.checkpoint();
        }
    }

    fn checkpoint(&mut self) {
        let (trial, attempt, step) = (self.claimed.leg.trial, self.claimed.attempt, self.step);
        let hash = format!("{trial}-{attempt}-{step}");
        // Clients keep what they need themselves.
        let external = self.claimed.spec.objective.kind == ObjectiveKind::External;
        if step > 0 && !external {
            self.outbox.push_back(Input::Checkpoint { trial, attempt, step, hash, bytes: 10 });
        }
    }

    fn tell(&mut self, state: TellState, reason: Option<Reason>) {
        self.tell_with(state, Metrics::default(), reason);
    }

    fn tell_with(&mut self, state: TellState, metrics: Metrics, reason: Option<Reason>) {
        let (trial, attempt) = (self.claimed.leg.trial, self.claimed.attempt);
        let text = format!("attempt {attempt} {state:?} {reason:?}");
        self.outbox.push_back(Input::Tell { trial, attempt, state, metrics, reason, weights: None, text });
        self.ended = true;
    }
}
