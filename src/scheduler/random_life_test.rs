//! Random lives of the core on a real database: whatever happens in whatever order, the database accepts
//! every change, and a core recovered from it goes on where the old one was.

use super::core_test::{seeker, toy_sweep};
use super::*;
use crate::domain::stream::{Key, stream, uniform};
use crate::domain::{Metrics, Origin, TellState};
use crate::scheduler::{Claimed, Command};
use crate::store::{Durability, Writer};
use rand_chacha::ChaCha8Rng;

struct Life {
    rng: ChaCha8Rng,
    writer: Writer,
    core: Core,
    now: Millis,
    claimed: Vec<(Claimed, u64)>,
    requests: u64,
}

impl Life {
    fn below(&mut self, n: usize) -> usize {
        (uniform(&mut self.rng) * n as f64) as usize
    }

    async fn handle(&mut self, input: Input) -> Result<Reply, Refusal> {
        self.now = self.now.plus_ms(1 + self.below(2000) as i64);
        let handled = self.core.handle(input, self.now);
        self.writer.apply(&handled.changes, handled.seq, Durability::Batched).await.unwrap();
        handled.reply
    }

    fn random_input(&mut self) -> Input {
        self.requests += 1;
        let sweep = SweepId(1 + self.below(6) as i64);
        let picked = (!self.claimed.is_empty()).then(|| self.below(self.claimed.len()));
        match (self.below(20), picked) {
            (0, _) => {
                let mut spec = toy_sweep(&format!("s{}", self.requests), self.below(3) as i64, 4);
                spec.search.parallel = Some(1 + self.below(3) as u32);
                let uid = spec.name.clone();
                Input::Submit { uid, spec: Box::new(spec), origin: Box::new(Origin::default()) }
            }
            (1, _) => Input::Command { sweep, command: Command::Pause },
            (2 | 3, _) => Input::Command { sweep, command: Command::Resume },
            (4, _) => Input::Command { sweep, command: Command::Cancel },
            (5, _) => Input::WorkerGone { worker: format!("w{}", self.below(4)), how: "signal 9".into() },
            (6, _) => {
                self.now = self.now.plus_ms(self.below(100_000) as i64);
                Input::Tick
            }
            (7..=12, Some(at)) => {
                let (claimed, step) = &mut self.claimed[at];
                *step += 1;
                let metrics = Metrics::default().with("rmse", 1.0 / *step as f64);
                Input::Report { trial: claimed.leg.trial, attempt: claimed.attempt, step: *step, metrics }
            }
            (13..=15, Some(at)) => {
                let states = [TellState::Completed, TellState::Failed, TellState::Stopped, TellState::Paused];
                let state = states[self.below(4)];
                let (claimed, _) = self.claimed.swap_remove(at);
                Input::Tell {
                    trial: claimed.leg.trial,
                    attempt: claimed.attempt,
                    state,
                    metrics: Metrics::default(),
                    reason: None,
                    weights: None,
                    text: "told".into(),
                }
            }
            _ => Input::Claim(seeker(&format!("w{}", self.below(4)), &format!("r{}", self.requests))),
        }
    }
}

async fn live(seed: u64) {
    let home = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(home.path()).await.unwrap();
    let core = Core::recover(writer.recover().await.unwrap(), Millis(0), 0).unwrap();
    let rng = stream(seed, "life", &[Key::Number(0)]);
    let mut life = Life { rng, writer, core, now: Millis(0), claimed: Vec::new(), requests: 0 };
    for step in 0..150 {
        let input = life.random_input();
        if let Ok(Reply::Work(claimed)) = life.handle(input).await {
            life.claimed.push((*claimed, 0));
        }
        if step % 10 == 9 {
            // The same rows give the same core: what it would persist next must fit them.
            let stored = life.writer.recover().await.unwrap();
            assert_eq!(open_trials(&stored), open_in(&life.core), "seed {seed}, step {step}");
            life.core = Core::recover(stored, life.now, 0).unwrap();
        }
    }
}

fn open_trials(recovery: &Recovery) -> Vec<(TrialId, TrialState, bool, usize)> {
    let trials = recovery.sweeps.iter().flat_map(|sweep| &sweep.open);
    trials.map(|t| (t.row.id, t.state, t.attempt.is_some(), t.reports.len())).collect()
}

fn open_in(core: &Core) -> Vec<(TrialId, TrialState, bool, usize)> {
    let trials = core.sweeps.values().flat_map(|sweep| sweep.open.values());
    trials.map(|t| (t.row.id, t.state, t.attempt.is_some(), t.steps.len())).collect()
}

#[tokio::test]
async fn any_order_of_events_leaves_database_and_core_agreed() {
    for seed in 0..40 {
        live(seed).await;
    }
}
