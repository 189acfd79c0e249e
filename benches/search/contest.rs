//! A sweep whose trials are trained elsewhere: which trial goes on, and how far.

use serde::Deserialize;
use serde_json::{Value, json};
use sweepd::domain::LegOutcome;
use sweepd::domain::sweep::{Direction, StopperSpec};
use sweepd::stopper::{self, Ended, Judged, Stopper, Verdict};
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

/// What a trial has reported.
#[derive(Deserialize)]
pub(crate) struct Report {
    trial: u64,
    /// Its losses, from step 1 on.
    losses: Vec<f64>,
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
        let stopper = stopper::build(&read(start)?, &[Direction::Minimize]);
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

    /// What a stopper that judges running trials says of a report.
    pub fn report(&mut self, report: &Report) -> Value {
        let (trial, leg, at_its_end) = (report.trial, report.trial, report.done);
        let curve: Vec<(u64, f64)> = (1..).zip(report.losses.iter().copied()).collect();
        let judged = Judged { trial, leg, sees_below: u64::MAX, at_its_end, further: &[], curve: &curve };
        let verdict = self.stopper.judge(&judged);
        if let Verdict::Passed(reason) | Verdict::Stop(reason) = &verdict {
            self.stopper.remember(trial, leg, reason);
        }
        if report.done {
            self.stopper.completed(leg, &curve);
        }
        json!({ "stop": matches!(verdict, Verdict::Stop(_)) })
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
