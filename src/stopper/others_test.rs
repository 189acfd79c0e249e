use super::*;
use crate::stopper::judges_test::sees_what_it_may_and_no_more;
use proptest::prelude::*;

const AGAINST: Against = Against { startup_trials: 0, warmup_steps: 0, interval_steps: 1, min_trials: 1 };

fn median(against: Against, direction: Direction) -> Others {
    Others::new(50.0, against, direction)
}

fn judge(others: &mut Others, sees_below: u64, curve: &[(u64, f64)]) -> Verdict {
    others.judge(&Judged { trial: 1000, leg: 1000, sees_below, at_its_end: false, further: &[], curve })
}

fn stops(others: &mut Others, curve: &[(u64, f64)]) -> bool {
    matches!(judge(others, u64::MAX, curve), Verdict::Stop(_))
}

/// `count` completed trials that reach 1.0, 2.0 ... at step 1 and half of that at step 2.
fn completed(others: &mut Others, count: u64) {
    for leg in 0..count {
        let value = leg as f64 + 1.0;
        others.completed(leg, &[(1, value), (2, value / 2.0), (3, value)]);
    }
}

#[test]
fn worse_than_the_median_of_what_others_had_reached_ends() {
    let mut others = median(AGAINST, Direction::Minimize);
    assert!(!stops(&mut others, &[(1, 9.0)]), "the only trial goes on");
    completed(&mut others, 5);
    assert!(!stops(&mut others, &[(1, 3.0)]));
    assert!(stops(&mut others, &[(1, 3.1)]));
    assert!(stops(&mut others, &[(1, 3.0), (2, 1.6)]));
    assert!(!stops(&mut others, &[(1, 0.1), (2, 99.0)]), "its best so far counts");
    assert!(stops(&mut others, &[(3, 1.6)]), "theirs too");
    assert!(!stops(&mut others, &[(4, 99.0)]), "nobody came so far");
    let Verdict::Stop(reason) = judge(&mut others, u64::MAX, &[(2, 4.2)]) else { panic!("it goes on") };
    assert_eq!(reason.to_string(), "step 2: 4.2000 is worse than the median 1.5000 of 5");
    completed(&mut others, 6);
    assert!(!stops(&mut others, &[(1, 3.5)]), "between the two in the middle");
    assert!(stops(&mut others, &[(1, 3.51)]));
}

#[test]
fn a_percentile_keeps_the_best_so_many_percent() {
    let mut others = Others::new(25.0, AGAINST, Direction::Maximize);
    completed(&mut others, 5);
    assert!(!stops(&mut others, &[(1, 4.0)]));
    assert!(stops(&mut others, &[(1, 3.9)]));
    let Verdict::Stop(reason) = judge(&mut others, u64::MAX, &[(1, f64::NAN)]) else { panic!("it goes on") };
    assert_eq!(reason.to_string(), "step 1: no finite value is worse than 4.0000, the best 25 % of 5");
}

#[test]
fn startup_warmup_interval_and_company_are_waited_for() {
    let against = Against { startup_trials: 3, warmup_steps: 2, interval_steps: 3, min_trials: 2 };
    let mut others = median(against, Direction::Minimize);
    let curve: Vec<(u64, f64)> = (1..=9).map(|step| (step, 9.0)).collect();
    let judged_at = |others: &mut Others| -> Vec<u64> {
        (1..=9u64).filter(|step| stops(others, &curve[..*step as usize])).collect()
    };
    let better: Vec<(u64, f64)> = curve.iter().map(|(step, _)| (*step, 1.0)).collect();
    others.completed(0, &better);
    others.completed(1, &better[..4]);
    assert!(judged_at(&mut others).is_empty(), "two are not three");
    others.completed(2, &better[..7]);
    assert_eq!(judged_at(&mut others), [3, 6], "and nobody beside one at step 9");
    assert!(stops(&mut others, &[(1, 9.0), (4, 9.0)]), "the first report after the third step");
    assert!(!stops(&mut others, &[(3, 9.0), (4, 9.0)]));
    let at_its_end =
        Judged { trial: 9, leg: 9, sees_below: u64::MAX, at_its_end: true, further: &[], curve: &curve[..3] };
    assert_eq!(others.judge(&at_its_end), Verdict::Nothing);
}

#[test]
fn trials_without_a_finite_value_count_as_the_worst() {
    let mut others = median(AGAINST, Direction::Minimize);
    for leg in 0..3 {
        others.completed(leg, &[(1, f64::NAN), (2, f64::NEG_INFINITY), (3, 5.0)]);
    }
    assert!(!stops(&mut others, &[(1, f64::NAN)]), "as good as they were");
    assert!(stops(&mut others, &[(3, f64::NAN)]));
    others.completed(3, &[(1, 5.0)]);
    others.completed(4, &[]);
    assert_eq!(others.completed.len(), 4);
}

#[test]
fn a_hundred_thousand_trials_are_quick() {
    let mut others = median(AGAINST, Direction::Minimize);
    for leg in 0..100_000u64 {
        let value = (leg * 7919 % 100_003) as f64;
        others.completed(leg, &[(1, value + 2.0), (2, value + 1.0), (3, value)]);
        stops(&mut others, &[(1 + leg % 3, value)]);
    }
    assert!(stops(&mut others, &[(1, 60_000.0)]) && !stops(&mut others, &[(1, 40_000.0)]));
}

proptest! {
    #[test]
    fn it_sees_what_it_may_and_no_more(
        curves in prop::collection::vec(
            prop::collection::vec(prop_oneof![Just(f64::NAN), (0..6i32).prop_map(f64::from)], 0..5), 0..30),
        own in prop::collection::vec(prop_oneof![Just(f64::NAN), (0..6i32).prop_map(f64::from)], 1..5),
        sees_below in 0..30u64,
        percentile in prop_oneof![Just(50.0), Just(0.0), Just(100.0), Just(30.0)],
    ) {
        let new = |direction| Others::new(percentile, AGAINST, direction);
        sees_what_it_may_and_no_more(new, &curves, &own, sees_below)?;
    }
}
