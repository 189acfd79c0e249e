//! Sweeps of the built-in trainer on devices of which some configurations need more memory than there is.

use super::*;
use crate::domain::recovery::Past;
use crate::domain::sweep::{Duplicates, Order, Population, SamplerSpec, StopperSpec};
use crate::domain::{
    Change, EventKind, Parameter, ParameterKind, PastTerms, Reason, SweepId, SweepState, TellState, Value,
};
use crate::scheduler::core::core_test::{World, checkpoint, report, seeker, told, toy_sweep};
use crate::scheduler::method::{Method, Next};
use crate::scheduler::replay::replay_test::stored;
use crate::scheduler::{Claimed, Command, Input, Refusal, Reply, Seeker, replay};
use std::collections::BTreeMap;

fn parameter(kind: ParameterKind) -> Parameter {
    Parameter { kind, when: None, default: None }
}

/// What a batch is of.
fn batches(low: i64, high: i64) -> Parameter {
    parameter(ParameterKind::Int { low, high, log: true, step: None })
}

/// A sweep of the built-in trainer over batch sizes.
pub fn sweep(trials: u64) -> Sweep {
    let mut sweep = toy_sweep("s", 0, trials);
    sweep.objective.kind = crate::domain::ObjectiveKind::Keypoints;
    let rate = ParameterKind::Float { low: 1e-4, high: 1e-2, log: true, step: None };
    sweep.space =
        BTreeMap::from([("batch_size".into(), batches(1, 4096)), ("learning_rate".into(), parameter(rate))]);
    sweep
}

pub fn batch_of(params: &Params) -> i64 {
    params["batch_size"].as_i64().unwrap()
}

fn of_batch(batch: i64) -> Params {
    Params::from([("batch_size".into(), batch.into())])
}

/// What a configuration needs with its batches in one part.
fn need(params: &Params) -> u64 {
    Plan::from_params(params).unwrap().least_memory_bytes(1).unwrap()
}

/// A daemon whose workers each have a device of their own, and all that it has decided.
pub struct Daemon {
    pub world: World,
    pub changes: Vec<Change>,
    /// So many images of a batch fit.
    fits: i64,
    requests: u64,
}

impl Daemon {
    pub fn new(spec: &Sweep, fits: i64) -> Self {
        let mut daemon = Self { world: World::new(), changes: Vec::new(), fits, requests: 0 };
        let (uid, origin, sources) = (spec.name.clone(), Box::default(), Vec::new());
        let submit = Input::Submit { uid, spec: Box::new(spec.clone()), origin, sources };
        daemon.say(submit).unwrap();
        daemon
    }

    pub fn say(&mut self, input: Input) -> Result<Reply, Refusal> {
        let handled = self.world.handle(input);
        self.changes.extend(handled.changes);
        handled.reply
    }

    pub fn claim(&mut self, slot: &str) -> Option<Claimed> {
        self.requests += 1;
        let at = Seeker { slot: slot.into(), ..seeker(slot, &self.requests.to_string()) };
        match self.say(Input::Claim(at)).unwrap() {
            Reply::Work(claimed) => Some(*claimed),
            _ => None,
        }
    }

    /// Works on what was claimed, as far as there is memory.
    pub fn work(&mut self, claimed: &Claimed) {
        let part = batch_of(&claimed.params).unsigned_abs().div_ceil(u64::from(claimed.accumulate));
        if part > self.fits.unsigned_abs() {
            self.run_out(claimed);
            return;
        }
        let budget = claimed.params.get("epochs").and_then(Value::as_i64).map_or(3, i64::unsigned_abs);
        let until = claimed.leg.until_step.map_or(budget, |until| until.min(budget));
        for step in claimed.leg.from_step + 1..=until {
            let value = (batch_of(&claimed.params) as f64 - 50.0).abs() + 1.0 / step as f64;
            self.say(report(claimed, step, value)).unwrap();
        }
        if until < budget {
            self.say(checkpoint(claimed, until)).unwrap();
        }
        let state = if until < budget { TellState::Paused } else { TellState::Completed };
        self.say(told(claimed, state, None)).unwrap();
    }

    pub fn run_out(&mut self, claimed: &Claimed) {
        let reason = Reason::OutOfMemory { message: "Tried to allocate 20.00 GiB".into(), alone: false };
        self.say(told(claimed, TellState::Failed, Some(reason))).unwrap();
        self.rest();
    }

    /// Long enough for the next try, and not too long to be silent.
    pub fn rest(&mut self) {
        self.world.now = self.world.now.plus_ms(8000);
        self.say(Input::Tick).unwrap();
    }

    /// Works until nothing is left, with so many workers; the one that began first ends first, or last.
    pub fn finish(&mut self, workers: usize, first_ends_first: bool) {
        let (mut free, mut busy): (Vec<String>, Vec<(String, Claimed)>) =
            ((0..workers).map(|n| format!("cuda:{n}")).collect(), Vec::new());
        let mut idle = 0;
        while idle < 3 {
            let claimed = free.last().cloned().and_then(|slot| Some((slot.clone(), self.claim(&slot)?)));
            match claimed {
                Some((slot, claimed)) => {
                    free.pop();
                    busy.push((slot, claimed));
                    idle = 0;
                }
                None if busy.is_empty() => {
                    self.rest();
                    idle += 1;
                }
                None => {
                    let at = if first_ends_first { 0 } else { busy.len() - 1 };
                    let (slot, claimed) = busy.remove(at);
                    self.work(&claimed);
                    free.push(slot);
                }
            }
        }
    }

    /// Every trial's configuration, and why it was suggested.
    pub fn trials(&self) -> Vec<(Params, Reason)> {
        let inserted = |change: &Change| match change {
            Change::TrialInserted(row) => Some((row.params.clone(), row.suggested.clone())),
            _ => None,
        };
        self.changes.iter().filter_map(inserted).collect()
    }

    pub fn batches(&self) -> Vec<i64> {
        self.trials().iter().map(|(params, _)| batch_of(params)).collect()
    }

    /// How trials failed: whether they had the largest device for themselves.
    pub fn failures(&self) -> Vec<bool> {
        let failed = |change: &Change| match change {
            Change::Recorded(event) if event.kind == EventKind::TrialFailed => {
                Some(matches!(event.reason, Some(Reason::OutOfMemory { alone: true, .. })))
            }
            _ => None,
        };
        self.changes.iter().filter_map(failed).collect()
    }

    pub fn why_it_ended(&self) -> Option<Reason> {
        let ended = |change: &Change| match change {
            Change::Recorded(event) if event.kind == EventKind::SweepCompleted => event.reason.clone(),
            _ => None,
        };
        self.changes.iter().filter_map(ended).next_back()
    }
}

/// The sweep's methods, with what is stored of its first legs.
fn recovered(spec: &Sweep, daemon: &Daemon, legs: u64) -> Method {
    let stored = stored(spec.clone(), &daemon.changes);
    let past = Past {
        legs,
        records: stored.legs[..legs as usize].to_vec(),
        points: stored.trials.iter().take(legs as usize).map(|trial| trial.params.clone()).collect(),
        ..Past::default()
    };
    let mut method = Method::new(spec, &past).unwrap();
    method.learn(&past);
    // As before each decision.
    method.show_for(legs);
    method
}

fn next(method: &mut Method, number: u64) -> Option<(Params, Reason)> {
    match method.next::<u64>(None, &|_| false, Some(number)) {
        Next::New(params, reason) => Some((params, reason)),
        Next::Nothing => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_will_not_fit_is_not_suggested_nor_after_a_restart_and_replay_agrees() {
    let samplers = [SamplerSpec::Random, SamplerSpec::Sobol, SamplerSpec::Tpe { startup: 5, candidates: 24 }];
    for sampler in samplers {
        for (order, workers) in [(Order::Arrival, 1), (Order::Number, 1), (Order::Number, 3)] {
            let mut spec = sweep(40);
            (spec.search.sampler, spec.search.order) = (sampler.clone(), order);
            spec.search.parallel = Some(workers);
            let mut daemon = Daemon::new(&spec, 64);
            daemon.finish(workers as usize, true);
            let batches = daemon.batches();
            assert_eq!(batches.len(), 40, "no trial is lost by it");
            let mut refused = 0;
            for (at, (params, reason)) in daemon.trials().iter().enumerate() {
                // Up to as many as run at the same time nothing is known of those before.
                let seen = &batches[..(at + 1).saturating_sub(workers as usize)];
                let failed = || seen.iter().filter(|batch| **batch > 64).map(|batch| need(&of_batch(*batch)));
                let needs = need(params);
                assert!(
                    failed().all(|failed| failed != needs && needs <= failed + failed / 4),
                    "{batches:?}"
                );
                let Reason::Suggested { refusal, .. } = reason else { panic!("{reason:?}") };
                refused += usize::from(refusal.as_ref().is_some_and(|why| why.contains("ran out of memory")));
            }
            assert!(refused > 0, "{refused} of {batches:?}");
            let failed = daemon.failures();
            assert!(failed.iter().all(|alone| *alone) && (1..15).contains(&failed.len()), "{batches:?}");
            let stored = stored(spec.clone(), &daemon.changes);
            assert_eq!(replay(&stored), Ok(stored.legs.len() as u64));
            for (number, expected) in (0..).zip(daemon.trials()) {
                assert_eq!(next(&mut recovered(&spec, &daemon, number), number), Some(expected));
            }
        }
    }
}

#[test]
fn without_its_evidence_a_replay_derives_other_trials() {
    let spec = sweep(40);
    let mut daemon = Daemon::new(&spec, 64);
    daemon.finish(1, true);
    let mut stored = stored(spec, &daemon.changes);
    stored.legs.iter_mut().filter_map(|leg| leg.end.as_mut()).for_each(|end| end.out_of_memory = false);
    assert!(replay(&stored).is_err());
}

#[test]
fn ordered_by_number_the_trials_are_the_same_whatever_the_timing() {
    let mut spec = sweep(30);
    (spec.search.order, spec.search.parallel) = (Order::Number, Some(3));
    let run = |workers, first_ends_first| {
        let mut daemon = Daemon::new(&spec, 64);
        daemon.finish(workers, first_ends_first);
        daemon.trials()
    };
    let calm = run(1, true);
    assert_eq!(calm.len(), 30);
    for (workers, first_ends_first) in [(2, true), (3, true), (3, false)] {
        assert_eq!(run(workers, first_ends_first), calm);
    }
}

/// What the next trial would be, from what is known: each trial's batch, and whether that fitted.
fn suggested_after(ends: &[(u64, i64, bool)]) -> (Option<(Params, Reason)>, Option<TooLarge>) {
    let mut method = Method::new(&sweep(100), &Past::default()).unwrap();
    for number in 0..ends.len() as u64 {
        let (_, batch, _) = ends.iter().find(|(trial, ..)| *trial == number).unwrap();
        method.suggested(&of_batch(*batch));
        method.decided(number, None, false);
    }
    for (trial, _, fits) in ends {
        let (outcome, value) =
            if *fits { (LegOutcome::Completed, Some(1.0)) } else { (LegOutcome::Failed, None) };
        let end =
            crate::stopper::Ended { trial: *trial, until_step: None, outcome, value, further: Vec::new() };
        method.ended(*trial, FoldEnd { fold: 0, whole: false, out_of_memory: !fits, end });
    }
    let too_large = method.memory.as_ref().unwrap().limit().too_large();
    (next(&mut method, ends.len() as u64), too_large)
}

#[test]
fn the_order_in_which_ends_become_known_does_not_matter() {
    let ends = [(0, 64, true), (1, 512, false), (2, 300, false), (3, 200, true), (4, 150, false)];
    let (suggestion, too_large) = suggested_after(&ends);
    assert_eq!(too_large.unwrap().trials, [1, 2], "a larger one than trial 4 was trained");
    for by in 0..5 {
        let mut other = ends;
        other.rotate_left(by);
        assert_eq!(suggested_after(&other).0, suggestion);
        other.reverse();
        assert_eq!(suggested_after(&other).0, suggestion);
    }
}

#[test]
fn other_ends_are_no_evidence() {
    let mut memory = Memory::of(&sweep(1)).unwrap();
    memory.suggested(&of_batch(64));
    let end = |outcome, value, out_of_memory| FoldEnd {
        fold: 0,
        whole: false,
        out_of_memory,
        end: crate::stopper::Ended { trial: 0, until_step: None, outcome, value, further: Vec::new() },
    };
    for outcome in [LegOutcome::Failed, LegOutcome::Cancelled, LegOutcome::Stopped] {
        memory.ended(&end(outcome, None, false));
    }
    assert_eq!(*memory.limit(), MemoryLimit::default());
    memory.ended(&FoldEnd {
        end: crate::stopper::Ended { trial: 7, ..end(LegOutcome::Failed, None, true).end },
        ..end(LegOutcome::Failed, None, true)
    });
    assert_eq!(*memory.limit(), MemoryLimit::default(), "nobody knows trial 7");
    let larger = Plan::from_params(&of_batch(65)).unwrap();
    memory.ended(&end(LegOutcome::Failed, None, true));
    assert!(
        memory.check(&Plan::from_params(&of_batch(64)).unwrap()).is_err() && memory.check(&larger).is_ok()
    );
    for (outcome, value) in
        [(LegOutcome::Paused, None), (LegOutcome::Completed, None), (LegOutcome::Stopped, Some(1.0))]
    {
        let mut memory = Memory::of(&sweep(1)).unwrap();
        memory.suggested(&of_batch(64));
        memory.ended(&end(LegOutcome::Failed, None, true));
        memory.ended(&end(outcome, value, false));
        assert_eq!(memory.limit().too_large(), None, "{outcome:?}: so much was trained");
    }
}

fn only_sweep(daemon: &Daemon) -> SweepId {
    daemon.world.core.sweeps.keys().copied().next().unwrap()
}

/// A daemon whose first trials have shown what fits.
fn experienced(spec: &Sweep, fits: i64) -> Daemon {
    let mut daemon = Daemon::new(spec, fits);
    while daemon.failures().is_empty() {
        let claimed = daemon.claim("cuda:0").unwrap();
        daemon.work(&claimed);
    }
    daemon
}

#[test]
fn what_the_user_asks_for_is_tried_and_may_belie_the_limit() {
    let mut daemon = experienced(&sweep(100), 16);
    let sweep = only_sweep(&daemon);
    let ask = |params: Params| Input::Command { sweep, command: Command::Enqueue(params) };
    daemon.say(ask(of_batch(4096))).unwrap();
    let claimed = daemon.claim("cuda:0").unwrap();
    assert_eq!(batch_of(&claimed.params), 4096);
    // What the user leaves open is what fits.
    for _ in 0..5 {
        daemon.say(ask(Params::from([("learning_rate".into(), Value::Float(0.005))]))).unwrap();
    }
    let largest = daemon.batches().iter().rev().take(5).max().copied().unwrap();
    assert!(largest <= 64, "{:?}", daemon.batches());
    // Whoever had the memory has gone.
    daemon.fits = 4096;
    daemon.work(&claimed);
    daemon.finish(1, true);
    let batches = daemon.batches();
    assert_eq!(batches.len(), 100);
    assert!(batches.iter().rev().take(50).any(|batch| *batch > 2000), "{batches:?}");
}

#[test]
fn a_trial_tried_again_that_completes_belies_its_failure() {
    let spec = sweep(100);
    let mut daemon = experienced(&spec, 16);
    let failed = daemon.trials().len() as u64 - 1;
    let mut method = recovered(&spec, &daemon, failed + 1);
    assert_eq!(method.memory.as_ref().unwrap().limit().too_large().unwrap().trials, [failed]);
    let end = crate::stopper::Ended {
        trial: failed,
        until_step: None,
        outcome: LegOutcome::Completed,
        value: Some(1.0),
        further: Vec::new(),
    };
    method.ended(failed + 1, FoldEnd { fold: 0, whole: false, out_of_memory: false, end });
    assert_eq!(method.memory.as_ref().unwrap().limit().too_large(), None);
    daemon.finish(1, true);
}

#[test]
fn a_grid_tries_every_combination() {
    let mut spec = sweep(1);
    spec.search.trials = None;
    spec.search.sampler = SamplerSpec::Grid { divisions: 5 };
    let values = [16, 32, 64, 128, 256, 512].map(|batch: i64| Value::from(batch)).to_vec();
    spec.space.insert("batch_size".into(), parameter(ParameterKind::Choice { values }));
    let mut daemon = Daemon::new(&spec, 40);
    daemon.finish(1, true);
    assert_eq!((daemon.trials().len(), daemon.failures().len()), (30, 20));
    assert_eq!(daemon.why_it_ended(), Some(Reason::SpaceExhausted));
}

#[test]
fn where_nothing_fits_three_trials_are_tried_and_the_sweep_says_so() {
    for order in [Order::Arrival, Order::Number] {
        let mut spec = sweep(50);
        spec.search.order = order;
        spec.space.insert("batch_size".into(), parameter(ParameterKind::Fixed { value: 256.into() }));
        let mut daemon = Daemon::new(&spec, 64);
        daemon.finish(1, true);
        assert_eq!(daemon.failures(), [true; 3], "one may have been somebody else's fault");
        let needs = need(&of_batch(256));
        let too_large = TooLarge { above_bytes: needs + needs / 4, trials: vec![0, 1, 2] };
        assert_eq!(daemon.why_it_ended(), Some(Reason::NothingFits { too_large: too_large.clone() }));
        let ended = |change: &Change| matches!(change, Change::SweepMoved { to: SweepState::Completed, .. });
        assert!(daemon.changes.iter().any(ended));
        let all = stored(spec.clone(), &daemon.changes);
        assert_eq!(replay(&all), Ok(all.legs.len() as u64));
        let configurations: Vec<Params> = all.trials.iter().map(|trial| trial.params.clone()).collect();
        assert_eq!(super::too_large(&spec, &configurations, &all.legs), Some(too_large));
    }
}

#[test]
fn two_failures_that_were_somebody_elses_fault_end_nothing() {
    let mut spec = sweep(20);
    spec.space.insert("batch_size".into(), parameter(ParameterKind::Fixed { value: 64.into() }));
    let mut daemon = Daemon::new(&spec, 1);
    for _ in 0..2 {
        let claimed = daemon.claim("cuda:0").unwrap();
        daemon.work(&claimed);
    }
    daemon.fits = 64;
    daemon.finish(1, true);
    assert_eq!((daemon.trials().len(), daemon.failures().len()), (20, 2));
    assert_eq!(daemon.why_it_ended(), Some(Reason::BudgetSpent));
}

#[test]
fn of_a_finite_space_what_fits_is_tried_and_the_rest_is_left() {
    for duplicates in [Duplicates::Skip, Duplicates::Reuse] {
        let mut spec = sweep(1000);
        spec.search.duplicates = duplicates;
        spec.space = BTreeMap::from([("batch_size".into(), batches(1, 40))]);
        let mut daemon = Daemon::new(&spec, 20);
        daemon.finish(1, true);
        let batches: std::collections::BTreeSet<i64> = daemon.batches().into_iter().collect();
        assert!((1..=20).all(|batch| batches.contains(&batch)), "{batches:?}");
        let failed = daemon.failures().len();
        assert!((3..15).contains(&failed), "{failed} of 20 that do not fit");
        let why = daemon.why_it_ended();
        assert!(matches!(why, Some(Reason::NothingFits { .. })), "{duplicates:?} {why:?}");
    }
}

#[test]
fn in_parts_a_failure_is_of_the_most_parts() {
    let mut spec = sweep(60);
    spec.objective.out_of_memory = OutOfMemory::Accumulate;
    let mut daemon = Daemon::new(&spec, 64);
    daemon.finish(1, true);
    let batches = daemon.batches();
    let largest = batches.iter().copied().filter(|batch| *batch <= 512).max().unwrap();
    assert!(largest > 256, "what fits in eight parts is tried: {batches:?}");
    let failed = daemon.failures().len();
    assert!((1..8).contains(&failed), "{failed} failed: {batches:?}");
    assert_eq!(batches.iter().filter(|batch| **batch > 512).count(), failed);
    let stored = stored(spec, &daemon.changes);
    assert_eq!(replay(&stored), Ok(stored.legs.len() as u64));
}

#[test]
fn what_was_learned_holds_in_another_space() {
    let spec = sweep(100);
    let daemon = experienced(&spec, 16);
    let legs = daemon.trials().len() as u64;
    let known = stored(spec.clone(), &daemon.changes);
    let past = Past {
        legs,
        records: known.legs.clone(),
        points: known.trials.iter().map(|trial| trial.params.clone()).collect(),
        terms: vec![PastTerms { terms: spec.terms(), until_leg: legs, seq: 1000 }],
        ..Past::default()
    };
    let mut other = spec;
    other.space.insert("batch_size".into(), batches(8, 100_000));
    let mut method = Method::new(&other, &past).unwrap();
    method.learn(&past);
    let failed = need(&of_batch(*daemon.batches().last().unwrap()));
    for number in legs..legs + 30 {
        let (params, _) = next(&mut method, number).unwrap();
        assert!(need(&params) <= failed + failed / 4);
        method.suggested(&params);
    }
}

#[test]
fn all_training_rows_and_other_objectives_have_no_estimate() {
    let all = Plan::from_params(&Params::from([("batch_size".into(), "all".into())])).unwrap();
    assert_eq!(all.least_memory_bytes(1), None);
    let mut memory = Memory::of(&sweep(1)).unwrap();
    memory.suggested(&of_batch(1));
    memory.limit.failed(0, 1);
    assert!(memory.check(&all).is_ok());
    assert!(Memory::of(&toy_sweep("s", 0, 1)).is_none());
}

#[test]
fn in_parts_what_cannot_be_split_further_needs_more_than_it_seems() {
    let mut spec = sweep(1);
    spec.objective.out_of_memory = OutOfMemory::Accumulate;
    let mut memory = Memory::of(&spec).unwrap();
    let wide = Params::from([("batch_size".into(), 1.into()), ("dense".into(), 8192.into())]);
    assert!(need(&wide) < need(&of_batch(256)), "{} {}", need(&wide), need(&of_batch(256)));
    memory.suggested(&of_batch(256));
    memory.limit.failed(0, memory.estimates[0].unwrap());
    assert!(memory.check(&Plan::from_params(&wide).unwrap()).is_err(), "in eight parts it is the larger one");
}

#[test]
fn heirs_take_on_nothing_that_does_not_fit() {
    let mut spec = sweep(1);
    let population =
        Population { members: 6, interval: 1, quantile: 0.34, perturb: vec!["batch_size".into()] };
    spec.search.trials = Some(60);
    spec.search.stopper = Some(StopperSpec::Population(population));
    spec.space.insert("batch_size".into(), batches(16, 128));
    spec.space.insert("epochs".into(), parameter(ParameterKind::Fixed { value: 12.into() }));
    let mut daemon = Daemon::new(&spec, 50);
    daemon.finish(1, true);
    let trials = daemon.trials();
    let heirs = trials.iter().filter(|(_, reason)| reason.descent().is_some()).count();
    assert!(heirs > 20, "{heirs} heirs");
    let mut failed: Vec<u64> = Vec::new();
    for (params, _) in &trials {
        let needs = need(params);
        assert!(failed.iter().all(|failed| needs != *failed && needs <= failed + failed / 4));
        failed.extend((batch_of(params) > 50).then_some(needs));
    }
    assert!(!failed.is_empty());
}
