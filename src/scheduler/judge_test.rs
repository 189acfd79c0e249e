//! Running trials that a stopper ends.

use crate::domain::sweep::{Against, Mode, Order, StopperSpec};
use crate::domain::{Change, Decision, EventKind, Reason, TellState, TrialState};
use crate::scheduler::core::core_test::{World, judging, moves, report, seeker, toy_sweep};
use crate::scheduler::{Claimed, Command, Handled, Input, Refusal, Reply};

const AGAINST: Against = Against { startup_trials: 1, warmup_steps: 0, interval_steps: 1, min_trials: 1 };

fn stop() -> Result<Reply, Refusal> {
    Ok(Reply::Decision(Decision::Stop))
}

fn go_on() -> Result<Reply, Refusal> {
    Ok(Reply::Decision(Decision::Continue))
}

/// A sweep whose first trial has completed three steps of 1.0, and whose second is being worked on.
fn against_one(order: Order) -> (World, Claimed) {
    let mut world = World::new();
    world.submit(judging(StopperSpec::Median(AGAINST), 5, order, 1));
    let first = world.claim("w", "r0").unwrap();
    (1..=3).for_each(|step| assert_eq!(world.report(&first, step, 1.0), go_on()));
    world.tell(&first, TellState::Completed);
    let second = world.claim("w", "r1").unwrap();
    (world, second)
}

fn ended(handled: &Handled) -> Option<String> {
    handled.changes.iter().find_map(|change| match change {
        Change::TrialMoved { to, reason, .. } if to.is_over() => {
            Some(format!("{}: {}", to.as_str(), reason.as_ref().unwrap()))
        }
        _ => None,
    })
}

fn valued(handled: &Handled) -> Option<(u64, f64, bool)> {
    handled.changes.iter().find_map(|change| match change {
        Change::Valued { step, value, ranked, .. } => Some((*step, *value, *ranked)),
        _ => None,
    })
}

#[test]
fn a_trial_worse_than_the_median_ends_unranked_with_the_reason_and_frees_its_slot() {
    let (mut world, claimed) = against_one(Order::Arrival);
    assert_eq!(world.report(&claimed, 1, 0.5), go_on());
    assert_eq!(world.report(&claimed, 2, 3.0), go_on(), "its best so far counts");
    world.tell(&claimed, TellState::Completed);
    let claimed = world.claim("w", "r2").unwrap();
    let handled = world.handle(report(&claimed, 1, 3.41));
    assert_eq!(handled.reply, stop());
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Stopping)]);
    assert!(handled.synced, "it survives a power cut");
    let said = handled.changes.iter().find_map(|change| match change {
        Change::Recorded(event) => {
            Some((event.kind, event.attempt, event.reason.clone().unwrap().to_string()))
        }
        _ => None,
    });
    let why = "step 1: 3.4100 is worse than the median 0.7500 of 2";
    assert_eq!(said, Some((EventKind::TrialStopping, Some(claimed.attempt), why.to_owned())));
    // The same again, a beat, and what it had buffered.
    assert_eq!(world.report(&claimed, 1, 3.41), stop());
    assert_eq!(world.report(&claimed, 2, 3.3), stop());
    let beat = Input::Heartbeat { trial: claimed.leg.trial, attempt: claimed.attempt };
    assert_eq!(world.handle(beat).reply, stop());
    assert!(world.claim("v", "q").is_none(), "its slot is not free yet");
    let handled = world.tell(&claimed, TellState::Stopped);
    assert_eq!(ended(&handled), Some(format!("stopped: {why}")));
    assert_eq!(valued(&handled), Some((2, 3.3, false)));
    assert!(world.claim("w", "r3").is_some());
}

#[test]
fn a_worker_that_is_lost_or_hands_back_meanwhile_ends_it_for_the_same_reason() {
    for (order, value) in [(Order::Arrival, (2, 2.0, false)), (Order::Number, (1, 3.0, false))] {
        for lost in [true, false] {
            let (mut world, claimed) = against_one(order);
            assert_eq!(world.report(&claimed, 1, 3.0), stop());
            assert_eq!(world.report(&claimed, 2, 2.0), stop());
            let handled = match lost {
                true => world.handle(Input::WorkerGone { worker: "w".into(), how: "signal 9".into() }),
                false => world.tell(&claimed, TellState::Paused),
            };
            let why = "stopped: step 1: 3.0000 is worse than the median 1.0000 of 1";
            assert_eq!(ended(&handled).as_deref(), Some(why));
            assert_eq!(valued(&handled), Some(value), "{order:?}");
        }
    }
}

#[test]
fn a_late_result_counts_but_not_where_timing_must_not_matter() {
    for (state, arrival) in [(TellState::Completed, "completed: "), (TellState::Failed, "failed: ")] {
        for (order, expected) in [(Order::Arrival, arrival), (Order::Number, "stopped: step 1")] {
            let (mut world, claimed) = against_one(order);
            assert_eq!(world.report(&claimed, 1, 3.0), stop());
            assert_eq!(world.report(&claimed, 2, 0.1), stop());
            let handled = world.tell(&claimed, state);
            assert!(ended(&handled).unwrap().starts_with(expected), "{order:?}: {:?}", ended(&handled));
            if order == Order::Number {
                assert_eq!(valued(&handled), Some((1, 3.0, false)));
                let discarded = |c: &Change| matches!(c, Change::ReportsDiscarded { after_step: 1, .. });
                assert!(handled.changes.iter().any(discarded));
            }
        }
    }
}

#[test]
fn clients_hear_it_too_and_one_that_never_comes_back_is_not_waited_for_when_the_user_cancels() {
    let mut world = World::new();
    let mut spec = judging(
        StopperSpec::Threshold { lower: None, upper: Some(5.0), after_steps: 0 },
        5,
        Order::Arrival,
        2,
    );
    spec.objective.kind = crate::domain::ObjectiveKind::External;
    let sweep = world.submit(spec);
    let ask = Input::Ask { sweep, seeker: seeker("client", "a"), lease_ms: None };
    let Ok(Reply::Work(claimed)) = world.handle(ask).reply else { panic!("nothing was handed out") };
    assert_eq!(world.report(&claimed, 1, 4.0), go_on());
    assert_eq!(world.report(&claimed, 2, f64::NAN), stop());
    let handled = world.handle(Input::Command { sweep, command: Command::Cancel });
    assert_eq!(ended(&handled).as_deref(), Some("stopped: step 2: the value is not finite"));
    assert!(world.core.sweeps.is_empty());
}

#[test]
fn a_rung_that_was_passed_is_remembered_when_the_worker_is_lost() {
    let mut world = World::new();
    let stopper = StopperSpec::Asha { min_steps: 2, factor: 2, mode: Mode::Stop };
    world.submit(judging(stopper, 5, Order::Arrival, 2));
    let (first, second) = (world.claim("w", "r0").unwrap(), world.claim("v", "q0").unwrap());
    assert_eq!(first.leg.until_step, None, "nobody pauses");
    assert_eq!(world.report(&first, 1, 9.0), go_on());
    let handled = world.handle(report(&first, 2, 1.0));
    let passed = |change: &Change| match change {
        Change::Recorded(event) => event.kind == EventKind::TrialPassed && event.reason.is_some(),
        _ => false,
    };
    assert_eq!(handled.changes.iter().filter(|change| passed(change)).count(), 1);
    world.handle(Input::WorkerGone { worker: "w".into(), how: "signal 9".into() });
    // The steps of the first are taken back, what was judged is not.
    assert_eq!(world.report(&second, 2, 2.0), stop());
    world.now = world.core.next_deadline().unwrap();
    world.handle(Input::Tick);
    let again = world.claim("w", "r1").unwrap();
    assert_eq!(again.number, first.number);
    let handled = world.handle(report(&again, 2, 3.0));
    assert_eq!(handled.reply, go_on());
    assert!(!handled.changes.iter().any(passed), "it is judged once");
}

#[test]
fn a_step_without_the_metric_and_a_sweep_without_a_judge_are_left_alone() {
    let mut world = World::new();
    world.submit(judging(
        StopperSpec::Threshold { lower: None, upper: Some(0.0), after_steps: 0 },
        1,
        Order::Arrival,
        1,
    ));
    world.submit(toy_sweep("free", 0, 1));
    for request in ["r", "q"] {
        let claimed = world.claim(request, request).unwrap();
        let mut input = report(&claimed, 1, 1.0);
        if let (Input::Report { metrics, .. }, "r") = (&mut input, request) {
            *metrics = crate::domain::Metrics::default().with("loss", 1.0);
        }
        assert_eq!(world.handle(input).reply, go_on());
    }
}

#[test]
fn ordered_by_number_a_judgement_sees_what_the_decision_about_the_leg_saw() {
    let mut world = World::new();
    world.submit(judging(StopperSpec::Median(AGAINST), 9, Order::Number, 2));
    let (first, second) = (world.claim("w", "r0").unwrap(), world.claim("v", "q0").unwrap());
    world.report(&first, 1, 1.0).unwrap();
    world.tell(&first, TellState::Completed);
    // Leg 1 was decided beside leg 0, and does not know it. Leg 2 does.
    assert_eq!(world.report(&second, 1, 5.0), go_on());
    let third = world.claim("w", "r1").unwrap();
    world.tell(&second, TellState::Completed);
    let handled = world.handle(report(&third, 1, 2.0));
    assert_eq!(handled.reply, stop());
    let of = handled.changes.iter().find_map(|change| match change {
        Change::Recorded(event) => event.reason.clone(),
        _ => None,
    });
    assert!(matches!(of, Some(Reason::WorseThanOthers { of: 1, .. })), "{of:?}");
}
