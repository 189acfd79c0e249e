use super::*;
use proptest::prelude::*;

const NAN: f64 = f64::NAN;

fn halt(direction: Direction) -> Halt {
    Halt::new(1, 3, &[direction])
}

fn judged(trial: u64, sees_below: u64, curve: &[(u64, f64)]) -> Judged<'_> {
    Judged { trial, leg: trial, sees_below, at_its_end: false, further: &[], curve }
}

/// Judges a trial at its only step and remembers what was said; whether it goes on.
fn report(halt: &mut Halt, trial: u64, step: u64, value: f64) -> bool {
    let verdict = halt.judge(&judged(trial, u64::MAX, &[(step, value)]));
    match &verdict {
        Verdict::Nothing => true,
        Verdict::Passed(reason) | Verdict::Stop(reason) => {
            halt.remember(trial, trial, reason);
            matches!(verdict, Verdict::Passed(_))
        }
    }
}

#[test]
fn the_first_goes_on_and_then_who_is_among_the_best_third() {
    let mut halt = halt(Direction::Minimize);
    let passed: Vec<bool> =
        [5.0, 6.0, 4.0, 4.5, 3.0, 3.5].iter().zip(0..).map(|(v, n)| report(&mut halt, n, 1, *v)).collect();
    // The fifth and sixth: the best third of five is one, of six it is two.
    assert_eq!(passed, [true, false, true, false, true, true]);
    let Verdict::Stop(reason) = halt.judge(&judged(9, u64::MAX, &[(1, 4.2)])) else { panic!("it goes on") };
    assert_eq!(reason.to_string(), "rung 1: 4.2000 is worse than the best third of 7, which ends at 3.5000");
    let Verdict::Passed(reason) = halt.judge(&judged(9, u64::MAX, &[(1, 3.2)])) else { panic!("it ends") };
    assert_eq!(reason.to_string(), "rung 1: 3.2000 (best third of 7: 3.2000): it goes on");
}

#[test]
fn a_trial_is_judged_once_at_each_rung_with_its_best_so_far() {
    let mut halt = halt(Direction::Minimize);
    assert!(report(&mut halt, 0, 1, 1.0));
    // Trained again, with another number: nothing new.
    assert_eq!(halt.judge(&judged(0, u64::MAX, &[(1, 9.0)])), Verdict::Nothing);
    assert_eq!(halt.judge(&judged(0, u64::MAX, &[(1, 1.0), (2, 9.0)])), Verdict::Nothing);
    let at_three = halt.judge(&judged(0, u64::MAX, &[(1, 1.0), (2, 9.0), (4, 9.0)]));
    let Verdict::Passed(Reason::PassedRung { rung: 3, step: 4, value: Some(1.0), of: 1, .. }) = at_three
    else {
        panic!("{at_three:?}")
    };
    // Two rungs at once: one after the other.
    let curve = [(9, 0.5)];
    for rung in [1, 3, 9] {
        let Verdict::Passed(reason) = halt.judge(&judged(1, u64::MAX, &curve)) else { panic!("rung {rung}") };
        assert!(matches!(reason, Reason::PassedRung { rung: at, step: 9, .. } if at == rung));
        halt.remember(1, 1, &reason);
    }
    assert_eq!(halt.judge(&judged(1, u64::MAX, &curve)), Verdict::Nothing);
}

#[test]
fn what_is_not_finite_is_the_worst_and_alone_it_goes_on() {
    for direction in [Direction::Minimize, Direction::Maximize] {
        let mut halt = halt(direction);
        assert!(report(&mut halt, 0, 1, NAN));
        assert!(report(&mut halt, 1, 1, f64::INFINITY), "as good as the best");
        assert!(report(&mut halt, 2, 1, 7.0));
        assert!(!report(&mut halt, 3, 1, f64::NEG_INFINITY));
        assert_eq!(halt.judge(&judged(4, u64::MAX, &[])), Verdict::Nothing);
    }
}

#[test]
fn at_the_end_of_its_budget_a_trial_is_counted_and_not_stopped() {
    let mut halt = halt(Direction::Minimize);
    assert!(report(&mut halt, 0, 1, 1.0));
    let curve = [(1, 2.0)];
    let at_its_end = Judged { at_its_end: true, ..judged(1, u64::MAX, &curve) };
    assert!(matches!(halt.judge(&at_its_end), Verdict::Passed(_)));
    assert!(matches!(halt.judge(&judged(1, u64::MAX, &curve)), Verdict::Stop(_)));
}

#[test]
fn a_hundred_thousand_trials_are_quick() {
    let mut halt = halt(Direction::Maximize);
    let passed = (0..100_000u64).filter(|n| report(&mut halt, *n, 1, (n * 7919 % 100_003) as f64)).count();
    assert!((33_000..40_000).contains(&passed), "{passed}");
}

proptest! {
    /// What is said does not depend on the direction, on later legs that are hidden, or on the order of news; and it is what
    /// a plain count says.
    #[test]
    fn it_sees_what_it_may_and_no_more(
        values in prop::collection::vec(prop_oneof![Just(NAN), (0..6i32).prop_map(f64::from)], 1..40),
        own in prop_oneof![Just(NAN), (0..6i32).prop_map(f64::from)],
        sees_below in 0..40u64,
        factor in 2..5u64,
    ) {
        let passed = |rung, value: f64| {
            let value = Some(value).filter(|v| v.is_finite());
            Reason::PassedRung { rung, step: 1, value, bound: None, of: 0, factor, further: Vec::new() }
        };
        let mut down = Halt::new(1, factor, &[Direction::Minimize]);
        let mut up = Halt::new(1, factor, &[Direction::Maximize]);
        let mut seen_only = Halt::new(1, factor, &[Direction::Minimize]);
        for (trial, value) in (0u64..).zip(&values) {
            down.remember(trial, trial, &passed(1, *value));
            if trial < sees_below {
                seen_only.remember(trial, trial, &passed(1, *value));
            }
        }
        for (trial, value) in (0u64..).zip(&values).collect::<Vec<_>>().into_iter().rev() {
            up.remember(trial, trial, &passed(1, -value));
        }
        let verdict = down.judge(&judged(100, sees_below, &[(1, own)]));
        prop_assert_eq!(&verdict, &seen_only.judge(&judged(100, u64::MAX, &[(1, own)])));
        let goes_on = matches!(verdict, Verdict::Passed(_));
        let mirrored = up.judge(&judged(100, sees_below, &[(1, -own)]));
        prop_assert_eq!(goes_on, matches!(mirrored, Verdict::Passed(_)));
        let worst = |value: f64| if value.is_finite() { value } else { f64::INFINITY };
        let mut all: Vec<f64> = values.iter().take(sees_below as usize).map(|v| worst(*v)).collect();
        all.push(worst(own));
        all.sort_by(f64::total_cmp);
        let bound = all[(all.len() / factor as usize).max(1) - 1];
        prop_assert_eq!(goes_on, worst(own) <= bound);
        let (Verdict::Passed(Reason::PassedRung { bound: told, .. })
            | Verdict::Stop(Reason::BelowRung { bound: told, .. })) = verdict else { unreachable!() };
        prop_assert_eq!(told, Some(bound).filter(|bound| bound.is_finite()));
    }
}
