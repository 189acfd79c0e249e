//! Several losses at once: which are beaten by none, how crowded they lie, and how much they cover.
//!
//! Losses are to be made small. What is not finite counts as infinite, and every list may be empty.

use std::cmp::Ordering;

/// Whether `a` is at least as good as `b` everywhere, and better somewhere.
#[must_use]
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    let pairs = || a.iter().zip(b).map(|(a, b)| (bounded(*a), bounded(*b)));
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}

fn bounded(x: f64) -> f64 {
    // Zeros of both signs are equal, also for an order of all bits.
    if x.is_nan() { f64::INFINITY } else { x + 0.0 }
}

/// The places of the losses by fronts: the first front is dominated by none, the next only by those before, and so
/// on. Within a front by place. (The efficient non-dominated sort of Zhang et al., "An Efficient Approach to
/// Nondominated Sorting for Evolutionary Multiobjective Optimization", 2015.)
#[must_use]
pub fn fronts(losses: &[&[f64]]) -> Vec<Vec<usize>> {
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    for place in lexicographic(losses) {
        // Whoever is dominated from within a front is so from within all before it.
        let at = fronts.partition_point(|front| is_beaten(losses, front, place));
        match fronts.get_mut(at) {
            Some(front) => front.push(place),
            None => fronts.push(vec![place]),
        }
    }
    fronts.iter_mut().for_each(|front| front.sort_unstable());
    fronts
}

/// The places of those that none dominates: the first of all fronts, without the others.
#[must_use]
pub fn first_front(losses: &[&[f64]]) -> Vec<usize> {
    let mut front: Vec<usize> = Vec::new();
    for place in lexicographic(losses) {
        if !is_beaten(losses, &front, place) {
            front.push(place);
        }
    }
    front.sort_unstable();
    front
}

/// Whether some of a front dominates a place that comes after all of it in lexicographic order.
fn is_beaten(losses: &[&[f64]], front: &[usize], place: usize) -> bool {
    // Of two losses the second only falls along a front, so its end says it all.
    let looked_at = if losses[place].len() == 2 { 1 } else { front.len() };
    front.iter().rev().take(looked_at).any(|i| dominates(losses[*i], losses[place]))
}

/// The places from the best to the worst by the first loss, equal ones by the next: none is dominated by a later one.
fn lexicographic(losses: &[&[f64]]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..losses.len()).collect();
    places.sort_by(|a, b| order(losses[*a], losses[*b]).then(a.cmp(b)));
    places
}

/// The places from the best to the worst: by fronts, and within a front so that any number of first ones are spread
/// over it. The best by the first loss leads its front; next is always the one farthest from all before it, each
/// loss in units of its range within the front. (The epsilon-net of Schmucker et al., "Multi-objective Asynchronous
/// Successive Halving", 2021, after Salinas et al. of the same year.)
#[must_use]
pub fn best_first(losses: &[&[f64]]) -> Vec<usize> {
    fronts(losses).iter().flat_map(|front| spread(losses, front)).collect()
}

fn order(a: &[f64], b: &[f64]) -> Ordering {
    let each = a.iter().zip(b).map(|(x, y)| bounded(*x).total_cmp(&bounded(*y)));
    each.fold(Ordering::Equal, Ordering::then)
}

fn spread(losses: &[&[f64]], front: &[usize]) -> Vec<usize> {
    let objectives = front.first().map_or(0, |first| losses[*first].len());
    let value = |place: usize, k: usize| losses[place].get(k).map_or(f64::INFINITY, |x| bounded(*x));
    let scaled: Vec<(f64, f64)> = (0..objectives)
        .map(|k| {
            let finite = || front.iter().map(|place| value(*place, k)).filter(|x| x.is_finite());
            let (least, most) =
                (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
            (least, most - least)
        })
        .collect();
    // What has no finite loss lies beyond all that have one.
    let coordinate = |place: usize, k: usize| match (value(place, k), scaled[k]) {
        (x, _) if !x.is_finite() => 2.0,
        (x, (least, range)) if range > 0.0 => (x - least) / range,
        _ => 0.0,
    };
    let distance = |a: usize, b: usize| -> f64 {
        (0..objectives).map(|k| (coordinate(a, k) - coordinate(b, k)).powi(2)).sum()
    };
    let mut left: Vec<(usize, f64)> = front.iter().map(|place| (*place, f64::INFINITY)).collect();
    let mut order = Vec::with_capacity(front.len());
    while let Some(first) = left.first() {
        let farther = |best: (usize, f64), other: &(usize, f64)| if other.1 > best.1 { *other } else { best };
        let next = match order.is_empty() {
            true => left.iter().copied().reduce(|a, b| if value(b.0, 0) < value(a.0, 0) { b } else { a }),
            false => Some(left.iter().fold(*first, farther)),
        };
        let Some((place, _)) = next else { break };
        left.retain(|(other, _)| *other != place);
        left.iter_mut().for_each(|(other, near)| *near = near.min(distance(*other, place)));
        order.push(place);
    }
    order
}

/// How far apart the neighbours of each lie, summed over the losses, each in units of its whole range (section
/// III-B of the same paper); infinite at the ends of a loss.
#[must_use]
pub fn crowding(losses: &[&[f64]]) -> Vec<f64> {
    let mut distances = vec![0.0; losses.len()];
    let objectives = losses.first().map_or(0, |first| first.len());
    for objective in 0..objectives {
        let value = |i: usize| losses[i].get(objective).map_or(f64::INFINITY, |x| bounded(*x));
        let mut order: Vec<usize> = (0..losses.len()).collect();
        order.sort_by(|a, b| value(*a).total_cmp(&value(*b)).then(a.cmp(b)));
        let (first, last) = (order[0], order[order.len() - 1]);
        let range = value(last) - value(first);
        distances[first] = f64::INFINITY;
        distances[last] = f64::INFINITY;
        if !(range.is_finite() && range > 0.0) {
            continue;
        }
        for three in order.windows(3) {
            distances[three[1]] += (value(three[2]) - value(three[0])) / range;
        }
    }
    distances
}

/// The volume of what the losses dominate up to a reference point; what is not below it everywhere adds nothing.
/// Exact: by a sweep for two losses, by slices for more (the WFG algorithm of While, Bradstreet and Barone, "A Fast
/// Way of Calculating Exact Hypervolumes", 2012).
#[must_use]
pub fn hypervolume(losses: &[&[f64]], reference: &[f64]) -> f64 {
    let is_below = |loss: &&&[f64]| {
        loss.len() == reference.len() && loss.iter().zip(reference).all(|(x, r)| x.is_finite() && x < r)
    };
    if reference.is_empty() || !reference.iter().all(|r| r.is_finite()) {
        return 0.0;
    }
    let points: Vec<Vec<f64>> = losses.iter().filter(is_below).map(|loss| loss.to_vec()).collect();
    // A sum of nothing is a negative zero.
    volume(best(points), reference) + 0.0
}

/// The volume of points none of which dominates another.
fn volume(mut points: Vec<Vec<f64>>, reference: &[f64]) -> f64 {
    match reference {
        [] => 0.0,
        [end] => points.iter().map(|point| end - point[0]).fold(0.0, f64::max),
        [right, top] => {
            points.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let ends = points.iter().skip(1).map(|next| next[0]).chain([*right]);
            points.iter().zip(ends).map(|(point, end)| (end - point[0]) * (top - point[1])).sum()
        }
        _ => {
            // The worst in the last loss first: every other then cuts it off flat.
            let last = reference.len() - 1;
            points.sort_by(|a, b| b[last].total_cmp(&a[last]));
            (0..points.len()).map(|i| alone(&points[i], &points[i + 1..], reference)).sum()
        }
    }
}

/// The volume that a point adds to others, none of which is worse than it in the last loss.
fn alone(point: &[f64], others: &[Vec<f64>], reference: &[f64]) -> f64 {
    let (height, base) = match (reference.split_last(), point.split_last()) {
        (Some((top, reference)), Some((bottom, point))) => (top - bottom, (point, reference)),
        _ => return 0.0,
    };
    let (point, reference) = base;
    let own: f64 = point.iter().zip(reference).map(|(x, r)| r - x).product();
    // Where it overlaps another the worse of both counts.
    let limited = |other: &Vec<f64>| point.iter().zip(other).map(|(x, y)| x.max(*y)).collect();
    let overlap = volume(best(others.iter().map(limited).collect()), reference);
    height * (own - overlap)
}

/// Those that none dominates, each once.
fn best(mut points: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let losses: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
    let front = first_front(&losses);
    let mut kept: Vec<Vec<f64>> = front.into_iter().map(|place| std::mem::take(&mut points[place])).collect();
    kept.sort_by(|a, b| order(a, b));
    kept.dedup();
    kept
}

#[cfg(test)]
#[path = "pareto_test.rs"]
mod pareto_test;
