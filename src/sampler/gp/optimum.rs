//! Where the acquisition is highest: many candidates, then a local search from the best few that follows the
//! gradient in smooth coordinates and tries the values of the others one by one, in turns.
//!
//! Half of the candidates are spread over the space, half lie around the best trials (as in Hutter, Hoos and
//! Leyton-Brown, "SMAC", LION 2011, section 3.3). Starts are drawn by their promise, as in BoTorch and Optuna.

use super::cube::{Cube, Search};
use super::descent::{Descent, Limits};
use super::factor::{LANES, Lanes};
use super::model::{Model, normal};
use crate::domain::stream::uniform;
use rand_chacha::ChaCha8Rng;
use std::cmp::Ordering;

/// Turns of the local search.
const TURNS: usize = 4;
/// A value must gain so much to be changed.
const GAIN: f64 = 1e-6;
/// How many candidates stand behind the optima, for when those cannot exist or are known.
const SPARE: usize = 24;

/// A place in the cube.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// A coordinate for every parameter, whether it exists or not.
    pub raw: Vec<f64>,
    /// As [`Cube::settle`] gives it.
    pub point: Vec<f64>,
    /// The acquisition there.
    pub value: f64,
}

/// A search of the acquisition.
pub(super) struct Optimum<'a> {
    pub cube: &'a Cube<'a>,
    pub model: Model,
    pub rng: ChaCha8Rng,
    /// Whether a point may be proposed.
    pub is_open: &'a dyn Fn(&[f64]) -> bool,
}

impl Optimum<'_> {
    /// Spots that promise most, the best first. `best` are the best trials' points.
    pub fn search(mut self, best: &[&[f64]], candidates: usize) -> Vec<Spot> {
        let raws = self.candidates(best, candidates);
        let mut spots = self.spots(raws);
        spots.sort_by(by_value);
        let mut starts = self.starts(&spots);
        if let Some(point) = best.first() {
            // The best trial itself: known, but its surroundings need not be.
            let raw = self.completed(point);
            starts.truncate(LANES - 1);
            starts.push(self.spot(raw));
        }
        self.evaluate(&mut starts);
        for _ in 0..TURNS {
            self.climb(&mut starts);
            if !self.step(&mut starts) {
                break;
            }
        }
        starts.retain(|spot| (self.is_open)(&spot.point));
        spots.truncate(SPARE);
        starts.extend(spots);
        starts.sort_by(by_value);
        // Others of the same value may stand between equal points.
        let mut distinct: Vec<Spot> = Vec::with_capacity(starts.len());
        for spot in starts {
            if !distinct.iter().any(|known| same(&known.point, &spot.point)) {
                distinct.push(spot);
            }
        }
        distinct
    }

    fn candidates(&mut self, best: &[&[f64]], count: usize) -> Vec<Vec<f64>> {
        let around = if best.is_empty() { 0 } else { count / 2 };
        let axes = self.cube.len();
        let mut raws: Vec<Vec<f64>> =
            (around..count).map(|_| (0..axes).map(|_| uniform(&mut self.rng)).collect()).collect();
        for i in 0..around {
            let mut raw = self.completed(best[i % best.len()]);
            self.perturb(&mut raw, [0.2, 0.05, 0.01][i / best.len() % 3]);
            raws.push(raw);
        }
        raws
    }

    /// Raw coordinates for a point; what does not exist in it is drawn.
    fn completed(&mut self, point: &[f64]) -> Vec<f64> {
        point.iter().map(|x| if x.is_nan() { uniform(&mut self.rng) } else { *x }).collect()
    }

    /// Moves some coordinates a little, or draws other values.
    fn perturb(&mut self, raw: &mut [f64], reach: f64) {
        let searched = (0..raw.len()).filter(|i| self.cube.search(*i) != Search::Not).count();
        // In many dimensions few coordinates at a time (Regis and Shoemaker, Engineering Optimization 45, 2013).
        let chance = (8.0 / searched.max(1) as f64).clamp(0.25, 0.8);
        for (i, x) in raw.iter_mut().enumerate() {
            match self.cube.search(i) {
                Search::Smooth if uniform(&mut self.rng) < chance => {
                    *x = (*x + reach * normal(&mut self.rng)).clamp(0.0, 1.0);
                }
                Search::Values if uniform(&mut self.rng) < (2.0 / searched as f64).min(0.5) => {
                    *x = uniform(&mut self.rng);
                }
                _ => {}
            }
        }
    }

    fn spot(&self, raw: Vec<f64>) -> Spot {
        let mut point = vec![0.0; raw.len()];
        self.cube.settle(&raw, &mut point);
        Spot { raw, point, value: f64::NEG_INFINITY }
    }

    /// The open spots among these, with their values.
    fn spots(&mut self, raws: Vec<Vec<f64>>) -> Vec<Spot> {
        let mut spots: Vec<Spot> = raws.into_iter().map(|raw| self.spot(raw)).collect();
        spots.retain(|spot| (self.is_open)(&spot.point));
        self.evaluate(&mut spots);
        spots
    }

    fn evaluate(&mut self, spots: &mut [Spot]) {
        let mut lanes = vec![[0.0; LANES]; self.cube.features().len()];
        let mut features = vec![0.0; lanes.len()];
        for chunk in spots.chunks_mut(LANES) {
            for (lane, spot) in chunk.iter().enumerate() {
                self.cube.describe(&spot.point, &mut features);
                lanes.iter_mut().zip(&features).for_each(|(lanes, x)| lanes[lane] = *x);
            }
            let values = self.model.values(&lanes);
            chunk.iter_mut().zip(values).for_each(|(spot, value)| spot.value = value);
        }
    }

    /// The best candidate, and others drawn by their promise.
    fn starts(&mut self, ranked: &[Spot]) -> Vec<Spot> {
        let Some(most) = ranked.first().map(|spot| spot.value) else { return Vec::new() };
        let mut shares: Vec<f64> = ranked.iter().map(|spot| (spot.value - most).exp()).collect();
        let mut starts = vec![ranked[0].clone()];
        shares[0] = 0.0;
        while starts.len() < LANES.min(ranked.len()) {
            let mut place = uniform(&mut self.rng) * shares.iter().sum::<f64>();
            let drawn = shares.iter().position(|share| {
                place -= share;
                *share > 0.0 && place < 0.0
            });
            // Once no other promises anything by comparison, the next best.
            let taken = drawn.unwrap_or(starts.len());
            shares[taken] = 0.0;
            starts.push(ranked[taken].clone());
        }
        starts
    }

    /// Follows the gradient from up to [`LANES`] spots, side by side.
    fn climb(&mut self, spots: &mut [Spot]) {
        let moving: Vec<Vec<usize>> = spots.iter().map(|spot| self.moving(spot)).collect();
        let limits = Limits { evaluations: 40, gain: 1e-5, first_step: 0.1 };
        let mut descents: Vec<Descent> = spots
            .iter()
            .zip(&moving)
            .map(|(spot, axes)| {
                let start = axes.iter().map(|i| spot.raw[*i]).collect();
                Descent::new(start, vec![(0.0, 1.0); axes.len()], limits)
            })
            .collect();
        let mut lanes: Vec<Lanes> = vec![[0.0; LANES]; self.cube.features().len()];
        let mut features = vec![0.0; lanes.len()];
        let mut wanted = vec![false; lanes.len()];
        for (lane, spot) in spots.iter().enumerate() {
            self.cube.describe(&spot.point, &mut features);
            lanes.iter_mut().zip(&features).for_each(|(lanes, x)| lanes[lane] = *x);
        }
        let places = |axes: &[usize]| axes.iter().filter_map(|i| self.cube.feature(*i)).collect::<Vec<_>>();
        let places: Vec<Vec<usize>> = moving.iter().map(|axes| places(axes)).collect();
        places.iter().flatten().for_each(|f| wanted[*f] = true);
        while descents.iter().any(|descent| descent.wanted().is_some()) {
            for (lane, (descent, places)) in descents.iter().zip(&places).enumerate() {
                let Some(x) = descent.wanted() else { continue };
                places.iter().zip(x).for_each(|(f, x)| lanes[*f][lane] = *x);
            }
            let (values, slopes) = self.model.slopes(&lanes, &wanted);
            for (lane, (descent, places)) in descents.iter_mut().zip(&places).enumerate() {
                if descent.wanted().is_some() {
                    let gradient: Vec<f64> = places.iter().map(|f| -slopes[*f][lane]).collect();
                    descent.tell(-values[lane], &gradient);
                }
            }
        }
        let mut climbed: Vec<Spot> = Vec::with_capacity(spots.len());
        for ((spot, descent), axes) in spots.iter().zip(&descents).zip(&moving) {
            let mut raw = spot.raw.clone();
            axes.iter().zip(descent.best().0).for_each(|(i, x)| raw[*i] = *x);
            climbed.push(self.spot(raw));
        }
        self.evaluate(&mut climbed);
        for (spot, climbed) in spots.iter_mut().zip(climbed) {
            // What was snapped may have lost what was gained.
            if climbed.value > spot.value && (self.is_open)(&climbed.point) {
                *spot = climbed;
            }
        }
    }

    /// The axes that follow the gradient from a spot.
    fn moving(&self, spot: &Spot) -> Vec<usize> {
        (0..spot.raw.len())
            .filter(|i| self.cube.search(*i) == Search::Smooth && !spot.point[*i].is_nan())
            .collect()
    }

    /// Tries the other values of each coordinate in turn; whether any spot moved.
    fn step(&mut self, spots: &mut [Spot]) -> bool {
        let mut has_moved = false;
        for axis in 0..self.cube.len() {
            if self.cube.search(axis) != Search::Values {
                continue;
            }
            let mut owners = Vec::new();
            let mut others = Vec::new();
            for (owner, spot) in spots.iter().enumerate().filter(|(_, spot)| !spot.point[axis].is_nan()) {
                for value in self.cube.values(axis).iter().filter(|value| **value != spot.point[axis]) {
                    let mut raw = spot.raw.clone();
                    raw[axis] = *value;
                    let other = self.spot(raw);
                    if (self.is_open)(&other.point) {
                        owners.push(owner);
                        others.push(other);
                    }
                }
            }
            self.evaluate(&mut others);
            for (owner, other) in owners.into_iter().zip(others) {
                let spot = &mut spots[owner];
                if other.value > spot.value + GAIN || !(self.is_open)(&spot.point) {
                    *spot = other;
                    has_moved = true;
                }
            }
        }
        has_moved
    }
}

fn by_value(a: &Spot, b: &Spot) -> Ordering {
    b.value.total_cmp(&a.value)
}

fn same(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(x, y)| x == y || x.is_nan() && y.is_nan())
}

#[cfg(test)]
#[path = "optimum_test.rs"]
mod optimum_test;
