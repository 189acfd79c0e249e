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
    if x.is_nan() { f64::INFINITY } else { x }
}

/// The places of the losses by fronts: the first front is dominated by none, the next only by those before, and so
/// on (the fast non-dominated sort of Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II",
/// 2002). Within a front by place.
#[must_use]
pub fn fronts(losses: &[&[f64]]) -> Vec<Vec<usize>> {
    let mut beats: Vec<Vec<usize>> = vec![Vec::new(); losses.len()];
    let mut beaten_by = vec![0usize; losses.len()];
    for a in 0..losses.len() {
        for b in a + 1..losses.len() {
            if dominates(losses[a], losses[b]) {
                beats[a].push(b);
                beaten_by[b] += 1;
            } else if dominates(losses[b], losses[a]) {
                beats[b].push(a);
                beaten_by[a] += 1;
            }
        }
    }
    let mut fronts = Vec::new();
    let mut front: Vec<usize> = (0..losses.len()).filter(|i| beaten_by[*i] == 0).collect();
    while !front.is_empty() {
        let mut next = Vec::new();
        for b in front.iter().flat_map(|a| &beats[*a]) {
            beaten_by[*b] -= 1;
            if beaten_by[*b] == 0 {
                next.push(*b);
            }
        }
        next.sort_unstable();
        fronts.push(std::mem::replace(&mut front, next));
    }
    fronts
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
    volume(best(points), reference)
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
    let order = |a: &Vec<f64>, b: &Vec<f64>| {
        a.iter().zip(b).map(|(x, y)| x.total_cmp(y)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    points.sort_by(order);
    points.dedup();
    let mut kept: Vec<Vec<f64>> = Vec::new();
    for point in points {
        // In this order no point is dominated by a later one.
        if !kept.iter().any(|earlier| dominates(earlier, &point)) {
            kept.push(point);
        }
    }
    kept
}

#[cfg(test)]
#[path = "pareto_test.rs"]
mod pareto_test;
