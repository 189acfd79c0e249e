//! Who worked when: one line of spans per slot, so few that each can be seen.

use crate::domain::{Millis, TrialId};
use crate::store::query::Stint;
use serde::Serialize;
use std::collections::BTreeMap;

/// One or several attempts on a slot, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Span {
    /// The trial; of several the one that took longest.
    pub trial_id: TrialId,
    /// Its number within its sweep.
    pub number: u64,
    /// Its sweep's public id.
    pub sweep: String,
    /// The attempt.
    pub attempt: i64,
    /// When the first began.
    pub from_ms: Millis,
    /// When the last ended; `None` while it goes on.
    pub until_ms: Option<Millis>,
    /// How the attempt stands or ended.
    pub state: String,
    /// How many attempts this is.
    pub trials: u64,
    /// How long the longest took, as far as the picture goes.
    #[serde(skip)]
    longest: i64,
}

/// A slot's line.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Slot {
    /// Its name.
    pub slot: String,
    /// What was done there, in order.
    pub spans: Vec<Span>,
}

/// The lines of all slots between two times, with at most about `most` spans: attempts that are shorter than what can
/// be seen, and follow each other as closely, become one.
#[must_use]
pub fn slots(stints: Vec<Stint>, (from, to): (Millis, Millis), most: usize) -> Vec<Slot> {
    let mut by_slot: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    let crowded = stints.len() > most;
    let names: std::collections::BTreeSet<&str> = stints.iter().map(|stint| stint.slot.as_str()).collect();
    let each = (most / names.len().max(1)).max(1);
    // Two spans and two gaps can take a pixel's room together.
    let room = if crowded { to.since_ms(from).max(0) / i64::try_from(each).unwrap_or(1) } else { 0 };
    for stint in stints {
        let until = stint.until.unwrap_or(to);
        let longest = until.since_ms(stint.from);
        let spans = by_slot.entry(stint.slot).or_default();
        let fits = |last: &&mut Span| {
            let ended = last.until_ms.unwrap_or(to);
            crowded
                && longest < room
                && last.longest < room
                && stint.from.since_ms(ended) < room
                && until.since_ms(last.from_ms) <= room
        };
        match spans.last_mut().filter(fits) {
            Some(last) => {
                last.trials += 1;
                last.until_ms = last.until_ms.zip(stint.until).map(|(a, b)| a.max(b));
                if longest > last.longest {
                    (last.trial_id, last.attempt) = (stint.trial_id, stint.attempt);
                    (last.state, last.longest) = (stint.state, longest);
                }
            }
            None => spans.push(Span {
                trial_id: stint.trial_id,
                number: 0,
                sweep: String::new(),
                attempt: stint.attempt,
                from_ms: stint.from,
                until_ms: stint.until,
                state: stint.state,
                trials: 1,
                longest,
            }),
        }
    }
    by_slot.into_iter().map(|(slot, spans)| Slot { slot, spans }).collect()
}
