//! Which trials predict best together.
//!
//! Predictions are f32 `[rows, columns]` in one list, labels the same with NaN where there is none; both in pixels.

use super::{TextTable, value};
use crate::domain::ensemble::Ensemble;

/// The RMSE of the mean of some predictions, each of them counting as often as `weights` says, over the labels that
/// exist. NaN without any.
#[must_use]
pub fn rmse_of_mean(predictions: &[&[f32]], weights: &[u32], labels: &[f32]) -> f64 {
    let mut sum = Sum::of(labels);
    for (prediction, weight) in predictions.iter().zip(weights) {
        sum.add(prediction, *weight);
    }
    sum.rmse_with(&[], 0)
}

/// Greedy selection with replacement (Caruana and others, "Ensemble selection from libraries of models", ICML 2004):
/// begins with the best, and adds in each of `rounds` whoever makes the mean best, also one that is in it already.
/// Returns how often each counts in the best mean that was met; 0 for those that are not in it.
///
/// The first of equals is taken, so that the result depends on the order of the predictions and on nothing else.
#[must_use]
pub fn greedy(predictions: &[&[f32]], labels: &[f32], rounds: u32) -> Vec<u32> {
    let mut sum = Sum::of(labels);
    let mut weights = vec![0; predictions.len()];
    let (mut best, mut chosen) = (f64::INFINITY, weights.clone());
    for _ in 0..rounds {
        let with = predictions.iter().map(|prediction| sum.rmse_with(prediction, 1));
        let Some((at, rmse)) = with.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)) else { break };
        sum.add(predictions[at], 1);
        weights[at] += 1;
        // A member that changes nothing is no reason for a heavier ensemble.
        if rmse < best {
            (best, chosen) = (rmse, weights.clone());
        }
    }
    chosen
}

/// The weighted mean of predictions.
#[must_use]
pub fn mean(predictions: &[&[f32]], weights: &[u32]) -> Vec<f32> {
    let total: f64 = weights.iter().copied().map(f64::from).sum();
    let length = predictions.first().map_or(0, |first| first.len());
    let at =
        |i: usize| predictions.iter().zip(weights).map(|(p, w)| f64::from(p[i]) * f64::from(*w)).sum::<f64>();
    (0..length).map(|i| (at(i) / total) as f32).collect()
}

/// A sum of predictions for the labels that exist.
struct Sum<'a> {
    labels: &'a [f32],
    /// Where a label exists.
    places: Vec<usize>,
    sums: Vec<f64>,
    weight: u32,
}

impl<'a> Sum<'a> {
    fn of(labels: &'a [f32]) -> Self {
        let places: Vec<usize> = (0..labels.len()).filter(|at| !labels[*at].is_nan()).collect();
        Self { labels, sums: vec![0.0; places.len()], places, weight: 0 }
    }

    fn add(&mut self, prediction: &[f32], weight: u32) {
        for (sum, at) in self.sums.iter_mut().zip(&self.places) {
            *sum += f64::from(prediction[*at]) * f64::from(weight);
        }
        self.weight += weight;
    }

    /// The RMSE of the mean if a prediction were added; of the mean as it is with a weight of 0.
    fn rmse_with(&self, prediction: &[f32], weight: u32) -> f64 {
        let total = f64::from(self.weight + weight);
        let square = |(sum, at): (&f64, &usize)| {
            let added = if weight == 0 { 0.0 } else { f64::from(prediction[*at]) * f64::from(weight) };
            ((sum + added) / total - f64::from(self.labels[*at])).powi(2)
        };
        let squares: f64 = self.sums.iter().zip(&self.places).map(square).sum();
        (squares / self.places.len() as f64).sqrt()
    }
}

/// An ensemble beside its members.
#[must_use]
pub fn ensemble_table(ensemble: &Ensemble) -> String {
    let mut table = TextTable::new().words("TRIAL").numbers("COUNTS").numbers("RMSE");
    for member in &ensemble.members {
        table.row([member.trial.clone(), member.weight.to_string(), value(Some(member.rmse))]);
    }
    let total: u32 = ensemble.members.iter().map(|member| member.weight).sum();
    table.row([ensemble.name.clone(), total.to_string(), value(Some(ensemble.rmse))]);
    table.render(None).0
}

/// Ensembles of a sweep, one a line.
#[must_use]
pub fn ensemble_list(ensembles: &[Ensemble]) -> String {
    let mut table =
        TextTable::new().words("ENSEMBLE").numbers("TRIALS").numbers("RMSE").numbers("BEST MEMBER");
    for ensemble in ensembles {
        let best = ensemble.members.iter().map(|member| member.rmse).min_by(f64::total_cmp);
        let trials = ensemble.members.len().to_string();
        table.row([ensemble.name.clone(), trials, value(Some(ensemble.rmse)), value(best)]);
    }
    table.render(None).0
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [f32; 4] = [1.0, 2.0, f32::NAN, 4.0];

    #[test]
    fn missing_labels_do_not_count() {
        let off = [2.0, 3.0, 99.0, 5.0];
        assert_eq!(rmse_of_mean(&[&off], &[1], &LABELS), 1.0);
        assert!(rmse_of_mean(&[&off], &[1], &[f32::NAN; 4]).is_nan());
    }

    #[test]
    fn opposite_errors_cancel_and_greed_finds_that() {
        let (above, below, far) = ([2.0, 3.0, 0.0, 5.0], [0.0, 1.0, 0.0, 3.0], [9.0, 9.0, 9.0, 9.0]);
        assert_eq!(greedy(&[&far, &above, &below], &LABELS, 20), [0, 1, 1]);
        assert_eq!(rmse_of_mean(&[&above, &below], &[1, 1], &LABELS), 0.0);
        // One of them errs by twice as much: the other must count twice.
        let further = [-1.0, 0.0, 0.0, 2.0];
        assert_eq!(greedy(&[&above, &further], &LABELS, 20), [2, 1]);
        assert_eq!(rmse_of_mean(&[&above, &further], &[2, 1], &LABELS), 0.0);
        assert_eq!(mean(&[&above, &further], &[2, 1]), [1.0, 2.0, 0.0, 4.0]);
    }

    #[test]
    fn a_lone_trial_or_a_twin_adds_nothing() {
        let one = [1.5, 2.0, 0.0, 4.0];
        assert_eq!(greedy(&[&one, &one], &LABELS, 20), [1, 0]);
        assert_eq!(greedy(&[], &LABELS, 20), [0; 0]);
    }
}
