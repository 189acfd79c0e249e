//! Stoppers that look at a trial alone, and what all of them have in common.

use super::*;
use crate::domain::sweep::Against;
use proptest::prelude::*;

const AGAINST: Against = Against { startup_trials: 1, warmup_steps: 0, interval_steps: 1, min_trials: 1 };

fn all() -> Vec<StopperSpec> {
    let (min_steps, factor, mode) = (1, 2, Mode::Stop);
    vec![
        StopperSpec::Asha { min_steps, factor, mode },
        StopperSpec::Asha { min_steps, factor, mode: Mode::Promote },
        StopperSpec::Halving { min_steps, factor },
        StopperSpec::Hyperband { min_steps, max_steps: 8, factor, mode },
        StopperSpec::Hyperband { min_steps, max_steps: 8, factor, mode: Mode::Promote },
        StopperSpec::Median(AGAINST),
        StopperSpec::Percentile { percentile: 25.0, against: AGAINST },
        StopperSpec::Extrapolation { startup_trials: 1, warmup_steps: 0, chance: 0.5 },
        StopperSpec::Threshold { lower: Some(0.5), upper: Some(9.0), after_steps: 1 },
        StopperSpec::Patience { patience: 2, min_delta: 0.0 },
    ]
}

fn judge(stopper: &mut dyn Stopper, curve: &[(u64, f64)]) -> Verdict {
    stopper.judge(&Judged { trial: 7, leg: 7, sees_below: u64::MAX, at_its_end: false, further: &[], curve })
}

fn reason(stopper: &mut dyn Stopper, curve: &[(u64, f64)]) -> Option<String> {
    match judge(stopper, curve) {
        Verdict::Stop(reason) => Some(reason.to_string()),
        _ => None,
    }
}

#[test]
fn a_value_out_of_range_ends_a_trial() {
    let spec = StopperSpec::Threshold { lower: Some(-1.0), upper: Some(2.5), after_steps: 2 };
    let mut stopper = build(&spec, &[Direction::Maximize]);
    let mut at = |step, value| reason(stopper.as_mut(), &[(step, value)]);
    assert_eq!(at(2, 99.0), None, "too early");
    assert_eq!(at(3, 2.5), None);
    assert_eq!(at(3, -1.0), None);
    assert_eq!(at(3, 2.6).as_deref(), Some("step 3: 2.6000 is beyond 2.5"));
    assert_eq!(at(3, -1.5).as_deref(), Some("step 3: -1.5000 is beyond -1"));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(at(3, value).as_deref(), Some("step 3: the value is not finite"));
    }
}

#[test]
fn a_trial_that_gets_no_better_ends() {
    let curve = |values: &[f64]| -> Vec<(u64, f64)> { (1..).zip(values.iter().copied()).collect() };
    for (direction, sign) in [(Direction::Minimize, 1.0), (Direction::Maximize, -1.0)] {
        let mut stopper = build(&StopperSpec::Patience { patience: 2, min_delta: 0.1 }, &[direction]);
        let mut ends = |values: &[f64]| {
            let values: Vec<f64> = values.iter().map(|value| value * sign).collect();
            reason(stopper.as_mut(), &curve(&values))
        };
        assert_eq!(ends(&[5.0, 5.0]), None);
        assert!(ends(&[5.0, 5.0, 4.95]).unwrap().starts_with("step 3: nothing better than"));
        assert_eq!(ends(&[5.0, 5.0, 4.8]), None);
        // Small gains add up.
        assert_eq!(ends(&[5.0, 4.95, 4.85]), None);
        assert_eq!(ends(&[5.0, f64::NAN]), None);
        assert!(ends(&[5.0, f64::NAN, f64::NEG_INFINITY]).is_some());
        assert_eq!(ends(&[f64::NAN]), None);
        assert_eq!(ends(&[f64::NAN, f64::NAN]).as_deref(), Some("step 2: still no finite value"));
    }
}

#[test]
fn nobody_is_stopped_who_is_alone_or_without_a_step() {
    for spec in all() {
        for direction in [Direction::Minimize, Direction::Maximize] {
            let mut stopper = build(&spec, &[direction]);
            assert_eq!(judge(stopper.as_mut(), &[]), Verdict::Nothing, "{spec}");
            assert!(!matches!(judge(stopper.as_mut(), &[(1, f64::NAN)]), Verdict::Stop(_)), "{spec}");
            assert_eq!(stopper.promote(true, &|_| true), None, "{spec}");
            assert!(!matches!(stopper.verdict(0), Reason::PassedRung { .. }));
        }
    }
}

#[test]
fn what_is_said_survives_json_bit_by_bit() {
    let mut halt = build(&all()[0], &[Direction::Minimize]);
    let Verdict::Passed(reason) = judge(halt.as_mut(), &[(1, 0.1 + 0.2)]) else { panic!("it ends") };
    let text = serde_json::to_string(&reason).unwrap();
    assert_eq!(serde_json::from_str::<Reason>(&text).unwrap(), reason);
    for spec in all() {
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<StopperSpec>(&text).unwrap(), spec, "{text}");
    }
    // A sweep of before there were modes.
    let old = r#"{"name": "asha", "min_steps": 1, "factor": 3}"#;
    let spec = StopperSpec::Asha { min_steps: 1, factor: 3, mode: Mode::Promote };
    assert_eq!(serde_json::from_str::<StopperSpec>(old).unwrap(), spec);
}

/// What a stopper that looks at completed trials says does not depend on the direction, on later legs that are hidden, or
/// on the order of news; `new` makes one for a direction.
pub(super) fn sees_what_it_may_and_no_more<S: Stopper>(
    new: impl Fn(Direction) -> S,
    curves: &[Vec<f64>],
    own: &[f64],
    sees_below: u64,
) -> Result<(), TestCaseError> {
    let curve = |values: &[f64], sign: f64| -> Vec<(u64, f64)> {
        (1..).zip(values.iter().map(|value| value * sign)).collect()
    };
    let judge = |stopper: &mut S, sees_below, curve: &[(u64, f64)]| {
        stopper.judge(&Judged { trial: 1000, leg: 1000, sees_below, at_its_end: false, further: &[], curve })
    };
    let (mut down, mut up) = (new(Direction::Minimize), new(Direction::Maximize));
    let mut seen_only = new(Direction::Minimize);
    for (leg, values) in (0u64..).zip(curves) {
        if leg < sees_below {
            seen_only.completed(leg, &curve(values, 1.0));
        }
        // What it remembers of a question gets what comes later, too.
        judge(&mut down, u64::MAX, &curve(own, 1.0));
        down.completed(leg, &curve(values, 1.0));
    }
    for (leg, values) in (0u64..).zip(curves).collect::<Vec<_>>().into_iter().rev() {
        up.completed(leg, &curve(values, -1.0));
    }
    let verdict = judge(&mut down, sees_below, &curve(own, 1.0));
    prop_assert_eq!(&verdict, &judge(&mut seen_only, u64::MAX, &curve(own, 1.0)));
    let mirrored = judge(&mut up, sees_below, &curve(own, -1.0));
    prop_assert_eq!(matches!(verdict, Verdict::Stop(_)), matches!(mirrored, Verdict::Stop(_)));
    Ok(())
}

proptest! {
    #[test]
    fn no_value_makes_one_panic(
        values in prop::collection::vec((1..50u64, any::<f64>(), 0..6u64), 0..40),
    ) {
        for spec in all() {
            let mut stopper = build(&spec, &[Direction::Maximize]);
            for (step, value, trial) in &values {
                let curve = [(*step, *value), (*step + 1, -*value)];
                let judged =
                    Judged { trial: *trial, leg: *trial, sees_below: *step, at_its_end: false, further: &[], curve: &curve };
                if let Verdict::Passed(reason) | Verdict::Stop(reason) = stopper.judge(&judged) {
                    stopper.remember(*trial, *trial, &reason);
                }
                stopper.completed(100 + *step, &curve);
            }
        }
    }
}
