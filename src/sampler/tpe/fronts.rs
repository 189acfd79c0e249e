//! Which trials are better than others where there are several losses: by fronts, and within a front by the room
//! around each (Deb et al., "NSGA-II", 2002), as in multi-objective TPE (Ozaki et al., GECCO 2020).

use crate::domain::pareto::{crowding, fronts};
use crate::sampler::{History, Level, Ranked};
use std::collections::BTreeMap;

/// Only so many of the last ends are compared, each with each.
const MOST_COMPARED: usize = 2_000;

/// The trials with an end at a level, the best first; their loss is their front, infinite for what failed.
pub(super) fn best_first(history: &History, level: Level) -> Vec<Ranked> {
    let ends = history.ends().iter().enumerate().filter(|(_, end)| end.level == level);
    // A trial that was tried again counts once, with what it ended with last.
    let latest: BTreeMap<u64, usize> = ends.map(|(at, end)| (end.trial, at)).collect();
    let mut latest: Vec<(usize, u64)> = latest.into_iter().map(|(trial, at)| (at, trial)).collect();
    latest.sort_unstable();
    let compared = latest.split_off(latest.len().saturating_sub(MOST_COMPARED));
    let is_finite = |(at, _): &(usize, u64)| history.losses(*at).iter().all(|loss| loss.is_finite());
    let (well, failed): (Vec<_>, Vec<_>) = compared.into_iter().partition(is_finite);
    let losses: Vec<&[f64]> = well.iter().map(|(at, _)| history.losses(*at)).collect();
    let mut ranked = Vec::with_capacity(well.len() + failed.len());
    for (number, front) in fronts(&losses).into_iter().enumerate() {
        let room = crowding(&front.iter().map(|place| losses[*place]).collect::<Vec<_>>());
        let mut members: Vec<(f64, u64)> =
            room.into_iter().zip(front).map(|(room, place)| (room, well[place].1)).collect();
        members.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.extend(members.into_iter().map(|(_, trial)| Ranked { loss: number as f64, trial }));
    }
    ranked.extend(failed.into_iter().map(|(_, trial)| Ranked { loss: f64::INFINITY, trial }));
    ranked
}
