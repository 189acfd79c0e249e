use super::*;

fn asha() -> Asha {
    Asha::new(1, 3, &[Direction::Minimize])
}

fn paused(trial: u64, until: u64, value: f64) -> Ended {
    Ended {
        trial,
        until_step: Some(until),
        outcome: LegOutcome::Paused,
        value: Some(value),
        further: Vec::new(),
    }
}

/// Decides and ends a leg at once.
fn run(stopper: &mut Asha, trial: u64, until: u64, value: f64) {
    stopper.decided(trial, Some(until));
    stopper.ended(paused(trial, until, value));
}

#[test]
fn one_in_three_goes_on_and_the_highest_rung_comes_first() {
    let mut stopper = asha();
    for (trial, value) in [(0, 5.0), (1, 3.0)] {
        run(&mut stopper, trial, 1, value);
        assert_eq!(stopper.promote(false, &|_| true), None);
    }
    run(&mut stopper, 2, 1, 4.0);
    let promotion = stopper.promote(false, &|_| true).unwrap();
    assert_eq!((promotion.trial, promotion.until_step), (1, 3));
    assert_eq!(promotion.reason.to_string(), "rung 1: 3.0000 is number 1 of 3: it goes on");
    run(&mut stopper, 1, 3, 2.0);
    assert_eq!(stopper.promote(false, &|_| true), None);
    // Six more: two more of nine go on from rung 1, then the best of three from rung 3.
    for (trial, value) in [(3, 1.0), (4, 9.0), (5, 2.5), (6, 9.0), (7, 9.0), (8, 9.0)] {
        run(&mut stopper, trial, 1, value);
    }
    for (trial, value) in [(3, 0.9), (5, 0.8)] {
        assert_eq!(stopper.promote(false, &|_| true).unwrap().trial, trial);
        run(&mut stopper, trial, 3, value);
    }
    let promotion = stopper.promote(false, &|_| true).unwrap();
    assert_eq!((promotion.trial, promotion.until_step), (5, 9));
}

#[test]
fn a_small_sweep_has_a_winner() {
    let mut stopper = asha();
    stopper.decided(0, Some(1));
    run(&mut stopper, 1, 1, 2.0);
    assert_eq!(stopper.promote(true, &|_| true), None, "trial 0 may still be better");
    stopper.ended(paused(0, 1, 3.0));
    assert_eq!(stopper.promote(false, &|_| true), None, "another trial may come");
    assert_eq!(stopper.promote(true, &|_| true).unwrap().trial, 1);
    stopper.decided(1, Some(3));
    assert_eq!(stopper.promote(true, &|_| true), None);
    let verdict = stopper.verdict(0);
    assert_eq!(verdict.to_string(), "rung 1: 3.0000 is number 2 of 2, and 1 went on");
}

#[test]
fn failures_and_spent_budgets_are_waited_for_no_longer() {
    let mut stopper = asha();
    for trial in 0..3 {
        stopper.decided(trial, Some(1));
    }
    stopper.ended(Ended {
        trial: 0,
        until_step: Some(1),
        outcome: LegOutcome::Failed,
        value: Some(0.1),
        further: Vec::new(),
    });
    stopper.ended(Ended {
        trial: 1,
        until_step: Some(1),
        outcome: LegOutcome::Completed,
        value: Some(1.0),
        further: Vec::new(),
    });
    stopper.ended(paused(2, 1, 2.0));
    // The best has nothing left to do, and one place was all there was.
    assert_eq!(stopper.promote(true, &|_| true), None);
}

#[test]
fn direction_is_symmetric_and_order_of_news_does_not_matter() {
    let values = [(0u64, 4.0), (1, 2.0), (2, 7.0), (3, 1.0), (4, 5.0), (5, 6.0)];
    let mut down = asha();
    let mut up = Asha::new(1, 3, &[Direction::Maximize]);
    let mut reversed = asha();
    values.iter().for_each(|(trial, value)| run(&mut down, *trial, 1, *value));
    values.iter().for_each(|(trial, value)| run(&mut up, *trial, 1, -value));
    values.iter().for_each(|(trial, _)| reversed.decided(*trial, Some(1)));
    values.iter().rev().for_each(|(trial, value)| reversed.ended(paused(*trial, 1, *value)));
    let picked = |stopper: &Asha| stopper.promote(false, &|_| true).map(|p| (p.trial, p.until_step));
    assert_eq!(picked(&down), Some((3, 3)));
    assert_eq!(picked(&up), picked(&down));
    assert_eq!(picked(&reversed), picked(&down));
}

#[test]
fn a_trial_that_is_tried_again_counts_once_and_is_not_promoted_meanwhile() {
    let mut stopper = asha();
    run(&mut stopper, 0, 1, 5.0);
    run(&mut stopper, 1, 1, 2.0);
    // The user has trial 1 tried again, and then a third value would let it go on.
    stopper.decided(1, Some(1));
    run(&mut stopper, 2, 1, 9.0);
    assert_eq!(stopper.promote(false, &|_| true), None);
    stopper.ended(paused(1, 1, 3.0));
    let promotion = stopper.promote(false, &|_| true).unwrap();
    assert_eq!(promotion.reason, Reason::Promoted { rung: 1, value: 3.0, rank: 1, of: 3 });
}

#[test]
fn a_trial_that_is_gone_stands_in_nobodys_way() {
    let mut stopper = asha();
    for trial in 0..6 {
        run(&mut stopper, trial, 1, trial as f64);
    }
    assert_eq!(stopper.promote(false, &|trial| trial != 0).unwrap().trial, 1);
}

#[test]
fn synchronous_halving_waits_for_the_whole_rung() {
    let mut stopper = asha().synchronous();
    for trial in 0..9 {
        stopper.decided(trial, Some(1));
    }
    for trial in 0..8 {
        stopper.ended(paused(trial, 1, trial as f64));
        assert_eq!(stopper.promote(true, &|_| true), None);
    }
    stopper.ended(paused(8, 1, 0.5));
    assert_eq!(stopper.promote(false, &|_| true), None, "another trial may come");
    for trial in [0, 8, 1] {
        assert_eq!(stopper.promote(true, &|_| true).unwrap().trial, trial);
        stopper.decided(trial, Some(3));
    }
    assert_eq!(stopper.promote(true, &|_| true), None);
    stopper.ended(paused(0, 3, 0.1));
    stopper.ended(paused(8, 3, 0.2));
    assert_eq!(stopper.promote(true, &|_| true), None, "trial 1 may still be better");
    stopper.ended(paused(1, 3, 0.05));
    let promotion = stopper.promote(true, &|_| true).unwrap();
    assert_eq!((promotion.trial, promotion.until_step), (1, 9));
}

#[test]
fn a_hundred_thousand_trials_are_quick() {
    let mut stopper = asha();
    let mut promotions = 0;
    for trial in 0..100_000u64 {
        run(&mut stopper, trial, 1, (trial * 7919 % 100_003) as f64);
        while let Some(promotion) = stopper.promote(false, &|_| true) {
            promotions += 1;
            run(&mut stopper, promotion.trial, promotion.until_step, promotion.trial as f64);
        }
    }
    assert!(promotions > 33_000, "{promotions}");
}
