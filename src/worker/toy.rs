//! A synthetic objective evaluated in a real worker process: for trying out a search without training.
//!
//! The value is a smooth bowl over the numeric parameters plus a penalty per word, reached geometrically
//! over the epochs. Special values of the text parameter `behave` make it misbehave on purpose.

use super::protocol::Work;
use super::run::{Outcome, Session, Trainer};
use crate::domain::metric::RMSE;
use crate::domain::{Decision, Metrics, ObjectiveKind, Params, Reason, TellState, Value};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// Evaluates [`ObjectiveKind::Toy`].
#[derive(Debug, Default)]
pub struct ToyTrainer;

impl Trainer for ToyTrainer {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        vec![ObjectiveKind::Toy]
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("sweepd".to_owned(), env!("CARGO_PKG_VERSION").to_owned())])
    }

    fn work(&mut self, work: &Work, session: &mut Session) -> Outcome {
        let epochs = work.params.get("epochs").and_then(Value::as_i64).unwrap_or(3);
        let pause_ms = work.params.get("epoch_ms").and_then(Value::as_i64).unwrap_or(0);
        let behave = work.params.get("behave").and_then(Value::as_str).unwrap_or("well");
        let floor = bowl(&work.params);
        for step in 1..=u64::try_from(epochs).unwrap_or(1) {
            thread::sleep(Duration::from_millis(u64::try_from(pause_ms).unwrap_or(0)));
            match behave {
                "crash" => std::process::abort(),
                "diverge" => return Outcome::failed(Reason::Diverged { step, what: "the loss".into() }),
                _ => {}
            }
            let value = floor + 0.5f64.powi(i32::try_from(step).unwrap_or(i32::MAX));
            match session.report(step, &Metrics::default().with(RMSE, value)) {
                Decision::Continue => {}
                Decision::Stop => return ended(TellState::Stopped, None),
                Decision::Pause => return ended(TellState::Paused, Some(Reason::DaemonStopped)),
            }
        }
        ended(TellState::Completed, Some(Reason::BudgetSpent))
    }
}

fn ended(state: TellState, reason: Option<Reason>) -> Outcome {
    Outcome { state, reason, metrics: Metrics::default(), weights: None }
}

fn bowl(params: &Params) -> f64 {
    let term = |(name, value): (&String, &Value)| match value {
        _ if matches!(name.as_str(), "epochs" | "epoch_ms" | "behave") => 0.0,
        Value::Int(_) | Value::Float(_) => value.as_f64().map_or(0.0, |x| (x - 0.3).powi(2)),
        Value::Text(word) => word.len() as f64 / 10.0,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::List(items) => items.len() as f64 / 10.0,
    };
    params.iter().map(term).sum()
}
