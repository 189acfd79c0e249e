//! The daemon's work: claims a trial, trains it, reports every epoch, hands in the best weights.

use crate::together::{Member, round};
use crate::train::{Job, Observer, Run, Trained};
use crate::{device, environment, error::TrainError, memory};
use std::collections::BTreeMap;
use sweepd::dataset::{Dataset, split};
use sweepd::domain::stream::{Key, seed_for};
use sweepd::domain::worker_process::{SHARED_STEPS, STEPS};
use sweepd::domain::{Decision, Metrics, ObjectiveKind, Reason, TellState, metric};
use sweepd::model::{Plan, Precision};
use sweepd::telemetry;
use sweepd::worker::command::CommandTrainer;
use sweepd::worker::memory::resident_bytes;
use sweepd::worker::protocol::Work;
use sweepd::worker::run::{self, Assignment, Crew, Outcome, Session, Trainer, WorkerArgs, WorkerLog};
use sweepd::worker::toy::ToyTrainer;
use sweepd::worker::trainers::Trainers;
use tch::Device;

/// Serves a daemon: claims, trains and reports until it is told to end.
#[derive(Debug, clap::Args)]
pub struct Serve {
    #[command(flatten)]
    worker: WorkerArgs,
    /// Train trials in one step where their sweep allows it (`fuse`) on a CPU too, where little is to be gained by it.
    #[arg(long)]
    fuse_on_cpu: bool,
}

impl Serve {
    pub fn run(&self) -> anyhow::Result<()> {
        telemetry::start(self.worker.log_format, "info", false, || WorkerLog);
        let device = device::open(&self.worker.slot)?;
        let shares_steps = device.is_cuda() || self.fuse_on_cpu;
        let keypoints = KeypointTrainer { device, threads: self.worker.threads, shares_steps, dataset: None };
        let command = CommandTrainer::new(&self.worker);
        let all: Vec<Box<dyn Trainer>> = vec![Box::new(keypoints), Box::new(ToyTrainer), Box::new(command)];
        run::run(&self.worker, &mut Trainers::new(all))
    }
}

/// Trains keypoint networks on one device.
struct KeypointTrainer {
    device: Device,
    threads: usize,
    /// Whether several trials are trained in one step where their sweep allows it.
    shares_steps: bool,
    /// The dataset of the last trial: most likely also the next one's.
    dataset: Option<Dataset>,
}

impl Trainer for KeypointTrainer {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        vec![ObjectiveKind::Keypoints]
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = environment::environment(self.device, self.threads);
        if self.shares_steps {
            environment.insert(STEPS.to_owned(), SHARED_STEPS.to_owned());
        }
        environment
    }

    fn work(&mut self, lead: Assignment, crew: &mut Crew<'_>) {
        match self.open(lead.work()) {
            Ok(dataset) => {
                self.train(&dataset, lead, crew);
                // Most likely also that of the next trial.
                self.dataset = Some(dataset);
            }
            Err(error) => end(lead, crew, Err(error), None),
        }
    }
}

/// Tells how a training ended.
fn end(
    mut assignment: Assignment,
    crew: &mut Crew<'_>,
    ended: Result<Trained, TrainError>,
    held: Option<u64>,
) {
    let outcome = assignment.in_its_log(|_, session| match ended {
        Ok(trained) => outcome(trained, session.decision()),
        Err(error) => {
            tracing::warn!(%error, "failed");
            Outcome::failed(with_memory(error.to_reason(), held))
        }
    });
    crew.end(assignment, outcome);
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
    /// Trains an assignment, and beside it as many others as may share its steps, until all have ended.
    fn train(&self, dataset: &Dataset, lead: Assignment, crew: &mut Crew<'_>) {
        // What an earlier trial left in the allocator's hands would be missed by others and be counted as this
        // one's.
        memory::begin(self.device);
        let mut members = self.begin(dataset, lead, crew).into_iter().collect::<Vec<_>>();
        while let Some(first) = members.first() {
            let most = if self.shares_steps { first.observer.assignment.work().fuse } else { 1 };
            let wanted = (most as usize).saturating_sub(members.len());
            for _ in 0..wanted {
                let Some(next) = members.first().and_then(|first| crew.join(&first.observer.assignment))
                else {
                    break;
                };
                members.extend(self.begin(dataset, next, crew));
            }
            let held = || memory::held_at_most(self.device);
            members = round(members, &mut |reporter, ended| end(reporter.assignment, crew, ended, held()));
        }
        memory::begin(self.device);
    }

    /// An assignment's training, at its beginning or where its newest usable checkpoint stands; `None` where it has
    /// ended before it began.
    fn begin<'d>(
        &self,
        dataset: &'d Dataset,
        mut assignment: Assignment,
        crew: &mut Crew<'_>,
    ) -> Option<Member<'d, Reporter>> {
        match assignment.in_its_log(|work, session| self.run(dataset, work, session)) {
            Ok(run) => {
                let observer = Reporter { assignment, device: self.device };
                Some(Member { run, observer })
            }
            Err(error) => {
                end(assignment, crew, Err(error), memory::held_at_most(self.device));
                None
            }
        }
    }

    fn run<'d>(
        &self,
        dataset: &'d Dataset,
        work: &Work,
        session: &mut Session,
    ) -> Result<Run<'d>, TrainError> {
        let plan = Plan::from_params(&work.params).map_err(|problems| {
            TrainError::BadConfiguration(
                problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            )
        })?;
        // What its first attempt computed with: other threads, other bits.
        let (device, threads) = (self.device, work.threads.unwrap_or(self.threads));
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
            match Run::new(&job) {
                Err(error @ TrainError::Checkpoint(_)) => tracing::warn!(%error, "trying the one before"),
                begun => return begun,
            }
        }
    }

    /// The dataset that a trial is to be trained on.
    fn open(&mut self, work: &Work) -> Result<Dataset, TrainError> {
        let wanted = work.dataset.as_ref();
        let wanted =
            wanted.ok_or_else(|| TrainError::BadConfiguration("the sweep names no dataset".into()))?;
        if let Some(open) = self.dataset.take_if(|open| open.hash() == wanted.hash) {
            return Ok(open);
        }
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
        Ok(dataset)
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
struct Reporter {
    assignment: Assignment,
    device: Device,
}

impl Observer for Reporter {
    fn epoch(&mut self, step: u64, metrics: &Metrics) -> anyhow::Result<Decision> {
        let of = |name| metrics.get(name).unwrap_or(f64::NAN);
        let measured = [
            (metric::DEVICE_MEMORY_BYTES, memory::held_at_most(self.device)),
            (metric::RESIDENT_BYTES, resident_bytes()),
        ];
        let all = measured.into_iter().fold(metrics.clone(), |metrics, (name, bytes)| match bytes {
            Some(bytes) => metrics.with(name, bytes as f64),
            None => metrics,
        });
        Ok(self.assignment.in_its_log(|_, session| {
            tracing::info!(
                epoch = step,
                rmse = of(metric::RMSE),
                train_rmse = of(metric::TRAIN_RMSE),
                images_per_second = of(metric::IMAGES_PER_SECOND).round(),
                "epoch"
            );
            session.report(step, &all)
        }))
    }

    fn progress(&mut self, _epoch: u64, _batch: u64, _batches: u64) -> Decision {
        self.assignment.decision()
    }

    fn checkpoint_due(&mut self, epochs_done: u64) -> bool {
        self.assignment.checkpoint_due(epochs_done)
    }

    fn checkpoint(&mut self, epochs_done: u64, bytes: Vec<u8>) {
        self.assignment.in_its_log(|_, session| {
            tracing::debug!(epochs_done, bytes = bytes.len(), "checkpoint");
            session.checkpoint(epochs_done, bytes);
        });
    }
}
