//! One search: its space, what is known, and its sampler.

use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;
use sweepd::domain::Params;
use sweepd::domain::prior::{PriorResult, Source};
use sweepd::domain::sweep::SamplerSpec;
use sweepd::sampler::{self, Ask, History, Level, News, Prior, Sampler, Suggestion};
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
    /// Results of an earlier sweep over the same space to begin with: configurations and losses.
    #[serde(default)]
    earlier: Vec<(Params, f64)>,
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
        let prior = Prior::new(&space, &[earlier(&start.earlier)], |params| Some(params.clone()));
        Ok(Self { space, history, sampler: sampler::build(&sampler, prior), seed, trials, duplicates })
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

/// Results as those of a sweep.
fn earlier(results: &[(Params, f64)]) -> Source {
    let completed = results.len() as u64;
    let result = |(trial, (params, loss)): (u64, &(Params, f64))| PriorResult {
        trial,
        params: params.clone(),
        loss: *loss,
    };
    let results = (0..).zip(results).map(result).collect();
    Source { id: "earlier".into(), name: "earlier".into(), completed, comparable: false, results }
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
