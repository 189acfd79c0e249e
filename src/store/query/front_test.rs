use super::*;
use crate::domain::Direction;
use proptest::prelude::*;

fn targets(signs: &[f64]) -> Vec<Target> {
    let direction = |sign: f64| if sign > 0.0 { Direction::Minimize } else { Direction::Maximize };
    (0..).zip(signs).map(|(n, sign)| Target { name: format!("m{n}"), direction: direction(*sign) }).collect()
}

fn trials(values: &[Vec<f64>], signs: &[f64]) -> Vec<Valued> {
    let turned = |values: &Vec<f64>| values.iter().zip(signs).map(|(x, sign)| x * sign).collect();
    (1..).map(TrialId).zip(values.iter().map(turned)).collect()
}

proptest! {
    /// More is better is less is better with the sign changed.
    #[test]
    fn directions_are_symmetric(
        values in prop::collection::vec(prop::collection::vec((0..9i32).prop_map(f64::from), 3), 0..30),
        signs in prop::collection::vec(prop_oneof![Just(1.0), Just(-1.0)], 3),
    ) {
        let plain = [1.0; 3];
        let (shape, front) = super::shape(targets(&plain), trials(&values, &plain));
        let (turned, turned_front) = super::shape(targets(&signs), trials(&values, &signs));
        let ids = |front: &[Valued]| front.iter().map(|(trial, _)| *trial).collect::<Vec<_>>();
        prop_assert_eq!(ids(&front), ids(&turned_front));
        prop_assert_eq!((shape.completed, shape.size), (turned.completed, turned.size));
        prop_assert_eq!(shape.hypervolume, turned.hypervolume);
        let back: Vec<f64> = turned.reference.iter().zip(&signs).map(|(x, sign)| x * sign).collect();
        prop_assert_eq!(shape.reference, back);
        prop_assert!(front.is_sorted_by(|a, b| a.1[0] <= b.1[0]), "by the primary objective");
    }
}

#[test]
fn one_trial_is_a_front_without_volume_and_none_is_none() {
    let one = super::shape(targets(&[1.0, -1.0]), trials(&[vec![2.0, 3.0]], &[1.0, -1.0]));
    assert_eq!((one.0.size, one.0.hypervolume, one.0.reference), (1, Some(0.0), vec![2.0, -3.0]));
    let none = super::shape(targets(&[1.0, 1.0]), Vec::new());
    assert_eq!((none.0.size, none.0.hypervolume, none.1.len()), (0, None, 0));
}

#[test]
fn the_ends_of_a_front_count() {
    let values = [vec![0.0, 10.0], vec![10.0, 0.0]];
    let (shape, _) = super::shape(targets(&[1.0, 1.0]), trials(&values, &[1.0, 1.0]));
    assert_eq!((shape.reference, shape.hypervolume), (vec![11.0, 11.0], Some(11.0 + 10.0)));
}
