//! One life: a daemon, workers, clients and a user, the messages between them, and a clock.

use super::daemon::Daemon;
use super::faults::{Dice, Fate, Faults};
use super::invariants::Checker;
use super::ledger::Ledger;
use super::user::User;
use super::wire::{Answer, Call, Caller, Letter};
use super::workers::{Hand, Phase, Worker};
use crate::domain::{Change, Millis, SweepId};
use crate::scheduler::{DeviceMemory, Input, Reply};
use std::cell::RefCell;
use std::collections::VecDeque;

/// When every world begins.
pub const START: Millis = Millis(1_700_000_000_000);
/// How much of a story is kept.
const KEPT_STEPS: usize = 30;

thread_local! {
    /// The last things that happened in this thread's world, for whoever reads a failure.
    pub static STORY: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

fn note(what: impl FnOnce() -> String) {
    STORY.with_borrow_mut(|story| {
        if story.len() == KEPT_STEPS {
            story.pop_front();
        }
        story.push_back(what());
    });
}

pub struct World {
    pub dice: Dice,
    pub faults: Faults,
    pub daemon: Daemon,
    pub checker: Checker,
    pub ledger: Ledger,
    pub user: User,
    pub workers: Vec<Worker>,
    pub now: Millis,
    calls: u64,
    wire: Vec<Letter>,
    answers: Vec<(Letter, Answer)>,
    /// Steps until a daemon that is away comes back.
    away: usize,
    /// Steps so far, and those in a row that changed nothing.
    steps: usize,
    quiet: usize,
}

impl World {
    pub async fn new(seed: u64, faults: Faults, user: User, workers: Vec<Worker>) -> Self {
        STORY.with_borrow_mut(VecDeque::clear);
        let now = START;
        let daemon = Daemon::new(now).await;
        let checker = Checker::new(daemon.home()).await;
        Self {
            dice: Dice::new(seed, "world"),
            faults,
            checker,
            daemon,
            ledger: Ledger::default(),
            user,
            workers,
            now,
            calls: 0,
            wire: Vec::new(),
            answers: Vec::new(),
            away: 0,
            steps: 0,
            quiet: 0,
        }
    }

    /// Something happens.
    pub async fn step(&mut self) {
        self.pass_time();
        self.steps += 1;
        self.quiet += 1;
        if self.daemon.core.is_none() {
            match self.away.checked_sub(1) {
                Some(left) => self.away = left,
                None => {
                    note(|| "a daemon starts".into());
                    self.daemon.start(self.now).await;
                    self.agree("after a start").await;
                }
            }
        }
        let due =
            self.daemon.core.as_ref().and_then(|core| core.next_deadline()).is_some_and(|at| at <= self.now);
        if due && self.dice.chance(0.7) {
            let tick = Letter { from: Caller::Clock, number: 0, call: Call::Input(Input::Tick), arrives: 0 };
            return self.serve(vec![tick]).await;
        }
        if self.dice.chance(self.faults.pressure) {
            let memory = DeviceMemory { free_bytes: self.dice.among(&[0, 8 << 30]), total_bytes: 8 << 30 };
            let device = self.dice.among(&["cuda:0", "cpu"]).to_owned();
            let call = Call::Input(Input::Device { device, memory: Some(memory) });
            return self.serve(vec![Letter { from: Caller::Clock, number: 0, call, arrives: 0 }]).await;
        }
        match self.dice.below(10) {
            0..=3 if !self.wire.is_empty() => self.deliver().await,
            4..=5 if !self.answers.is_empty() => self.answer(),
            6 => self.resend(),
            7 if self.dice.chance(0.4) => self.user_acts().await,
            _ => self.worker_acts(),
        }
    }

    fn pass_time(&mut self) {
        let mut by = self.dice.between(1, 1500);
        if self.dice.chance(self.faults.jump) {
            by = self.dice.between(-7_200_000, 7_200_000);
            note(|| format!("the clock jumps by {} s", by / 1000));
        }
        self.now = self.now.plus_ms(by);
        // Nothing happens any more: the next thing that does is what the daemon waits for.
        let deadline = self.daemon.core.as_ref().and_then(|core| core.next_deadline());
        let idle =
            || !self.workers.iter().any(|w| w.asleep.is_none() && matches!(w.phase, Phase::Working(_)));
        if let Some(deadline) = deadline.filter(|at| self.quiet > 40 && *at > self.now && idle()) {
            note(|| "time passes".into());
            self.now = deadline;
        }
    }

    fn send(&mut self, mut letter: Letter) {
        if self.dice.chance(self.faults.late) {
            letter.arrives = self.steps + self.dice.below(60);
        }
        if self.dice.chance(self.faults.lose) {
            note(|| format!("lost: {letter:?}"));
            return;
        }
        self.wire.push(letter);
    }

    fn post(&mut self, from: Caller, call: Call) -> u64 {
        self.calls += 1;
        let letter = Letter { from, number: self.calls, call, arrives: 0 };
        self.send(letter);
        self.calls
    }

    async fn user_acts(&mut self) {
        if !self.dice.chance(self.user.haste(self.faults.user)) {
            return;
        }
        let Some(call) = self.user.act(&mut self.dice, &self.checker.view) else { return };
        let number = self.post(Caller::User, call.clone());
        // An impatient user says it twice.
        if !matches!(call, Call::Input(Input::Submit { .. })) && self.dice.chance(self.faults.duplicate) {
            self.send(Letter { from: Caller::User, number, call, arrives: 0 });
        }
    }

    fn worker_acts(&mut self) {
        let at = self.dice.below(self.workers.len());
        let (dice, faults, now) = (&mut self.dice, &self.faults, self.now);
        let worker = &mut self.workers[at];
        let may_wake = |until: Millis| until <= now || faults.silence == 0.0;
        match worker.asleep {
            Some(until) if may_wake(until) => worker.asleep = None,
            Some(_) => return,
            // One process has ended, and it is missed once.
            None if matches!(worker.phase, Phase::Dead) && worker.is_second() => return,
            None if matches!(worker.phase, Phase::Dead) => return self.notice(at),
            None => {}
        }
        if dice.chance(faults.silence) {
            let span = dice.between(1000, 200_000);
            note(|| format!("{} falls silent for {} s", worker.name, span / 1000));
            worker.asleep = Some(now.plus_ms(span));
            return;
        }
        if dice.chance(faults.kill) {
            note(|| format!("{} ends", worker.name));
            worker.die();
            if let Some(other) = self.other_hand(at) {
                self.workers[other].die();
            }
            if self.workers[at].is_client() {
                self.hang_up(at);
            }
            return;
        }
        if dice.chance(0.1) {
            if let Some(beat) = worker.beat() {
                self.post(Caller::Heart(at), beat);
            }
            return;
        }
        let external = self.checker.view.external();
        let other = self.other_hand(at).map(|other| &self.workers[other]);
        let other = Hand {
            is_free: other.is_none_or(|other| matches!(other.phase, Phase::Free)),
            shares: other.and_then(Worker::shares),
        };
        if let Some(call) = self.workers[at].act(&mut self.dice, &self.faults, &external, &other) {
            let number = self.post(Caller::Worker(at), call.clone());
            self.workers[at].in_flight = Some((number, call));
        }
    }

    /// The other hand of the same process.
    fn other_hand(&self, at: usize) -> Option<usize> {
        (0..self.workers.len())
            .find(|other| *other != at && self.workers[*other].is_one_with(&self.workers[at]))
    }

    /// Whoever watches over a worker's process says that it has ended, until it is heard.
    fn notice(&mut self, at: usize) {
        let from = Caller::Supervisor(at);
        let said =
            self.wire.iter().chain(self.answers.iter().map(|(letter, _)| letter)).any(|l| l.from == from);
        if !said {
            let (worker, how) = (self.workers[at].name.clone(), "signal 9".to_owned());
            self.post(from, Call::Input(Input::WorkerGone { worker, how }));
        }
    }

    /// Those who have waited long enough for an answer call again.
    fn resend(&mut self) {
        for at in 0..self.workers.len() {
            let Some((number, call)) = self.workers[at].in_flight.clone() else { continue };
            if self.workers[at].asleep.is_some() {
                continue;
            }
            let under_way = self.wire.iter().any(|letter| letter.number == number)
                || self.answers.iter().any(|(letter, _)| letter.number == number);
            if under_way && !self.dice.chance(self.faults.duplicate) {
                continue;
            }
            if self.workers[at].is_client() {
                self.hang_up(at);
            }
            self.send(Letter { from: Caller::Worker(at), number, call, arrives: 0 });
        }
    }

    /// A client closes its connection. An ask that is heard by the daemon alone would be waited for for ever where
    /// it has no lease.
    fn hang_up(&mut self, at: usize) {
        self.wire.retain(|letter| letter.from != Caller::Worker(at));
        self.answers.retain(|(letter, _)| letter.from != Caller::Worker(at));
    }

    /// Some calls reach the daemon. A retry or an edit is a group of its own, as in the shell.
    async fn deliver(&mut self) {
        let mut group = Vec::new();
        for _ in 0..=self.dice.below(4) {
            let here = |(at, letter): (usize, &Letter)| (letter.arrives <= self.steps).then_some(at);
            let here: Vec<usize> = self.wire.iter().enumerate().filter_map(here).collect();
            if here.is_empty() {
                break;
            }
            let at = if self.faults.reorder { self.dice.among(&here) } else { here[0] };
            let alone = self.wire[at].call.is_alone();
            if alone && !group.is_empty() {
                break;
            }
            group.push(self.wire.remove(at));
            if alone {
                break;
            }
        }
        if !group.is_empty() {
            self.serve(group).await;
        }
    }

    async fn serve(&mut self, mut group: Vec<Letter>) {
        if self.daemon.core.is_none() {
            self.answers.extend(group.into_iter().map(|letter| (letter, Answer::Unreachable)));
            return;
        }
        let fate = self.faults.fate(&mut self.dice);
        note(|| {
            let calls: Vec<String> = group.iter().map(describe).collect();
            format!("at {}: {} -> {fate:?}", self.now.since_ms(START), calls.join(" | "))
        });
        let calls: Vec<Call> = group.iter().map(|letter| letter.call.clone()).collect();
        let served = self.daemon.serve(&calls, self.now, fate).await;
        if !served.changes.is_empty() {
            self.quiet = 0;
        }
        for change in &served.changes {
            if let Change::SweepRemoved { sweep } = change {
                self.ledger.forget(*sweep);
            }
        }
        self.ledger.note_discards(&served.changes, &calls, &mut self.checker).await;
        self.checker.check().await;
        for (letter, answer) in group.drain(..).zip(served.answers) {
            let Some(answer) = answer else { continue };
            note(|| format!("    answer {answer}"));
            self.ledger.note_answer(&letter, &answer, &mut self.checker).await;
            self.answers.push((letter, answer));
        }
        if matches!(fate, Fate::CrashBeforeCommit | Fate::CrashAfterCommit | Fate::CrashAfterAnswer) {
            let hard = self.dice.chance(0.3);
            self.daemon.crash(hard);
            self.away = self.dice.below(30);
            // Connections break: what had not been taken out of them is gone.
            self.wire.clear();
        } else if self.dice.chance(0.1) {
            self.agree("while running").await;
        }
    }

    fn answer(&mut self) {
        let at = if self.faults.reorder { self.dice.below(self.answers.len()) } else { 0 };
        let (letter, answer) = self.answers.remove(at);
        if self.dice.chance(self.faults.lose) {
            note(|| format!("lost: the answer to {}", describe(&letter)));
            return;
        }
        match letter.from {
            Caller::Worker(at) => {
                let worker = &mut self.workers[at];
                let awaited = worker.in_flight.as_ref().is_some_and(|(number, _)| *number == letter.number);
                if awaited && worker.asleep.is_none() {
                    worker.hear(answer, &mut self.dice, &self.faults);
                    if worker.in_flight.is_none() && worker.is_client() {
                        self.hang_up(at);
                    }
                }
            }
            Caller::Heart(at) => self.workers[at].hear_beat(&letter.call, &answer),
            Caller::Supervisor(at) if answer.is_final() => {
                self.workers[at].revive();
                if let Some(other) = self.other_hand(at) {
                    self.workers[other].revive();
                }
            }
            Caller::Supervisor(_) | Caller::User | Caller::Clock => {}
        }
    }

    /// The running core is the one that a start now would make.
    pub async fn agree(&mut self, when: &str) {
        let mut stored = self.daemon.recovered(self.now).await;
        let running = super::essence::of(self.daemon.core.as_mut().unwrap());
        let difference = super::essence::difference(&super::essence::of(&mut stored), &running);
        assert_eq!(difference, "", "{when} the running core is not the stored one");
    }

    /// No more faults: whoever is away comes back.
    pub fn calm_down(&mut self) {
        self.faults = Faults::none();
        for worker in &mut self.workers {
            worker.asleep = None;
        }
        self.away = 0;
        self.wire.iter_mut().for_each(|letter| letter.arrives = 0);
    }

    /// A call that is answered at once, without faults.
    pub async fn ask(&mut self, call: Call) -> Answer {
        let mut served = self.daemon.serve(&[call], self.now, Fate::Fine).await;
        self.checker.check().await;
        served.answers.remove(0).unwrap()
    }

    pub async fn submit(&mut self, spec: crate::domain::Sweep) -> SweepId {
        match self.ask(super::user::submission(spec)).await {
            Answer::Reply(Reply::Submitted(id)) => id,
            other => panic!("{other:?}"),
        }
    }
}

fn describe(letter: &Letter) -> String {
    let what = match &letter.call {
        Call::Retry(trial) => format!("retry of trial {trial}"),
        Call::Edit(sweep, terms) => format!("edit of sweep {sweep}: {terms:?}"),
        Call::Input(input) => match input {
            Input::Submit { spec, .. } => format!("submit {:?} {:?}", spec.name, spec.search),
            Input::Claim(seeker) => format!("claim {}", seeker.request_id),
            Input::Ask { sweep, seeker, lease_ms } => {
                format!("ask {} of sweep {sweep}, lease {lease_ms:?}", seeker.request_id)
            }
            Input::Report { trial, attempt, step, metrics } => {
                format!("trial {trial} attempt {attempt} report {step} {:?}", metrics.0)
            }
            Input::Checkpoint { trial, attempt, step, .. } => {
                format!("trial {trial} attempt {attempt} checkpoint {step}")
            }
            Input::Tell { trial, attempt, state, reason, .. } => {
                format!("trial {trial} attempt {attempt} tell {state:?} {reason:?}")
            }
            Input::Heartbeat { trial, attempt } => format!("trial {trial} attempt {attempt} lives"),
            other => format!("{other:?}"),
        },
    };
    format!("{:?}#{} {what}", letter.from, letter.number)
}
