use super::*;
use crate::stopper::judges_test::sees_what_it_may_and_no_more;
use proptest::prelude::*;

fn stopper(direction: Direction) -> Extrapolation {
    Extrapolation::new(3, 1, 0.05, direction)
}

fn judge(stopper: &mut Extrapolation, sees_below: u64, curve: &[(u64, f64)]) -> Verdict {
    stopper.judge(&Judged { trial: 1000, leg: 1000, sees_below, at_its_end: false, further: &[], curve })
}

fn stops(stopper: &mut Extrapolation, curve: &[(u64, f64)]) -> bool {
    matches!(judge(stopper, u64::MAX, curve), Verdict::Stop(_))
}

/// Falls from `start` by a power of the step to near `end`.
fn falls(start: f64, end: f64, power: f64, steps: u64) -> Curve {
    (1..=steps).map(|step| (step, end + (start - end) * (step as f64).powf(-power))).collect()
}

fn after_six(direction: Direction) -> Extrapolation {
    let mut stopper = stopper(direction);
    for leg in 0..6u64 {
        let end = 1.0 + 0.5 * leg as f64;
        stopper.completed(leg, &falls(end + 4.0, end, 0.8, 27));
    }
    stopper
}

#[test]
fn a_trial_that_will_hardly_win_ends_and_says_by_which_numbers() {
    let mut stopper = after_six(Direction::Minimize);
    let poor = falls(7.0, 3.2, 0.8, 5);
    let Verdict::Stop(reason) = judge(&mut stopper, u64::MAX, &poor) else { panic!("it goes on") };
    let Reason::UnlikelyToWin { step, value, expected, best, chance, of, ref curve } = reason else {
        panic!("{reason}")
    };
    assert_eq!((step, of, curve), (5, 6, &poor));
    assert!((value.unwrap() - poor[4].1).abs() < 1e-12);
    // Where it would have ended, and where the best one did.
    let at_the_end = falls(7.0, 3.2, 0.8, 27)[26].1;
    assert!((expected.unwrap() - at_the_end).abs() < 0.2, "{expected:?}, {at_the_end}");
    assert!((best.unwrap() - falls(5.0, 1.0, 0.8, 27)[26].1).abs() < 1e-12);
    assert!(chance < 0.05, "{chance}");
    let said = reason.to_string();
    assert!(said.starts_with("step 5: 4.24") && said.contains("by 6 others; a chance of 0."), "{said}");
}

#[test]
fn what_is_behind_but_falls_like_the_winner_goes_on() {
    let mut stopper = after_six(Direction::Minimize);
    // Worse than the median at this step, and the best in the end.
    assert!(!stops(&mut stopper, &falls(9.0, 0.5, 1.2, 4)));
    assert!(!stops(&mut stopper, &falls(5.0, 0.9, 0.8, 5)));
}

#[test]
fn schedules_that_make_all_curves_fall_late_are_no_hindrance() {
    let late = |start: f64, gain: f64, steps: u64| -> Curve {
        (1..=steps).map(|step| (step, if step < 20 { start } else { start - gain })).collect()
    };
    let mut stopper = stopper(Direction::Minimize);
    for leg in 0..5u64 {
        stopper.completed(leg, &late(3.0 + 0.1 * leg as f64, 1.0, 24));
    }
    assert!(
        !stops(&mut stopper, &late(2.95, 1.0, 15)),
        "it is the best so far and will fall with the others"
    );
    assert!(stops(&mut stopper, &late(4.5, 1.0, 15)));
}

#[test]
fn nobody_is_judged_too_early() {
    let poor = falls(20.0, 15.0, 0.8, 5);
    let mut new = stopper(Direction::Minimize);
    for leg in 0..2u64 {
        new.completed(leg, &falls(5.0, 1.0 + leg as f64, 0.8, 27));
    }
    assert!(!stops(&mut new, &poor), "two have completed");
    new.completed(2, &falls(5.0, 2.0, 0.8, 27));
    assert!(stops(&mut new, &poor));
    assert!(!stops(&mut new, &poor[..1]), "the first step is for warming up");
    let at_its_end =
        Judged { trial: 9, leg: 9, sees_below: u64::MAX, at_its_end: true, further: &[], curve: &poor };
    assert_eq!(new.judge(&at_its_end), Verdict::Nothing);
    assert_eq!(judge(&mut new, 2, &poor), Verdict::Nothing, "the third is not to be seen");
}

#[test]
fn curves_that_say_nothing_of_the_rest_are_left_out() {
    let mut new = stopper(Direction::Minimize);
    for leg in 0..3u64 {
        new.completed(leg, &falls(5.0, 1.0 + leg as f64, 0.8, 4));
    }
    assert!(!stops(&mut new, &falls(20.0, 15.0, 0.8, 5)), "they all end before its step");
    for leg in 3..9u64 {
        new.completed(leg, &[(1, 2.0), (2, 2.0), (27, 2.0)]);
    }
    assert!(!stops(&mut new, &[(1, f64::NAN), (2, f64::NAN)]));
}

#[test]
fn a_hundred_thousand_trials_are_quick() {
    let mut many = stopper(Direction::Minimize);
    for leg in 0..100_000u64 {
        let end = (leg * 7919 % 100_003) as f64 + 1.0;
        many.completed(leg, &[(1, end + 2.0), (2, end + 1.0), (3, end)]);
        if leg % 100 == 0 {
            stops(&mut many, &[(1, end + 2.0), (2, end + 1.0)]);
        }
    }
    assert!(stops(&mut many, &[(1, 90_000.0), (2, 89_999.0)]));
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), (0..60i32).prop_map(f64::from)],
        0..7,
    )
}

proptest! {
    #[test]
    fn it_sees_what_it_may_and_no_more(
        curves in prop::collection::vec(values(), 0..30),
        own in values(),
        sees_below in 0..30u64,
    ) {
        // As quick to judge as can be, so that much is said.
        let new = |direction| Extrapolation::new(1, 0, 0.5, direction);
        sees_what_it_may_and_no_more(new, &curves, &own, sees_below)?;
    }
}
