use super::*;
use proptest::prelude::*;

fn views(points: &[Vec<f64>]) -> Vec<&[f64]> {
    points.iter().map(Vec::as_slice).collect()
}

/// Points on a small grid, so that ties and equals are common, some of them failed.
fn points(objectives: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    let loss = prop_oneof![9 => (0..6u8).prop_map(f64::from), 1 => Just(f64::INFINITY)];
    proptest::collection::vec(proptest::collection::vec(loss, objectives), 0..14)
}

/// Unit boxes of the grid that some point dominates.
fn counted(points: &[Vec<f64>], objectives: u32, side: usize) -> f64 {
    let is_covered = |index: usize| {
        let corner: Vec<f64> = (0..objectives).map(|k| (index / side.pow(k) % side) as f64).collect();
        points.iter().any(|p| p.iter().zip(&corner).all(|(x, c)| x <= c))
    };
    (0..side.pow(objectives)).filter(|index| is_covered(*index)).count() as f64
}

proptest! {
    #[test]
    fn fronts_are_those_peeled_off_one_by_one(points in (1..4usize).prop_flat_map(points)) {
        let losses = views(&points);
        let mut left: Vec<usize> = (0..losses.len()).collect();
        for front in fronts(&losses) {
            let is_best = |i: &usize| !left.iter().any(|j| dominates(losses[*j], losses[*i]));
            let best: Vec<usize> = left.iter().copied().filter(is_best).collect();
            prop_assert_eq!(&front, &best);
            left.retain(|i| !front.contains(i));
        }
        prop_assert!(left.is_empty());
    }

    #[test]
    fn the_first_front_is_the_first_of_all(points in (1..4usize).prop_flat_map(points)) {
        let losses = views(&points);
        prop_assert_eq!(first_front(&losses), fronts(&losses).into_iter().next().unwrap_or_default());
    }

    #[test]
    fn the_best_come_front_by_front_and_the_best_by_the_first_loss_leads(points in (1..4usize).prop_flat_map(points)) {
        let losses = views(&points);
        let order = best_first(&losses);
        let mut at = 0;
        for front in fronts(&losses) {
            let mut of_front = order[at..at + front.len()].to_vec();
            let least = front.iter().map(|place| losses[*place][0]).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(losses[of_front[0]][0], least);
            of_front.sort_unstable();
            prop_assert_eq!(of_front, front.clone());
            at += front.len();
        }
        prop_assert_eq!(at, losses.len());
    }

    #[test]
    fn the_volume_is_that_of_the_boxes_below(points in (1..5usize).prop_flat_map(points)) {
        let objectives = points.first().map_or(2, Vec::len);
        let volume = hypervolume(&views(&points), &vec![6.0; objectives]);
        let finite: Vec<Vec<f64>> =
            points.iter().filter(|p| p.iter().all(|x| x.is_finite())).cloned().collect();
        let exact = counted(&finite, objectives as u32, 6);
        prop_assert!((volume - exact).abs() < 1e-9, "{volume} {exact}");
    }

    #[test]
    fn crowding_is_never_less_than_nothing(points in (1..4usize).prop_flat_map(points)) {
        let distances = crowding(&views(&points));
        prop_assert_eq!(distances.len(), points.len());
        prop_assert!(distances.iter().all(|d| *d >= 0.0));
    }
}

#[test]
fn the_first_of_a_front_are_spread_over_it() {
    // Along a line, in units that differ: both ends, then the middle, whatever the units.
    let points: Vec<Vec<f64>> = (0..9).map(|i| vec![f64::from(i), 1e6 * f64::from(8 - i)]).collect();
    assert_eq!(best_first(&views(&points))[..3], [0, 8, 4]);
    // What has an infinite loss is farthest from all.
    let points = [vec![0.0, f64::INFINITY], vec![1.0, 2.0], vec![2.0, 1.0]];
    assert_eq!(best_first(&views(&points)), [0, 2, 1]);
}

#[test]
fn zeros_of_both_signs_are_equal() {
    let points = [vec![0.0, 1.0], vec![-0.0, 2.0], vec![-0.0, 1.0]];
    assert_eq!(fronts(&views(&points)), [vec![0, 2], vec![1]]);
    assert_eq!(first_front(&views(&points)), [0, 2]);
}

#[test]
fn room_is_counted_between_neighbours() {
    let points = [vec![0.0, 4.0], vec![1.0, 2.0], vec![2.0, 1.0], vec![4.0, 0.0]];
    let distances = crowding(&views(&points));
    assert_eq!(distances, [f64::INFINITY, 2.0 / 4.0 + 3.0 / 4.0, 3.0 / 4.0 + 2.0 / 4.0, f64::INFINITY]);
}

#[test]
fn a_volume_of_three_losses_by_hand() {
    let points = [vec![0.0, 1.0, 1.0], vec![1.0, 0.0, 0.0]];
    // Boxes of 2 * 1 * 1 and 1 * 2 * 2 that share 1 * 1 * 1.
    assert_eq!(hypervolume(&views(&points), &[2.0, 2.0, 2.0]), 5.0);
}

#[test]
fn odd_input_has_no_volume() {
    assert_eq!(hypervolume(&[], &[1.0, 1.0]), 0.0);
    assert_eq!(hypervolume(&[&[f64::NAN, 0.0], &[2.0, 0.0]], &[1.0, 1.0]), 0.0);
    assert_eq!(hypervolume(&[&[0.0, 0.0]], &[f64::INFINITY, 1.0]), 0.0);
    assert!(fronts(&[]).is_empty() && crowding(&[]).is_empty());
}
