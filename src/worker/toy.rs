//! A synthetic objective evaluated in a real worker process: for trying out a search without training.
//!
//! The value is a smooth bowl over the numeric parameters plus a penalty per word, reached geometrically
//! over the epochs: a function of parameters and step alone. It makes checkpoints like a real training, and
//! goes on from them. Special values of the text parameter `behave` make it misbehave on purpose (one that
//! is out of memory fits with its batches in `fits_in_parts` parts); `device_mb` is reported as memory that it holds of a
//! device. A sweep that names `cost` as an objective gets the sum of the parameters' sizes as that. Of the folds of a
//! trial each is a bit harder than the easiest could be.

use super::protocol::Work;
use super::run::{Assignment, Crew, Outcome, Session, Trainer};
use crate::domain::metric::{DEVICE_MEMORY_BYTES, RMSE};
use crate::domain::stream::{Key, stream, uniform};
use crate::domain::{Decision, Metrics, ObjectiveKind, Params, Reason, TellState, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// Parameters that steer the evaluation and are no part of the value.
const STEERING: [&str; 6] =
    ["epochs", "epoch_ms", "behave", "checkpoint_every", "device_mb", "fits_in_parts"];

/// A second number for those who optimise several: the larger the parameters, the more.
const COST: &str = "cost";

/// Evaluates [`ObjectiveKind::Toy`].
#[derive(Debug, Default)]
pub struct ToyTrainer;

/// A checkpoint, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// Epochs that are done.
    step: u64,
    /// The best value so far; none before the first epoch.
    best: Option<f64>,
    /// What is evaluated: a checkpoint of anything else is of no use.
    params: Params,
}

impl Trainer for ToyTrainer {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        vec![ObjectiveKind::Toy]
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("sweepd".to_owned(), env!("CARGO_PKG_VERSION").to_owned())])
    }

    /// All that may share their steps are taken together, and evaluated one after another.
    fn work(&mut self, lead: Assignment, crew: &mut Crew<'_>) {
        let mut all = vec![lead];
        while all.len() < all[0].work().fuse as usize
            && let Some(next) = crew.join(&all[0])
        {
            all.push(next);
        }
        for assignment in all {
            crew.alone(assignment, evaluate);
        }
    }
}

fn evaluate(work: &Work, session: &mut Session) -> Outcome {
    let number = |name: &str, default: u64| {
        let given = work.params.get(name).and_then(Value::as_i64);
        given.map_or(default, |given| u64::try_from(given).unwrap_or(0))
    };
    let epochs = number("epochs", 3);
    let checkpoint_every = number("checkpoint_every", 1).max(1);
    let pause = Duration::from_millis(number("epoch_ms", 0));
    let behave = work.params.get("behave").and_then(Value::as_str).unwrap_or("well");
    let floor = bowl(&work.params);
    let hardness = hardness(work);
    let mut state = match (begin(work, session), work.lost_heritage()) {
        (Some(state), _) => state,
        (None, Some(reason)) => return Outcome::failed(reason),
        (None, None) => State { step: 0, best: None, params: work.params.clone() },
    };
    let mut saved_at = state.step;
    while state.step < epochs {
        let decision = if work.until_step.is_some_and(|until| state.step >= until) {
            Some(None)
        } else {
            match session.decision() {
                Decision::Continue => None,
                Decision::Stop => return ended(TellState::Stopped, None),
                Decision::Pause => Some(Some(Reason::DaemonStopped)),
            }
        };
        let due = state.step - saved_at >= checkpoint_every;
        if saved_at < state.step && (due || decision.is_some()) {
            save(&state, session);
            saved_at = state.step;
        }
        if let Some(reason) = decision {
            return ended(TellState::Paused, reason);
        }
        thread::sleep(pause);
        let step = state.step + 1;
        match behave {
            "crash" => std::process::abort(),
            "out_of_memory" if u64::from(work.accumulate) < number("fits_in_parts", u64::MAX) => {
                let message = "toy out of memory. Tried to allocate 20.00 GiB".to_owned();
                return Outcome::failed(Reason::OutOfMemory { message, alone: false });
            }
            "diverge" => return Outcome::failed(Reason::Diverged { step, what: "the loss".into() }),
            _ => {}
        }
        let value = floor + 0.5f64.powi(i32::try_from(step).unwrap_or(i32::MAX)) + hardness;
        state.best = Some(state.best.map_or(value, |best| best.min(value)));
        state.step = step;
        let mut metrics = Metrics::default().with(RMSE, value);
        if let Some(mb) = work.params.get("device_mb").and_then(Value::as_f64) {
            metrics = metrics.with(DEVICE_MEMORY_BYTES, mb * f64::from(1u32 << 20));
        }
        if work.objective.targets().any(|(name, _)| name == COST) {
            metrics = metrics.with(COST, cost(&work.params));
        }
        session.report(step, &metrics);
    }
    tracing::debug!(best = state.best, "done");
    // A stop at the last step is a stop all the same.
    match session.decision() {
        Decision::Stop => ended(TellState::Stopped, None),
        _ => ended(TellState::Completed, Some(Reason::BudgetSpent)),
    }
}

/// Where the newest usable checkpoint stands. An heir goes on from its parent's with parameters of its own.
fn begin(work: &Work, session: &Session) -> Option<State> {
    let is_of_parent = |state: &State| work.parent.is_some_and(|parent| parent.step == state.step);
    let usable =
        session.checkpoints().find_map(|saved| match serde_json::from_slice::<State>(&saved.bytes) {
            Ok(state) if state.params == work.params => Some(state),
            Ok(state) if is_of_parent(&state) => {
                Some(State { best: None, params: work.params.clone(), ..state })
            }
            Ok(_) => {
                tracing::warn!(step = saved.step, "a checkpoint is of another trial");
                None
            }
            Err(error) => {
                tracing::warn!(step = saved.step, %error, "a checkpoint cannot be read");
                None
            }
        });
    if let Some(state) = &usable {
        tracing::info!(step = state.step, "goes on from a checkpoint");
    }
    usable
}

fn save(state: &State, session: &mut Session) {
    match serde_json::to_vec(state) {
        Ok(bytes) => session.checkpoint(state.step, bytes),
        Err(error) => tracing::warn!(%error, "no checkpoint could be made"),
    }
}

fn ended(state: TellState, reason: Option<Reason>) -> Outcome {
    Outcome { state, reason, metrics: Metrics::default(), weights: None }
}

/// How much harder a fold is than the easiest could be, for this trial: up to 0.1. Nothing without folds.
fn hardness(work: &Work) -> f64 {
    if work.objective.folds.is_none() {
        return 0.0;
    }
    let at = [Key::Number(work.number), Key::Number(u64::from(work.fold))];
    0.1 * uniform(&mut stream(work.seed, "toy fold", &at))
}

fn cost(params: &Params) -> f64 {
    let numbers = params.iter().filter(|(name, _)| !STEERING.contains(&name.as_str()));
    numbers.filter_map(|(_, value)| value.as_f64()).map(f64::abs).sum()
}

fn bowl(params: &Params) -> f64 {
    let term = |(name, value): (&String, &Value)| match value {
        _ if STEERING.contains(&name.as_str()) => 0.0,
        Value::Int(_) | Value::Float(_) => value.as_f64().map_or(0.0, |x| (x - 0.3).powi(2)),
        Value::Text(word) => word.len() as f64 / 10.0,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::List(items) => items.len() as f64 / 10.0,
    };
    params.iter().map(term).sum()
}
