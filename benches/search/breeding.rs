//! A sweep whose trials are trained elsewhere, decided by the scheduler's own core: what a free worker trains next,
//! from which step of whose training, and how that ended. For searches whose decisions take more than a stopper:
//! populations, and samplers that learn from rungs.

use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use sweepd::domain::{Metrics, Millis, ObjectiveKind, Origin, Recovery, SweepId, TellState};
use sweepd::scheduler::{Claimed, Core, Input, Reply, Seeker};
use sweepd::sweepfile;

/// The metric of all these trials.
const LOSS: &str = "loss";

/// How it begins.
#[derive(Deserialize)]
pub(crate) struct Start {
    seed: u64,
    /// As in a sweep file.
    search: Value,
    space: Value,
}

/// The end of a piece of training.
#[derive(Deserialize)]
pub(crate) struct Trained {
    trial: u64,
    /// The loss after each of its steps.
    losses: Vec<f64>,
    /// Whether the trial's whole budget is spent.
    done: bool,
}

/// A sweep under way.
pub(crate) struct Breeding {
    core: Core,
    sweep: SweepId,
    /// What is being trained, by the trial's number.
    under_way: BTreeMap<u64, Claimed>,
    /// Inputs so far: a clock, and names for requests.
    inputs: i64,
}

impl Breeding {
    pub fn new(start: &Start) -> Result<Self, String> {
        let sweep = json!({
            "name": "bench",
            "seed": start.seed,
            "objective": { "kind": "external", "metric": LOSS },
            "search": start.search,
            "space": start.space,
        });
        let spec = sweepfile::parse_json(&sweep.to_string(), &|_, _| Ok(()))
            .map_err(|problems| problems.to_string())?;
        let core = Core::recover(Recovery::default(), Millis(0), 0).map_err(|error| error.to_string())?;
        let mut breeding = Self { core, sweep: SweepId(0), under_way: BTreeMap::new(), inputs: 0 };
        let submit = Input::Submit {
            uid: "bench".into(),
            spec: Box::new(spec),
            sources: Vec::new(),
            origin: Box::new(Origin::default()),
        };
        match breeding.handle(submit)? {
            Reply::Submitted(sweep) => Ok(Self { sweep, ..breeding }),
            other => Err(format!("{other:?}")),
        }
    }

    fn handle(&mut self, input: Input) -> Result<Reply, String> {
        self.inputs += 1;
        self.core.handle(input, Millis(self.inputs)).reply.map_err(|refusal| refusal.to_string())
    }

    /// What a worker that is free trains next; nothing for now, or for good.
    pub fn train(&mut self) -> Value {
        let request_id = format!("request {}", self.inputs);
        let seeker = Seeker {
            worker: request_id.clone(),
            slot: "client".into(),
            request_id,
            is_new: true,
            kinds: vec![ObjectiveKind::External],
            beside: None,
            environment: BTreeMap::new(),
        };
        let Ok(Reply::Work(claimed)) = self.handle(Input::Ask { sweep: self.sweep, seeker, lease_ms: None })
        else {
            return json!({ "nothing": true });
        };
        let (number, leg) = (claimed.number, claimed.leg);
        let parent = claimed.descent.map(|descent| descent.parent);
        let answer = json!({
            "trial": number, "params": claimed.params, "from": leg.from_step, "until": leg.until_step, "parent": parent,
        });
        self.under_way.insert(number, *claimed);
        answer
    }

    pub fn trained(&mut self, trained: &Trained) -> Result<(), String> {
        let claimed = self.under_way.remove(&trained.trial).ok_or("nobody trains that trial")?;
        let (trial, attempt) = (claimed.leg.trial, claimed.attempt);
        for (step, loss) in (claimed.leg.from_step + 1..).zip(&trained.losses) {
            let metrics = Metrics::default().with(LOSS, *loss);
            self.handle(Input::Report { trial, attempt, step, metrics })?;
        }
        let state = if trained.done { TellState::Completed } else { TellState::Paused };
        let (metrics, reason, weights, text) = (Metrics::default(), None, None, String::new());
        self.handle(Input::Tell { trial, attempt, state, metrics, reason, weights, text }).map(drop)
    }
}
