//! Whatever is left out, the best and the worst are not.

use super::compare::improvements;
use super::*;
use crate::domain::{Direction, Millis, TrialId, TrialState};
use crate::store::query::{Stint, TrialPoint};

fn points(values: impl IntoIterator<Item = Option<f64>>) -> Vec<TrialPoint> {
    let point = |(i, value): (i64, Option<f64>)| TrialPoint {
        trial_id: TrialId(i),
        number: i as u64,
        state: if value.is_some() { TrialState::Completed } else { TrialState::Failed },
        value,
    };
    (0..).zip(values).map(point).collect()
}

/// Values that look random.
fn noisy(n: u64) -> Vec<TrialPoint> {
    points((0..n).map(|i| (i % 7 != 0).then(|| (i * 7919 % 100_003) as f64)))
}

fn extremes(points: &[TrialPoint]) -> (f64, f64) {
    let values = || points.iter().filter_map(|point| point.value);
    (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
}

#[test]
fn few_points_keep_the_best_and_the_worst_in_order() {
    let all = noisy(10_000);
    for most in [2, 3, 50, 999] {
        for direction in [Direction::Minimize, Direction::Maximize] {
            let few = thinned(&all, direction, most);
            assert!(few.len() <= most, "{most}");
            assert!(few.is_sorted_by_key(|point| point.number));
            assert_eq!(extremes(&few), extremes(&all), "{most}");
            let few = chosen(&all, direction, most);
            assert!(few.len() <= most, "{most}");
            assert!(few.is_sorted_by_key(|point| point.number));
            assert_eq!(extremes(&few), extremes(&all), "{most}");
        }
    }
    assert_eq!(thinned(&all[..9], Direction::Minimize, 9), all[..9]);
    assert_eq!(thinned(&points(vec![None; 100]), Direction::Minimize, 10).len(), 5);
}

#[test]
fn running_trials_are_always_drawn() {
    let mut all = noisy(1000);
    all[777].state = TrialState::Running;
    assert!(chosen(&all, Direction::Minimize, 30).iter().any(|point| point.number == 777));
}

#[test]
fn a_thin_curve_keeps_its_best_and_its_last_point() {
    let curve: Vec<(u64, f64)> = (1..=1000).map(|step| (step, ((step as f64) - 613.0).abs())).collect();
    let thin = thin_curve(&curve, Direction::Minimize, 20);
    assert!(thin.len() <= 20 && thin.contains(&(613, 0.0)) && thin.last() == Some(&(1000, 387.0)));
    assert_eq!(thin_curve(&vec![(1, f64::NAN), (2, 1.0)], Direction::Minimize, 1).len(), 1);
}

#[test]
fn a_sweep_is_compared_by_its_completed_trials() {
    let of = compared(&points([Some(4.0), None, Some(2.0), Some(3.0), Some(1.0)]), Direction::Minimize);
    assert_eq!(of.completed, 4);
    assert_eq!(of.edf, [(1.0, 0.25), (2.0, 0.5), (3.0, 0.75), (4.0, 1.0)]);
    assert_eq!(of.history, [(0, 4.0), (2, 2.0), (4, 1.0)]);
    assert_eq!(
        improvements([(1, 1.0), (2, 0.5), (3, 2.0)].into_iter(), Direction::Maximize),
        [(1, 1.0), (3, 2.0)]
    );
}

#[test]
fn errors_are_over_the_labels_that_exist() {
    let truth = [0.0, 0.0, f32::NAN, 5.0, 1.0, 1.0, 1.0, 1.0];
    let found = errors(&truth, &[3.0, 4.0, 9.0, 5.0, 1.0, 1.0, 1.0, 1.0], 4);
    assert_eq!(found.points, [(Some(2.5), 4), (Some(0.0), 3)]);
    assert_eq!(found.rmse, Some((25.0_f64 / 7.0).sqrt()));
    assert_eq!(found.rows, [(1, 0.0), (0, (25.0_f64 / 3.0).sqrt())]);
    let none = errors(&[f32::NAN; 4], &[0.0; 4], 4);
    assert_eq!((none.rmse, none.rows.len()), (None, 0));
}

fn stint(slot: &str, trial: i64, from: i64, until: Option<i64>) -> Stint {
    Stint {
        slot: slot.into(),
        trial_id: TrialId(trial),
        state: if until.is_some() { "completed" } else { "open" }.into(),
        attempt: trial,
        from: Millis(from),
        until: until.map(Millis),
    }
}

#[test]
fn attempts_too_short_to_be_seen_become_one_span() {
    let time = (Millis(0), Millis(1000));
    let few = vec![stint("a", 1, 0, Some(500)), stint("b", 2, 100, None)];
    let lines = slots(few, time, 10);
    assert_eq!(lines.iter().map(|slot| slot.spans.len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(lines[1].spans[0].until_ms, None);
    // A thousand short ones with a long one in the middle.
    let short = |i: i64| stint("a", i, i, Some(i + 1));
    let mut many: Vec<Stint> = (0..400).map(short).collect();
    many.push(stint("a", 5000, 400, Some(700)));
    many.extend((700..1000).map(short));
    let lines = slots(many, time, 20);
    let spans = &lines[0].spans;
    assert!(spans.len() <= 25, "{}", spans.len());
    assert_eq!(spans.iter().map(|span| span.trials).sum::<u64>(), 701);
    assert!(spans.iter().any(|span| span.trial_id == TrialId(5000) && span.trials == 1));
    assert!(spans.is_sorted_by_key(|span| span.from_ms));
}
