//! Beginning with what earlier sweeps found.
//!
//! The best configurations of the earlier sweeps are tried first, as far as they differ (Feurer, Springenberg and
//! Hutter, "Initializing Bayesian Hyperparameter Optimization via Meta-Learning", AAAI 2015): a sampler would otherwise
//! begin with random ones, so where the earlier sweeps mislead, little is lost. After that, some of the suggestions come
//! from Parzen estimators of the earlier results: ever fewer of them as the sweep's own results come in (the weight
//! falls as in Hvarfner et al., "pi-BO", ICLR 2022), and only as far as the earlier results put the sweep's own in the
//! right order (as the ensemble of Feurer et al. weighs its members, "Practical Transfer Learning for Bayesian
//! Optimization", 2018). All others come from the sweep's own sampler and its own results alone. So an earlier sweep
//! that misleads costs the few trials until that is seen.
//!
//! Values of other objectives and data cannot be compared. They count by their rank in their own sweep, as a quantile
//! of the normal distribution (Salinas, Shen and Perrone, "A Quantile-Based Approach for Hyperparameter Transfer
//! Learning", ICML 2020); sweeps with the same objective on the same data are ranked together.

use super::axes::quantile;
use super::propose::{Propose, Proposing};
use super::tpe::Tpe;
use super::{Ask, History, Level, News, Sampler, Suggestion};
use crate::domain::prior::{PriorResult, Source};
use crate::domain::stream::{Key, stream, uniform};
use crate::domain::{Params, Reason};
use crate::space::Space;

/// So many of the earlier sweeps' best configurations are tried first.
const FIRST: usize = 3;
/// They differ in some coordinate by at least this much.
const APART: f64 = 0.1;
/// Trial number n comes from the earlier results with a chance of `LEAD / n`, never more than `MOST`, times how far
/// they agree with the sweep's own.
const LEAD: f64 = 3.0;
const MOST: f64 = 0.5;
/// So many of the sweep's own results are compared with the earlier ones; of rungs, the highest with so many counts.
const MOST_COMPARED: usize = 50;
const ENOUGH: usize = 10;
/// Draws from the density of the earlier results.
const CANDIDATES: u32 = 24;

/// A sampler with earlier results to begin with.
pub(super) struct Warm {
    inner: Box<dyn Sampler>,
    prior: Prior,
}

impl Warm {
    pub fn new(inner: Box<dyn Sampler>, prior: Prior) -> Self {
        Self { inner, prior }
    }

    /// The best of the earlier configurations that has not been tried here.
    fn again(&self, ask: &Ask<'_>) -> Option<Suggestion> {
        let is_open = |best: &&Best| {
            !ask.history.contains(&ask.space.point(&best.params)) && (ask.feasible)(&best.params).is_ok()
        };
        let best = self.prior.best.iter().find(is_open)?;
        Some(Suggestion::Trial { params: best.params.clone(), reason: best.reason.clone() })
    }
}

impl Sampler for Warm {
    fn suggest(&self, ask: &Ask<'_>) -> Suggestion {
        if let Some(suggestion) = self.again(ask) {
            return suggestion;
        }
        let drawn = uniform(&mut stream(ask.seed, "warm start", &[Key::Number(ask.number)]));
        let chance = (LEAD / ask.number.max(1) as f64).min(MOST);
        // How far they agree is asked only where it matters.
        if drawn < chance && drawn < chance * self.prior.agreement(ask.history) {
            return Proposing(&self.prior).suggest(ask);
        }
        self.inner.suggest(ask)
    }
}

/// What earlier sweeps say of a space.
pub struct Prior {
    history: History,
    /// What is tried first, in that order.
    best: Vec<Best>,
}

struct Best {
    params: Params,
    reason: Reason,
}

impl Prior {
    /// What is known of `space` from `sources`; `fit` says what a configuration is in it. `None` where that is nothing.
    #[must_use]
    pub fn new(space: &Space, sources: &[Source], fit: impl Fn(&Params) -> Option<Params>) -> Option<Self> {
        let mut groups: Vec<Vec<Known<'_>>> = vec![Vec::new()];
        for source in sources {
            let known = source.results.iter().filter_map(|result: &PriorResult| {
                fit(&result.params).map(|params| Known { source, result, params })
            });
            // The first group holds what can be compared with each other.
            if source.comparable {
                groups[0].extend(known);
            } else {
                groups.push(known.collect());
            }
        }
        groups.retain(|group| !group.is_empty());
        let mut history = History::new(space, 1);
        for group in &mut groups {
            group.sort_by(|a, b| a.result.loss.total_cmp(&b.result.loss));
            let of = group.len() as f64;
            for (rank, known) in group.iter().enumerate() {
                let trial = history.trials();
                history.suggested(space, &known.params);
                let loss = quantile((rank as f64 + 0.5) / of);
                history.ended(&News { trial, level: Level::Full, losses: vec![loss] });
            }
        }
        (!groups.is_empty()).then(|| Self { history, best: best(space, &groups) })
    }

    /// How well the earlier results foretell the sweep's own: 1 where they put all in their right order, 0 where they
    /// say nothing or the contrary (Kendall's tau). A result is foretold by the nearest earlier one.
    fn agreement(&self, history: &History) -> f64 {
        let known: Vec<(f64, f64)> = history
            .level(ENOUGH)
            .into_iter()
            .flat_map(|level| history.ranked(level))
            .filter(|ranked| ranked.loss.is_finite())
            .take(MOST_COMPARED)
            .map(|ranked| (ranked.loss, self.foretold(history.point(ranked.trial))))
            .collect();
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (at, a) in known.iter().enumerate() {
            for b in &known[..at] {
                sum += order(a.0, b.0) * order(a.1, b.1);
                pairs += 1.0;
            }
        }
        if pairs > 0.0 { f64::max(sum / pairs, 0.0) } else { 1.0 }
    }

    /// The score of the nearest earlier result.
    fn foretold(&self, point: &[f64]) -> f64 {
        let far = |other: &[f64]| -> f64 {
            let apart = |(x, y): (&f64, &f64)| match (x.is_nan(), y.is_nan()) {
                (true, true) => 0.0,
                (false, false) => (x - y).powi(2),
                _ => 1.0,
            };
            point.iter().zip(other).map(apart).sum()
        };
        let all = self.history.ranked(Level::Full);
        let nearest =
            all.min_by(|a, b| far(self.history.point(a.trial)).total_cmp(&far(self.history.point(b.trial))));
        nearest.map_or(0.0, |nearest| nearest.loss)
    }
}

/// 1 where the first is larger, -1 where the second is; 0 where neither is.
fn order(a: f64, b: f64) -> f64 {
    f64::from(a.total_cmp(&b) as i8)
}

/// A result that fits.
struct Known<'a> {
    source: &'a Source,
    result: &'a PriorResult,
    params: Params,
}

/// The best of each group in turn, as far as they are apart.
fn best(space: &Space, groups: &[Vec<Known<'_>>]) -> Vec<Best> {
    let longest = groups.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn = (0..longest)
        .flat_map(|rank| groups.iter().filter_map(move |group| Some((rank, group.get(rank)?, group.len()))));
    let (mut chosen, mut points): (Vec<Best>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for (rank, known, of) in in_turn {
        let point = space.point(&known.params);
        if points.iter().any(|other| !is_apart(&point, other)) {
            continue;
        }
        points.push(point);
        let reason = Reason::Transferred {
            name: known.source.name.clone(),
            trial: known.result.trial,
            rank: rank as u64 + 1,
            of: of as u64,
        };
        chosen.push(Best { params: known.params.clone(), reason });
        if chosen.len() == FIRST {
            break;
        }
    }
    chosen
}

fn is_apart(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).any(|(x, y)| x.is_nan() != y.is_nan() || (x - y).abs() >= APART)
}

impl Propose for &Prior {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "tpe on earlier sweeps"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        Tpe::new(1, CANDIDATES).propose(&Ask { history: &self.history, ..*ask }, round)
    }
}

#[cfg(test)]
#[path = "warm_test.rs"]
mod warm_test;
