use super::super::asha::Asha;
use super::*;
use crate::domain::{Direction, LegOutcome};

fn hyperband(max_steps: u64) -> Hyperband {
    let bracket = |first| -> Box<dyn Stopper> { Box::new(Asha::new(first, 3, &[Direction::Minimize])) };
    Hyperband::new(1, max_steps, 3, bracket)
}

fn counts(stopper: &Hyperband, trials: u64) -> Vec<u64> {
    let mut counts = vec![0; stopper.brackets.len()];
    (0..trials).for_each(|trial| counts[stopper.bracket(trial)] += 1);
    counts
}

#[test]
fn every_bracket_gets_trials_for_the_same_budget() {
    let stopper = hyperband(81);
    // The numbers of trials in the paper's table 1, which are rounded there.
    assert_eq!(stopper.shares, [81, 115, 130, 138, 143]);
    let first = |trial| stopper.first_rung(trial).unwrap();
    assert_eq!(first(0), 1);
    let mut rungs: Vec<u64> = (0..143).map(first).collect();
    rungs.sort_unstable();
    rungs.dedup();
    assert_eq!(rungs, [1, 3, 9, 27, 81]);
    for trials in [20, 50, 143, 1000, 100_000] {
        let share = |of: u64| of as f64 * trials as f64 / 143.0;
        for (count, of) in counts(&stopper, trials).iter().zip([81, 34, 15, 8, 5]) {
            assert!((*count as f64 - share(of)).abs() <= 3.0, "{count} of {trials} for {of} of 143");
        }
    }
}

#[test]
fn odd_limits_have_a_bracket() {
    assert_eq!(hyperband(0).brackets.len(), 1);
    assert_eq!(hyperband(1).brackets.len(), 1);
    assert_eq!(hyperband(80).brackets.len(), 4);
    let endless = hyperband(u64::MAX);
    assert!(endless.brackets.len() > 30);
    assert!((0..1000).all(|trial| endless.first_rung(trial).is_some()));
}

#[test]
fn brackets_do_not_see_each_other_and_the_highest_rung_goes_first() {
    let mut stopper = hyperband(9);
    let of = |stopper: &Hyperband, bracket| -> Vec<u64> {
        (0..100).filter(|trial| stopper.bracket(*trial) == bracket).take(3).collect()
    };
    let (early, late) = (of(&stopper, 0), of(&stopper, 1));
    for (trials, rung, worst) in [(&early, 1, 1.0), (&late, 3, 9.0)] {
        for (n, trial) in trials.iter().enumerate() {
            assert!(stopper.promote(false, &|t| trials.contains(&t)).is_none());
            stopper.decided(*trial, Some(rung));
            let value = Some(worst - 0.1 * n as f64);
            let end = Ended {
                trial: *trial,
                until_step: Some(rung),
                outcome: LegOutcome::Paused,
                value,
                further: Vec::new(),
            };
            stopper.ended(end);
        }
    }
    // Worse than all of the first bracket, but the best of its own.
    let promotion = stopper.promote(false, &|_| true).unwrap();
    assert_eq!((promotion.trial, promotion.until_step), (late[2], 9));
    stopper.decided(promotion.trial, Some(9));
    let promotion = stopper.promote(false, &|_| true).unwrap();
    assert_eq!((promotion.trial, promotion.until_step), (early[2], 3));
    assert_eq!(stopper.verdict(early[0]).to_string(), "rung 1: 1.0000 is number 3 of 3, and 0 went on");
}
