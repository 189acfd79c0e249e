//! From the points of a curve to lines that can be drawn: fewer points, no gaps, within the axis.

/// A point in the units of the axes.
pub(super) type Point = (f64, f64);

/// At most about two points for each of so many pieces of the curve, its lowest and highest, so that what is dropped
/// would not be seen. The first and the last stay.
pub(super) fn thinned(points: &[(u64, f64)], pieces: usize) -> Vec<(u64, f64)> {
    if points.len() <= 2 * pieces {
        return points.to_vec();
    }
    let mut kept: Vec<(u64, f64)> = Vec::with_capacity(2 * pieces + 2);
    for piece in points.chunks(points.len().div_ceil(pieces)) {
        let lowest = piece.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = piece.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut both: Vec<&(u64, f64)> = lowest.into_iter().chain(highest).collect();
        both.sort_by_key(|(step, _)| *step);
        kept.extend(both);
    }
    kept.extend(points.first().into_iter().chain(points.last()));
    kept.sort_by_key(|(step, _)| *step);
    kept.dedup_by_key(|(step, _)| *step);
    kept
}

/// The connected pieces of a curve that lie between `low` and `high`. A point without a place breaks the curve; a
/// piece of one point stands alone.
pub(super) fn pieces(
    points: impl Iterator<Item = (f64, Option<f64>)>,
    low: f64,
    high: f64,
) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let mut before: Option<Point> = None;
    for (x, y) in points {
        let Some(y) = y else {
            before = None;
            continue;
        };
        let here = (x, y);
        let seen = match before {
            Some(before) => within(before, here, low, high),
            None => ((low..=high).contains(&y)).then_some((here, here)),
        };
        if let Some((from, to)) = seen {
            match pieces.last_mut() {
                Some(piece) if before.is_some() && piece.last() == Some(&from) => piece.push(to),
                _ if from == to => pieces.push(vec![from]),
                _ => pieces.push(vec![from, to]),
            }
        }
        before = Some(here);
    }
    pieces
}

/// The part of a line that lies between two heights.
fn within(from: Point, to: Point, low: f64, high: f64) -> Option<(Point, Point)> {
    let cut = |inside: Point, outside: Point| {
        let height = outside.1.clamp(low, high);
        if height == outside.1 {
            return outside;
        }
        let share = (height - inside.1) / (outside.1 - inside.1);
        (inside.0 + share * (outside.0 - inside.0), height)
    };
    if from.1.max(to.1) < low || from.1.min(to.1) > high {
        return None;
    }
    Some((cut(to, from), cut(from, to)))
}
