use super::*;
use proptest::prelude::*;

#[test]
fn failures_are_as_bad_as_the_worst() {
    let targets = standardised(&[1.0, f64::INFINITY, 3.0, 2.0]);
    assert_eq!(targets[1], targets[2]);
    assert!(targets[0] < targets[3] && targets[3] < targets[2]);
}

#[test]
fn a_failure_is_worse_even_where_all_else_is_equal() {
    let targets = standardised(&[1.0, 1.0, f64::INFINITY]);
    assert!(targets[2] > targets[0]);
    assert_eq!(standardised(&[1.0, 1.0]), [0.0, 0.0]);
    assert_eq!(standardised(&[f64::INFINITY; 3]), [0.0; 3]);
    assert_eq!(standardised(&[]), [0.0; 0]);
}

#[test]
fn a_huge_loss_leaves_the_good_apart() {
    let mut losses: Vec<f64> = (0..20).map(f64::from).collect();
    losses.push(1e300);
    let targets = standardised(&losses);
    assert!(targets[9] - targets[0] > 0.6, "{targets:?}");
}

proptest! {
    #[test]
    fn the_order_stays_and_nothing_is_lost(
        losses in prop::collection::vec(prop_oneof![-1e308..1e308, -1.0..1.0, -1e-300..1e-300f64], 1..40),
    ) {
        let targets = standardised(&losses);
        prop_assert!(targets.iter().all(|y| y.is_finite()));
        for (a, x) in losses.iter().zip(&targets) {
            for (b, y) in losses.iter().zip(&targets) {
                prop_assert!(a > b || x <= y);
            }
        }
    }
}
