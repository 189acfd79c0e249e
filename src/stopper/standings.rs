//! The trials that have a value at a rung, the best first: by that value where there is one objective; where there
//! are several by fronts, and within a front so that any number of first ones are spread over it (Schmucker et al.,
//! "Multi-objective Asynchronous Successive Halving", 2021). The best by the primary objective then comes first.

use super::ranking::Ranking;
use crate::domain::pareto;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Trials by their place. A trial may leave: it keeps its place, but stands there no longer.
#[derive(Debug)]
pub(super) enum Standings {
    ByValue {
        losses: BTreeMap<u64, f64>,
        ranked: Ranking,
        standing: Ranking,
    },
    ByFronts {
        losses: BTreeMap<u64, Vec<f64>>,
        standing: BTreeSet<u64>,
        /// Made when it is asked for, since every value may change it all.
        order: OnceLock<Vec<u64>>,
    },
}

/// A trial that stands at its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// How many come before it.
    pub rank: usize,
    pub trial: u64,
    /// Its loss by the primary objective.
    pub loss: f64,
}

impl Standings {
    pub fn new(objectives: usize) -> Self {
        if objectives > 1 {
            Self::ByFronts { losses: BTreeMap::new(), standing: BTreeSet::new(), order: OnceLock::new() }
        } else {
            Self::ByValue {
                losses: BTreeMap::new(),
                ranked: Ranking::default(),
                standing: Ranking::default(),
            }
        }
    }

    /// A trial has its value, a loss per objective. One that was tried again counts once.
    pub fn insert(&mut self, trial: u64, values: Vec<f64>, stands: bool) {
        match self {
            Self::ByValue { losses, ranked, standing } => {
                let loss = values.first().copied().unwrap_or(f64::INFINITY);
                if let Some(earlier) = losses.insert(trial, loss) {
                    ranked.remove((earlier, trial));
                    standing.remove((earlier, trial));
                }
                ranked.insert((loss, trial));
                if stands {
                    standing.insert((loss, trial));
                }
            }
            Self::ByFronts { losses, standing, order } => {
                losses.insert(trial, values);
                order.take();
                if stands {
                    standing.insert(trial);
                } else {
                    standing.remove(&trial);
                }
            }
        }
    }

    /// A trial stands here no longer.
    pub fn leave(&mut self, trial: u64) {
        match self {
            Self::ByValue { losses, standing, .. } => {
                if let Some(loss) = losses.get(&trial) {
                    standing.remove((*loss, trial));
                }
            }
            Self::ByFronts { standing, .. } => {
                standing.remove(&trial);
            }
        }
    }

    /// How many have a value.
    pub fn len(&self) -> usize {
        match self {
            Self::ByValue { ranked, .. } => ranked.len(),
            Self::ByFronts { losses, .. } => losses.len(),
        }
    }

    /// Where a trial is, whether or not it stands there.
    pub fn place(&self, trial: u64) -> Option<Place> {
        match self {
            Self::ByValue { losses, ranked, .. } => {
                let loss = *losses.get(&trial)?;
                Some(Place { rank: ranked.rank((loss, trial)), trial, loss })
            }
            Self::ByFronts { losses, .. } => {
                let loss = *losses.get(&trial)?.first()?;
                let rank = self.order().iter().position(|other| *other == trial)?;
                Some(Place { rank, trial, loss })
            }
        }
    }

    /// Those that stand at their place, the best first.
    pub fn standing(&self) -> Box<dyn Iterator<Item = Place> + '_> {
        match self {
            Self::ByValue { ranked, standing, .. } => {
                let place = |(loss, trial)| Place { rank: ranked.rank((loss, trial)), trial, loss };
                Box::new(standing.iter().map(place))
            }
            Self::ByFronts { losses, standing, .. } => {
                let order = self.order().iter().enumerate();
                Box::new(order.filter(|(_, trial)| standing.contains(trial)).map(|(rank, trial)| {
                    let loss = losses.get(trial).and_then(|losses| losses.first()).copied();
                    Place { rank, trial: *trial, loss: loss.unwrap_or(f64::INFINITY) }
                }))
            }
        }
    }

    fn order(&self) -> &[u64] {
        match self {
            Self::ByValue { .. } => &[],
            Self::ByFronts { losses, order, .. } => order.get_or_init(|| {
                let trials: Vec<u64> = losses.keys().copied().collect();
                let losses: Vec<&[f64]> = losses.values().map(Vec::as_slice).collect();
                pareto::best_first(&losses).into_iter().map(|place| trials[place]).collect()
            }),
        }
    }
}

#[cfg(test)]
#[path = "standings_test.rs"]
mod standings_test;
