//! One search: its space, what is known, and its sampler.

use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;
use sweepd::domain::Params;
use sweepd::domain::sweep::SamplerSpec;
use sweepd::sampler::{self, Ask, History, Level, News, Sampler, Suggestion};
use sweepd::space::Space;
use sweepd::sweepfile;

/// How a search begins.
#[derive(Deserialize)]
pub(crate) struct Start {
    space: Value,
    sampler: Value,
    seed: u64,
    trials: Option<u64>,
    objectives: Option<usize>,
    /// Whether a configuration may come more than once.
    #[serde(default)]
    duplicates: bool,
}

/// What came of a trial.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Loss {
    One(f64),
    Several(Vec<f64>),
}

/// A search under way.
pub(crate) struct Session {
    pub space: Space,
    pub history: History,
    sampler: Box<dyn Sampler>,
    seed: u64,
    trials: Option<u64>,
    duplicates: bool,
}

impl Session {
    pub fn new(start: &Start) -> Result<Self, String> {
        let (space, sampler) = read(start)?;
        let history = History::new(&space, start.objectives.unwrap_or(1));
        let (seed, trials, duplicates) = (start.seed, start.trials, start.duplicates);
        Ok(Self { space, history, sampler: sampler::build(&sampler, None), seed, trials, duplicates })
    }

    /// Forgets all trials.
    pub fn clear(&mut self) {
        self.history = History::new(&self.space, self.history.objectives());
    }

    pub fn suggest(&self) -> Suggestion {
        self.sampler.suggest(&Ask {
            space: &self.space,
            seed: self.seed,
            number: self.history.trials(),
            trials: self.trials,
            history: &self.history,
            duplicates: self.duplicates,
            feasible: &|_| Ok(()),
        })
    }

    /// Takes a configuration for the next trial, which begins.
    pub fn begin(&mut self, params: &Params) -> u64 {
        let number = self.history.trials();
        self.history.suggested(&self.space, params);
        self.history.began(number);
        number
    }

    pub fn ask(&mut self) -> Value {
        let started = Instant::now();
        let suggestion = self.suggest();
        let seconds = started.elapsed().as_secs_f64();
        match suggestion {
            Suggestion::Trial { params, .. } => {
                let number = self.begin(&params);
                json!({ "number": number, "params": params, "seconds": seconds })
            }
            Suggestion::Exhausted { reason } => json!({ "exhausted": reason }),
        }
    }

    pub fn tell(&mut self, trial: u64, loss: Option<Loss>) {
        let losses = match loss {
            Some(Loss::One(loss)) => vec![loss],
            Some(Loss::Several(losses)) => losses,
            None => vec![f64::INFINITY; self.history.objectives()],
        };
        self.history.ended(&News { trial, level: Level::Full, losses });
    }
}

/// The space and the sampler, read as parts of a sweep file.
fn read(start: &Start) -> Result<(Space, SamplerSpec), String> {
    let sweep = json!({
        "name": "bench",
        "objective": { "kind": "external" },
        "search": { "sampler": start.sampler, "trials": start.trials.unwrap_or(100) },
        "space": start.space,
    });
    let sweep =
        sweepfile::parse_json(&sweep.to_string(), &|_, _| Ok(())).map_err(|problems| problems.to_string())?;
    let space = Space::new(&sweep.space).map_err(|problems| format!("{problems:?}"))?;
    Ok((space, sweep.search.sampler))
}
