//! Learning curves of some trials.

use super::choose::spread;
use crate::domain::stopper::StopperSpec;
use crate::domain::{Direction, Sweep, TrialState};
use crate::store::query::{CurvePoints, TrialPoint};
use std::collections::BTreeSet;

/// At most `most` of the trials, by number: the best and the worst, those that run, and others evenly spread.
#[must_use]
pub fn chosen(points: &[TrialPoint], direction: Direction, most: usize) -> Vec<TrialPoint> {
    if points.len() <= most {
        return points.to_vec();
    }
    let losses = (0..points.len()).filter_map(|i| Some((direction.signed(points[i].value?), i)));
    let mut by_value: Vec<(f64, usize)> = losses.collect();
    by_value.sort_unstable_by(|(a, i), (b, j)| a.total_cmp(b).then(i.cmp(j)));
    let by_value: Vec<usize> = by_value.into_iter().map(|(_, i)| i).collect();
    let few = (most / 10).max(1);
    let is_running = |i: &usize| matches!(points[*i].state, TrialState::Running | TrialState::Stopping);
    let running = (0..points.len()).filter(is_running);
    let mut places: BTreeSet<usize> = BTreeSet::new();
    let ends = by_value.iter().take(few).chain(by_value.iter().rev().take(few.min(by_value.len()))).copied();
    for place in ends.chain(running).take(most) {
        places.insert(place);
    }
    // Evenly by rank, so that every part of the range is seen; where few have a value, by number.
    let rest = most.saturating_sub(places.len());
    places.extend(spread(by_value.len(), rest).map(|rank| by_value[rank]));
    let rest = most.saturating_sub(places.len());
    places.extend(spread(points.len(), rest));
    places.into_iter().map(|place| points[place]).collect()
}

/// At most `most` points of a curve, its best and its last among them.
#[must_use]
pub fn thin_curve(curve: &CurvePoints, direction: Direction, most: usize) -> CurvePoints {
    if curve.len() <= most {
        return curve.clone();
    }
    let loss = |i: &usize| direction.signed(curve[*i].1);
    let finite = (0..curve.len()).filter(|i| curve[*i].1.is_finite());
    let best = finite.min_by(|a, b| loss(a).total_cmp(&loss(b)));
    let places: BTreeSet<usize> = spread(curve.len(), most.saturating_sub(1)).chain(best).collect();
    places.into_iter().map(|place| curve[place]).collect()
}

/// The steps at which a sweep's stopper compares trials, up to the last step that a trial can have.
#[must_use]
pub fn rungs(sweep: &Sweep, last_step: u64) -> Vec<u64> {
    let (first, factor) = match &sweep.search.stopper {
        Some(
            StopperSpec::Asha { min_steps, factor, .. }
            | StopperSpec::Halving { min_steps, factor }
            | StopperSpec::Hyperband { min_steps, factor, .. },
        ) => (*min_steps, *factor),
        Some(StopperSpec::Population(population)) => {
            let interval = population.interval.max(1);
            return (1..=last_step / interval).map(|rung| rung * interval).collect();
        }
        _ => return Vec::new(),
    };
    let next = |step: &u64| step.checked_mul(factor.max(2));
    std::iter::successors(Some(first.max(1)), next).take_while(|step| *step <= last_step).collect()
}
