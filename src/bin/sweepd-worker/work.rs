//! The daemon's work: claims a trial, trains it, reports every epoch, hands in the best weights.

use crate::train::{Job, Observer, Trained, train};
use crate::{device, environment, error::TrainError, memory};
use std::collections::BTreeMap;
use sweepd::dataset::{Dataset, split};
use sweepd::domain::stream::{Key, seed_for};
use sweepd::domain::{Decision, Metrics, ObjectiveKind, Reason, TellState, metric};
use sweepd::model::{Plan, Precision};
use sweepd::telemetry;
use sweepd::worker::command::CommandTrainer;
use sweepd::worker::memory::resident_bytes;
use sweepd::worker::protocol::{DatasetRef, Work};
use sweepd::worker::run::{self, Outcome, Session, Trainer, WorkerArgs, WorkerLog};
use sweepd::worker::toy::ToyTrainer;
use tch::Device;

/// Serves a daemon: claims, trains and reports until it is told to end.
#[derive(Debug, clap::Args)]
pub struct Run {
    #[command(flatten)]
    worker: WorkerArgs,
}

impl Run {
    pub fn run(&self) -> anyhow::Result<()> {
        telemetry::start(self.worker.log_format, "info", false, || WorkerLog);
        let device = device::open(&self.worker.slot)?;
        let command = CommandTrainer::new(&self.worker);
        let mut trainer = KeypointTrainer { device, threads: self.worker.threads, dataset: None, command };
        run::run(&self.worker, &mut trainer)
    }
}

/// Trains keypoint networks on one device.
struct KeypointTrainer {
    device: Device,
    threads: usize,
    /// The dataset of the last trial: most likely also the next one's.
    dataset: Option<Dataset>,
    command: CommandTrainer,
}

impl Trainer for KeypointTrainer {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        vec![ObjectiveKind::Keypoints, ObjectiveKind::Toy, ObjectiveKind::Command]
    }

    fn environment(&self) -> BTreeMap<String, String> {
        environment::environment(self.device, self.threads)
    }

    fn work(&mut self, work: &Work, session: &mut Session) -> Outcome {
        match work.objective.kind {
            ObjectiveKind::Toy => return ToyTrainer.work(work, session),
            ObjectiveKind::Command => return self.command.work(work, session),
            ObjectiveKind::Keypoints | ObjectiveKind::External => {}
        }
        // What an earlier trial left in the allocator's hands would be missed by others and be counted as this
        // one's.
        memory::begin(self.device);
        let ended = self.train(work, session);
        let held = memory::held_at_most(self.device);
        memory::begin(self.device);
        match ended {
            Ok(trained) => outcome(trained, session.decision()),
            Err(error) => {
                tracing::warn!(%error, "failed");
                Outcome::failed(with_memory(error.to_reason(), held))
            }
        }
    }
}

/// Who ran out of memory says besides what was wanted how much was held.
fn with_memory(reason: Reason, held: Option<u64>) -> Reason {
    match (reason, held) {
        (Reason::OutOfMemory { message, alone }, Some(held)) => {
            let message = format!("{message} (this training held up to {} MiB)", held >> 20);
            Reason::OutOfMemory { message, alone }
        }
        (reason, _) => reason,
    }
}

impl KeypointTrainer {
    fn train(&mut self, work: &Work, session: &mut Session) -> Result<Trained, TrainError> {
        let plan = Plan::from_params(&work.params).map_err(|problems| {
            TrainError::BadConfiguration(
                problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            )
        })?;
        let wanted = work.dataset.as_ref();
        let wanted =
            wanted.ok_or_else(|| TrainError::BadConfiguration("the sweep names no dataset".into()))?;
        // What its first attempt computed with: other threads, other bits.
        let (device, threads) = (self.device, work.threads.unwrap_or(self.threads));
        let dataset = self.dataset(wanted)?;
        let split = split::of_fold(dataset, &work.objective, work.fold)
            .map_err(|error| TrainError::Other(error.into()))?;
        let precision = match work.precision.as_deref() {
            // What its first attempt computed with, too.
            Some("bf16") if plan.training().precision == Precision::Auto => Precision::Bf16,
            Some("f32") if plan.training().precision == Precision::Auto => Precision::F32,
            _ => plan.training().precision,
        };
        let number = Key::Number(work.number);
        let seed = match work.objective.folds {
            None => seed_for(work.seed, "trial", &[number]),
            Some(_) => seed_for(work.seed, "trial", &[number, Key::Number(u64::from(work.fold))]),
        };
        tracing::info!(
            parameters = plan.parameter_count(),
            train_rows = split.train.len(),
            validation_rows = split.validation.len(),
            "training"
        );
        let mut checkpoints = session.checkpoints();
        loop {
            let from = checkpoints.next();
            if let (None, Some(lost)) = (&from, work.lost_heritage()) {
                return Err(TrainError::Other(anyhow::anyhow!("{lost}")));
            }
            let job = Job {
                plan: &plan,
                dataset,
                split: &split,
                seed,
                device,
                threads,
                precision,
                accumulate: work.accumulate,
                parent: work.parent,
                resume: from.as_ref().map(|from| from.bytes.as_slice()),
                until_step: work.until_step,
            };
            if let Some(from) = &from {
                tracing::info!(epochs = from.step, "going on from a checkpoint");
            }
            match train(&job, &mut Reporter { session, device }) {
                Err(error @ TrainError::Checkpoint(_)) => tracing::warn!(%error, "trying the one before"),
                ended => return ended,
            }
        }
    }

    fn dataset(&mut self, wanted: &DatasetRef) -> Result<&Dataset, TrainError> {
        if self.dataset.as_ref().is_none_or(|open| open.hash() != wanted.hash) {
            let dataset = Dataset::open(&wanted.path).map_err(|error| TrainError::Other(error.into()))?;
            if dataset.hash() != wanted.hash {
                return Err(TrainError::BadConfiguration(format!(
                    "dataset {} was replaced after the sweep was submitted (its hash is {:.12}, not {:.12}): \
                     submit the sweep again",
                    wanted.name,
                    dataset.hash(),
                    wanted.hash
                )));
            }
            self.dataset = Some(dataset);
        }
        self.dataset.as_ref().ok_or_else(|| TrainError::Other(anyhow::anyhow!("no dataset is open")))
    }
}

fn outcome(trained: Trained, decision: Decision) -> Outcome {
    let reason = match (trained.state, decision) {
        (TellState::Paused, Decision::Pause) => Some(Reason::DaemonStopped),
        // The end of the leg.
        _ => trained.reason,
    };
    let weights = trained.best.map(|best| best.weights);
    Outcome { state: trained.state, reason, metrics: Metrics::default(), weights }
}

/// Passes epochs on to the daemon, and the daemon's word on to the training.
struct Reporter<'a> {
    session: &'a mut Session,
    device: Device,
}

impl Observer for Reporter<'_> {
    fn epoch(&mut self, step: u64, metrics: &Metrics) -> anyhow::Result<Decision> {
        let of = |name| metrics.get(name).unwrap_or(f64::NAN);
        tracing::info!(
            epoch = step,
            rmse = of(metric::RMSE),
            train_rmse = of(metric::TRAIN_RMSE),
            images_per_second = of(metric::IMAGES_PER_SECOND).round(),
            "epoch"
        );
        let measured = [
            (metric::DEVICE_MEMORY_BYTES, memory::held_at_most(self.device)),
            (metric::RESIDENT_BYTES, resident_bytes()),
        ];
        let metrics = measured.into_iter().fold(metrics.clone(), |metrics, (name, bytes)| match bytes {
            Some(bytes) => metrics.with(name, bytes as f64),
            None => metrics,
        });
        Ok(self.session.report(step, &metrics))
    }

    fn progress(&mut self, _epoch: u64, _batch: u64, _batches: u64) -> Decision {
        self.session.decision()
    }

    fn checkpoint_due(&mut self, epochs_done: u64) -> bool {
        self.session.checkpoint_due(epochs_done)
    }

    fn checkpoint(&mut self, epochs_done: u64, bytes: Vec<u8>) {
        tracing::debug!(epochs_done, bytes = bytes.len(), "checkpoint");
        self.session.checkpoint(epochs_done, bytes);
    }
}
