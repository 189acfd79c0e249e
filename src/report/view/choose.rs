//! Few of many trials.

use crate::domain::Direction;
use crate::store::query::TrialPoint;

/// At most `most` of the points, in their order: of each of as many equally wide stretches the best and the worst.
/// Of those without a value a stretch keeps one, where it has no others.
#[must_use]
pub fn thinned(points: &[TrialPoint], direction: Direction, most: usize) -> Vec<TrialPoint> {
    if points.len() <= most {
        return points.to_vec();
    }
    let stretches = (most / 2).max(1);
    let mut kept = Vec::with_capacity(most);
    for stretch in 0..stretches {
        let from = stretch * points.len() / stretches;
        let until = (stretch + 1) * points.len() / stretches;
        let part = &points[from..until];
        let valued = || (from..).zip(part).filter(|(_, point)| point.value.is_some_and(f64::is_finite));
        let loss = |point: &TrialPoint| point.value.map_or(f64::INFINITY, |value| direction.signed(value));
        let best = valued().min_by(|(_, a), (_, b)| loss(a).total_cmp(&loss(b)));
        let worst = valued().max_by(|(_, a), (_, b)| loss(a).total_cmp(&loss(b)));
        let mut places: Vec<usize> = [best, worst].into_iter().flatten().map(|(place, _)| place).collect();
        if places.is_empty() {
            places.extend((from < until).then_some(from));
        }
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().map(|place| points[place]));
    }
    kept.truncate(most.max(1));
    kept
}

/// At most `most` numbers below `of`, evenly apart, the first and the last among them.
pub fn spread(of: usize, most: usize) -> impl Iterator<Item = usize> {
    let most = most.min(of);
    (0..most).map(move |i| if most < 2 { 0 } else { i * (of - 1) / (most - 1) })
}
