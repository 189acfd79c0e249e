//! A sweep whose trials are trained elsewhere: which trial goes on, and how far.

use serde::Deserialize;
use serde_json::{Value, json};
use sweepd::domain::LegOutcome;
use sweepd::domain::sweep::{Direction, StopperSpec};
use sweepd::stopper::{self, Ended, Stopper};
use sweepd::sweepfile;

/// How a contest begins.
#[derive(Deserialize)]
pub(crate) struct Start {
    stopper: Value,
    trials: u64,
}

/// The end of a leg.
#[derive(Deserialize)]
pub(crate) struct End {
    trial: u64,
    /// Where it was to end.
    until: u64,
    /// The trial's smallest loss so far.
    value: f64,
    /// Whether its whole budget is spent.
    done: bool,
}

/// A contest under way.
pub(crate) struct Contest {
    stopper: Box<dyn Stopper>,
    trials: u64,
    created: u64,
}

impl Contest {
    pub fn new(start: &Start) -> Result<Self, String> {
        let spec = read(start)?;
        if spec.judges() {
            return Err("here trials report at rungs only, and this one judges every step".into());
        }
        let stopper = stopper::build(&spec, &[Direction::Minimize]);
        Ok(Self { stopper, trials: start.trials, created: 0 })
    }

    /// What a worker that is free does next.
    pub fn work(&mut self) -> Value {
        let promote = |last| self.stopper.promote(last, &|_| true);
        let promotion = if self.created < self.trials { promote(false) } else { promote(true) };
        let (trial, until) = match promotion {
            Some(promotion) => (promotion.trial, Some(promotion.until_step)),
            None if self.created < self.trials => {
                self.created += 1;
                (self.created - 1, self.stopper.first_rung(self.created - 1))
            }
            None => return json!({ "nothing": true }),
        };
        self.stopper.decided(trial, until);
        json!({ "trial": trial, "until": until })
    }

    pub fn end(&mut self, end: &End) {
        let outcome = if end.done { LegOutcome::Completed } else { LegOutcome::Paused };
        let (trial, until_step, value) = (end.trial, Some(end.until), Some(end.value));
        self.stopper.ended(Ended { trial, until_step, outcome, value, further: Vec::new() });
    }
}

/// The stopper, read as a part of a sweep file.
fn read(start: &Start) -> Result<StopperSpec, String> {
    let sweep = json!({
        "name": "bench",
        "objective": { "kind": "external" },
        "search": { "sampler": "random", "trials": start.trials, "stopper": start.stopper },
        "space": { "x": { "type": "float", "low": 0, "high": 1 } },
    });
    let sweep =
        sweepfile::parse_json(&sweep.to_string(), &|_, _| Ok(())).map_err(|problems| problems.to_string())?;
    sweep.search.stopper.ok_or_else(|| "this one stops nothing".into())
}
