use super::*;
use crate::domain::sweep::{Mode, StopperSpec};
use crate::domain::{Direction, LegOutcome};
use crate::stopper::{Ended, Judged, Verdict, build};
use proptest::prelude::*;

/// The best by the first of both are 0, 1 and 2; the next front is 3.
const VALUES: [[f64; 2]; 6] = [[1.0, 9.0], [9.0, 1.0], [4.0, 4.0], [5.0, 5.0], [9.0, 9.0], [9.5, 9.5]];

fn ends(values: &[[f64; 2]], signs: [f64; 2]) -> Vec<Ended> {
    let end = |(trial, [first, second]): (u64, &[f64; 2])| Ended {
        trial,
        until_step: Some(1),
        outcome: LegOutcome::Paused,
        value: Some(first * signs[0]),
        further: vec![Some(second * signs[1])],
    };
    (0..).zip(values).map(end).collect()
}

fn directions(signs: [f64; 2]) -> [Direction; 2] {
    signs.map(|sign| if sign > 0.0 { Direction::Minimize } else { Direction::Maximize })
}

/// Who goes on from the first rung, in that order.
fn promoted(spec: &StopperSpec, signs: [f64; 2], ends: &[Ended]) -> Vec<u64> {
    let mut stopper = build(spec, &directions(signs));
    ends.iter().for_each(|end| stopper.decided(end.trial, end.until_step));
    ends.iter().for_each(|end| stopper.ended(end.clone()));
    let mut gone = Vec::new();
    while let Some(promotion) = stopper.promote(true, &|trial| !gone.contains(&trial)) {
        gone.push(promotion.trial);
        if gone.len() > ends.len() {
            break;
        }
    }
    gone
}

const ASHA: StopperSpec = StopperSpec::Asha { min_steps: 1, factor: 2, mode: Mode::Promote };

#[test]
fn whole_fronts_go_on_before_the_next_and_the_best_by_the_first_objective_leads() {
    let ends = ends(&VALUES, [1.0, 1.0]);
    assert_eq!(promoted(&ASHA, [1.0, 1.0], &ends), [0, 1, 2], "by the first objective alone 2 and 3 would");
    let mut stopper = build(&ASHA, &directions([1.0, 1.0]));
    ends.iter().for_each(|end| stopper.decided(end.trial, end.until_step));
    ends.iter().for_each(|end| stopper.ended(end.clone()));
    let reason = stopper.promote(false, &|_| true).unwrap().reason;
    assert_eq!(reason.to_string(), "rung 1: 1.0000 is number 1 of 6: it goes on");
    assert_eq!(stopper.verdict(3).to_string(), "rung 1: 5.0000 is number 4 of 6, and 0 went on");
}

#[test]
fn what_is_not_known_of_an_objective_is_worse_than_all() {
    let mut ends = ends(&VALUES, [1.0, 1.0]);
    ends[2].further = vec![None];
    assert_eq!(promoted(&ASHA, [1.0, 1.0], &ends), [0, 1, 3]);
    // Where nobody reports it, the first objective decides.
    ends.iter_mut().for_each(|end| end.further = vec![None]);
    assert_eq!(promoted(&ASHA, [1.0, 1.0], &ends), [0, 2, 3]);
}

#[test]
fn of_a_running_trial_all_objectives_are_judged() {
    let spec = StopperSpec::Asha { min_steps: 1, factor: 2, mode: Mode::Stop };
    let mut stopper = build(&spec, &directions([1.0, 1.0]));
    let mut said = Vec::new();
    for (trial, [first, second]) in (0..).zip([[4.0, 4.0], [5.0, 5.0], [9.0, 1.0], [6.0, 6.0]]) {
        let (curve, further) = ([(1, first)], [Some(second)]);
        let judged = Judged {
            trial,
            leg: trial,
            sees_below: u64::MAX,
            at_its_end: false,
            further: &further,
            curve: &curve,
        };
        match stopper.judge(&judged) {
            Verdict::Passed(reason) | Verdict::Stop(reason) => {
                stopper.remember(trial, trial, &reason);
                said.push(reason.to_string());
            }
            Verdict::Nothing => said.push(String::new()),
        }
    }
    let goes_on = "it is among the best half of";
    assert_eq!(said[0], format!("rung 1: with 4.0000 {goes_on} 1 by fronts: it goes on"));
    assert_eq!(said[1], "rung 1: with 5.0000 it is not among the best half of 2 by fronts");
    // Of three one goes on, and the best by the first objective leads the front.
    assert_eq!(said[2], "rung 1: with 9.0000 it is not among the best half of 3 by fronts");
    assert_eq!(said[3], "rung 1: with 6.0000 it is not among the best half of 4 by fronts");
}

fn some_values() -> impl Strategy<Value = Vec<[f64; 2]>> {
    prop::collection::vec([(0..6i32).prop_map(f64::from), (0..6i32).prop_map(f64::from)], 1..25)
}

proptest! {
    /// More is better is less is better with the sign changed; and the order of news does not matter.
    #[test]
    fn directions_are_symmetric(values in some_values(), seed in any::<u64>()) {
        let specs = [ASHA, StopperSpec::Halving { min_steps: 1, factor: 3 },
            StopperSpec::Hyperband { min_steps: 1, max_steps: 4, factor: 2, mode: Mode::Promote }];
        for spec in specs {
            let plain = promoted(&spec, [1.0, 1.0], &ends(&values, [1.0, 1.0]));
            for signs in [[-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]] {
                let mut turned = ends(&values, signs);
                turned.sort_by_key(|end| end.trial.wrapping_mul(seed | 1));
                prop_assert_eq!(&promoted(&spec, signs, &turned), &plain);
            }
        }
    }

    /// None goes on from a later front before one of an earlier.
    #[test]
    fn nobody_goes_on_before_whoever_dominates_it(values in some_values()) {
        let gone = promoted(&ASHA, [1.0, 1.0], &ends(&values, [1.0, 1.0]));
        for (trial, value) in (0u64..).zip(&values) {
            let better = (0u64..).zip(&values).filter(|(_, other)| pareto::dominates(*other, value));
            if gone.contains(&trial) {
                let missing: Vec<_> = better.filter(|(other, _)| !gone.contains(other)).collect();
                prop_assert!(missing.is_empty(), "{trial} went on before {missing:?}");
            }
        }
    }
}
