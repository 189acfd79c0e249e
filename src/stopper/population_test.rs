use super::*;
use crate::stopper::Stopper;

/// Eight members that are compared every 3 steps; the last two give way to heirs of the first two.
fn eight() -> Population {
    population(8, 0.25)
}

fn population(members: u64, quantile: f64) -> Population {
    Population::new(Spec { members, interval: 3, quantile, perturb: Vec::new() }, Direction::Minimize)
}

fn end(trial: u64, until: u64, outcome: LegOutcome, value: Option<f64>) -> Ended {
    Ended { trial, until_step: Some(until), outcome, value, further: Vec::new() }
}

/// Trials 0, 1, ... pause at a step with these values.
fn pause_all(all: &mut Population, step: u64, values: &[f64]) {
    for (trial, value) in (0..).zip(values) {
        all.decided(trial, Some(step));
        all.ended(end(trial, step, LegOutcome::Paused, Some(*value)));
    }
}

fn anybody(_: u64) -> bool {
    true
}

const VALUES: [f64; 8] = [5.0, 1.0, 7.0, 2.0, 8.0, 3.0, 4.0, 6.0];

#[test]
fn the_last_give_way_to_heirs_of_the_first_and_all_others_go_on() {
    let mut all = eight();
    assert!(all.wants_newcomers());
    assert_eq!(all.first_rung(0), Some(3));
    pause_all(&mut all, 3, &VALUES);
    assert!(!all.wants_newcomers());
    let mut went_on = Vec::new();
    let mut replaced = Vec::new();
    for number in 8.. {
        if let Some(succession) = all.succession(&anybody) {
            assert_eq!(all.promote(false, &anybody), None);
            assert_eq!((succession.step, succession.parents.as_slice()), (3, &[1, 3][..]));
            let reason = succession.reason.unwrap().to_string();
            replaced.push((succession.replaces, reason));
            all.inherited(number, Descent { parent: 3, step: 3, replaces: succession.replaces });
            assert_eq!(all.first_rung(number), Some(6));
            all.decided(number, Some(6));
        } else if let Some(promotion) = all.promote(false, &anybody) {
            assert_eq!(promotion.until_step, 6);
            went_on.push(promotion.trial);
            all.decided(promotion.trial, Some(6));
        } else {
            break;
        }
    }
    assert_eq!(went_on, [0, 1, 3, 5, 6, 7]);
    let words = |value: &str| format!("step 3: {value} is among the last 2 of 8");
    assert_eq!(replaced, [(2, words("7.0000")), (4, words("8.0000"))]);
}

#[test]
fn nobody_waits_for_the_slowest() {
    let mut all = eight();
    for trial in 0..3 {
        all.decided(trial, Some(3));
        all.ended(end(trial, 3, LegOutcome::Paused, Some(9.0 - trial as f64)));
        // Each is the best so far, and the first is alone.
        let promotion = all.promote(false, &anybody).unwrap();
        assert_eq!(promotion.trial, trial);
        all.decided(trial, Some(6));
    }
    all.decided(3, Some(3));
    all.ended(end(3, 3, LegOutcome::Paused, Some(9.5)));
    let succession = all.succession(&anybody).unwrap();
    assert_eq!((succession.replaces, succession.parents), (3, vec![2]));
}

#[test]
fn whoever_has_come_least_far_is_first() {
    let mut all = population(2, 0.5);
    pause_all(&mut all, 3, &[1.0, 2.0]);
    all.decided(0, Some(6));
    all.ended(end(0, 6, LegOutcome::Paused, Some(0.5)));
    let succession = all.succession(&anybody).unwrap();
    assert_eq!((succession.replaces, succession.step), (1, 3));
    // The user has ended it.
    assert_eq!(all.succession(&|trial| trial != 1), None);
    assert_eq!(all.promote(false, &|trial| trial != 1).unwrap().trial, 0);
}

#[test]
fn a_member_that_failed_is_replaced_once_some_have_come_further() {
    let mut all = population(4, 0.25);
    for trial in 0..4 {
        all.decided(trial, Some(3));
    }
    all.ended(end(2, 3, LegOutcome::Failed, None));
    assert_eq!(all.succession(&anybody), None);
    all.ended(end(0, 3, LegOutcome::Paused, Some(0.5)));
    assert_eq!(all.succession(&anybody), None, "who is alone is not among the first");
    all.ended(end(1, 3, LegOutcome::Paused, Some(1.0)));
    assert_eq!(all.succession(&anybody), None, "first come those that stand");
    all.decided(0, Some(6));
    all.decided(1, Some(6));
    let succession = all.succession(&anybody).unwrap();
    assert_eq!((succession.replaces, succession.reason, succession.parents), (2, None, vec![0]));
    all.inherited(4, Descent { parent: 0, step: 3, replaces: 2 });
    assert_eq!(all.succession(&anybody), None, "once");
}

#[test]
fn about_the_quantile_is_replaced_however_many_are_known() {
    let of = |quantile: f64| {
        (0..=10).map(|known| population(10, quantile).spec.share_of(known)).collect::<Vec<_>>()
    };
    assert_eq!(of(0.25), [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]);
    assert_eq!(of(0.2), [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2]);
    assert_eq!(of(0.5), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
}

#[test]
fn without_heirs_everybody_goes_on_that_can() {
    let mut all = eight();
    pause_all(&mut all, 3, &VALUES);
    all.decided(8, Some(3));
    all.ended(end(8, 3, LegOutcome::Failed, None));
    for trial in 0..8 {
        assert_eq!(all.promote(true, &anybody).unwrap().trial, trial);
        all.decided(trial, Some(6));
    }
    assert_eq!(all.promote(true, &anybody), None);
}

#[test]
fn what_is_not_finite_is_last_and_nobodys_parent() {
    let mut all = population(4, 0.5);
    pause_all(&mut all, 3, &[1.0, 2.0, f64::NAN, f64::INFINITY]);
    let mut heirs = Vec::new();
    for number in 4.. {
        if let Some(heir) = all.succession(&anybody) {
            assert_eq!(heir.parents, [0, 1]);
            heirs.push(heir.reason.unwrap().to_string());
            all.inherited(number, Descent { parent: 0, step: 3, replaces: heir.replaces });
        } else if let Some(promotion) = all.promote(false, &anybody) {
            all.decided(promotion.trial, Some(6));
        } else {
            break;
        }
    }
    assert_eq!(heirs, vec!["step 3: no finite value is among the last 2 of 4"; 2]);
    // Where nobody has a value, nobody is replaced: there is nothing better to go on from.
    let mut none = population(4, 0.5);
    pause_all(&mut none, 3, &[f64::NAN; 4]);
    assert_eq!(none.succession(&anybody), None);
    assert_eq!(
        none.promote(false, &anybody).unwrap().reason.to_string(),
        "step 3: no finite value is number 1 of 4: it goes on"
    );
}

#[test]
fn more_is_better_is_less_is_better_with_the_sign_changed() {
    let (mut down, mut up) = (eight(), eight());
    up.direction = Direction::Maximize;
    pause_all(&mut down, 3, &VALUES);
    pause_all(&mut up, 3, &VALUES.map(|value| -value));
    let next = |all: &Population| all.promote(false, &anybody).map(|promotion| promotion.trial);
    assert_eq!(next(&down), next(&up));
    for all in [&mut down, &mut up] {
        all.decided(0, Some(6));
        all.decided(1, Some(6));
    }
    let parents = |all: &Population| all.succession(&anybody).map(|heir| (heir.replaces, heir.parents));
    assert_eq!(parents(&down), Some((2, vec![1, 3])));
    assert_eq!(parents(&up), parents(&down));
}

#[test]
fn the_order_of_news_does_not_matter() {
    let mut told = eight();
    pause_all(&mut told, 3, &VALUES);
    told.inherited(8, Descent { parent: 1, step: 3, replaces: 2 });
    told.decided(8, Some(6));
    told.ended(end(8, 6, LegOutcome::Paused, Some(0.5)));
    // As it is read from rows: heirs first, then all decisions, then all ends.
    let mut read = eight();
    read.inherited(8, Descent { parent: 1, step: 3, replaces: 2 });
    (0..8).for_each(|trial| read.decided(trial, Some(3)));
    read.decided(8, Some(6));
    for (trial, value) in [0, 1, 2, 3, 4, 5, 6, 7].into_iter().zip(VALUES).rev() {
        read.ended(end(trial, 3, LegOutcome::Paused, Some(value)));
    }
    read.ended(end(8, 6, LegOutcome::Paused, Some(0.5)));
    assert_eq!(told.essence(), read.essence());
    assert_eq!(told.promote(false, &anybody), read.promote(false, &anybody));
    for (trial, step) in [(1, 3), (3, 3), (5, 3), (8, 6)] {
        assert_eq!(told.may_be_parent(trial, step), read.may_be_parent(trial, step));
    }
}

#[test]
fn who_may_be_a_parent_is_known_until_the_last_has_passed() {
    let mut all = population(4, 0.5);
    for trial in 0..4 {
        all.decided(trial, Some(3));
    }
    all.ended(end(0, 3, LegOutcome::Paused, Some(1.0)));
    all.ended(end(1, 3, LegOutcome::Paused, Some(2.0)));
    // Half of four are two: both may be among them.
    assert!(all.may_be_parent(0, 3) && all.may_be_parent(1, 3));
    all.ended(end(2, 3, LegOutcome::Paused, Some(0.5)));
    assert!(all.may_be_parent(0, 3) && all.may_be_parent(2, 3));
    all.ended(end(3, 3, LegOutcome::Paused, Some(5.0)));
    assert!(!all.may_be_parent(3, 3), "it will never be among the first");
    for trial in [0, 1, 2] {
        all.decided(trial, Some(6));
    }
    assert!(all.may_be_parent(0, 3), "trial 3 has not had its turn");
    all.inherited(4, Descent { parent: 2, step: 3, replaces: 3 });
    all.decided(4, Some(6));
    assert!(!all.may_be_parent(0, 3) && !all.may_be_parent(2, 3));
}

#[test]
fn ten_thousand_heirs_are_quick() {
    let mut all = population(200, 0.25);
    for trial in 0..200 {
        all.decided(trial, Some(3));
        all.ended(end(trial, 3, LegOutcome::Paused, Some((trial * 37 % 101) as f64)));
    }
    let (mut next, mut heirs) = (200, 0);
    while heirs < 10_000 {
        let (trial, until) = if let Some(heir) = all.succession(&anybody) {
            heirs += 1;
            next += 1;
            all.inherited(
                next,
                Descent { parent: heir.parents[0], step: heir.step, replaces: heir.replaces },
            );
            (next, heir.step + 3)
        } else {
            let promotion = all.promote(false, &anybody).unwrap();
            (promotion.trial, promotion.until_step)
        };
        all.decided(trial, Some(until));
        let value = (trial * 7919 % 10_007) as f64 / until as f64;
        all.ended(end(trial, until, LegOutcome::Paused, Some(value)));
    }
    assert!(all.waiting.len() == 200, "{}", all.waiting.len());
}
