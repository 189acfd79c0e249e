//! The training of one trial: epochs of shuffled batches, a validation after each, the best weights kept.
//!
//! Invariants: everything random is a function of (seed, epoch, batch), never of what was drawn before, so
//! that a training can go on from any batch exactly; the same seed, threads and library give the same bits.
//! Within an epoch nothing is read back from the device, except for a checkpoint.

use crate::average::Average;
use crate::checkpoint::{self, Identity, Position, State};
use crate::error::TrainError;
use crate::evaluate::{Reading, ValidationSet};
use crate::gradient::gradient;
use crate::images::Images;
use crate::loss::Objective;
use crate::network::{Named, Network};
use crate::optimizer::{Optimizer, Restraint, Trunk, Weight};
use crate::precision;
use crate::pretrained::Pretrained;
use crate::samples::{TrainingSet, batches, target_scale};
use crate::weights;
use std::rc::Rc;
use std::time::Instant;
use sweepd::dataset::{Dataset, Split};
use sweepd::domain::stream::{Key, seed_for};
use sweepd::domain::{Decision, Metrics, Reason, TellState, metric};
use sweepd::model::{Plan, Precision, Training};
use sweepd::worker::protocol::Parent;
use tch::{Device, Kind, Tensor};

/// What to train, on what, and with what.
pub struct Job<'a> {
    /// What and how.
    pub plan: &'a Plan,
    /// The images and labels.
    pub dataset: &'a Dataset,
    /// Which rows train and which validate.
    pub split: &'a Split,
    /// The trial's own seed; a `seed` among its parameters goes before it.
    pub seed: u64,
    /// Where to compute.
    pub device: Device,
    /// Threads to compute with on the CPU.
    pub threads: usize,
    /// What layers compute in: `Auto` for what the device is fastest at. (The head, losses and weights are f32.)
    pub precision: Precision,
    /// Into how many parts each batch is split, so that it fits the memory; 1 for none.
    pub accumulate: u32,
    /// A checkpoint of this training to go on from, or of its parent; `None` for the beginning.
    pub resume: Option<&'a [u8]>,
    /// The trial that it is the heir of.
    pub parent: Option<Parent>,
    /// The epoch after which to pause, for going on later; `None` for the plan's own end. Schedules follow
    /// the plan's epochs all the same.
    pub until_step: Option<u64>,
}

/// Who watches a training and may end it.
pub trait Observer {
    /// An epoch (from 1) has ended. Its metrics are finite.
    fn epoch(&mut self, step: u64, metrics: &Metrics) -> anyhow::Result<Decision>;

    /// A batch is about to begin: batch `batch` (from 0) of `batches` in epoch `epoch` (from 1). Called for
    /// every batch, so it must be cheap. Anything but `Continue` ends the training within the epoch.
    fn progress(&mut self, _epoch: u64, _batch: u64, _batches: u64) -> Decision {
        Decision::Continue
    }

    /// Whether a checkpoint is due, with so many epochs ended. Called for every batch, so it must be cheap.
    /// A training that pauses makes a checkpoint unasked.
    fn checkpoint_due(&mut self, _epochs_done: u64) -> bool {
        false
    }

    /// A checkpoint was made, with so many epochs ended: maybe in the middle of the next one.
    fn checkpoint(&mut self, _epochs_done: u64, _bytes: Vec<u8>) {}
}

/// How a training ended that did not fail.
pub struct Trained {
    /// `Completed`; `Paused` at [`Job::until_step`]; or `Stopped` or `Paused` on the observer's word.
    pub state: TellState,
    /// Why it is completed; the observer knows the reason for its own word.
    pub reason: Option<Reason>,
    /// The best validated epoch; `None` where not one ended.
    pub best: Option<Best>,
}

/// The best validated epoch of a training.
pub struct Best {
    /// Which, from 1.
    pub step: u64,
    /// What was reported of it.
    pub metrics: Metrics,
    /// The weights after it, as a safetensors file.
    pub weights: Vec<u8>,
}

/// Trains a plan to its end, or to where the observer ends it.
///
/// # Errors
/// [`TrainError`]; the observer's own errors among `Other`. `Checkpoint` comes before anything was observed.
pub fn train(job: &Job<'_>, observer: &mut dyn Observer) -> Result<Trained, TrainError> {
    tch::set_num_threads(i32::try_from(job.threads.max(1)).unwrap_or(i32::MAX));
    let mut run = Run::new(job)?;
    let (state, reason) = run.go_on(observer)?;
    let best = run.best.take().map(|kept| {
        let weights = weights::to_safetensors(
            &run.network,
            &kept.tensors,
            &weights::About { plan: job.plan, dataset: job.dataset.hash(), step: kept.step, rmse: kept.rmse },
        );
        weights.map(|weights| Best { step: kept.step, metrics: kept.metrics, weights })
    });
    Ok(Trained { state, reason, best: best.transpose()? })
}

/// A training under way.
struct Run<'a> {
    plan: &'a Plan,
    identity: Identity,
    until_step: u64,
    network: Network,
    /// Follows the network, where the settings ask for it: this is then what is validated and kept.
    average: Option<Average>,
    optimizer: Optimizer,
    objective: Objective,
    /// Shared with the epoch under way.
    training: Rc<TrainingSet<'a>>,
    validation: ValidationSet<'a>,
    batch_size: usize,
    /// Where it stands; kept up to date where a checkpoint may be made.
    position: Position,
    /// Sum of losses and sum of squared errors of the epoch under way, in the scale of the targets, f64 `[2]`.
    sums: Tensor,
    best: Option<Kept>,
    /// Where the last checkpoint was made or gone on from: epochs that had ended, and batches.
    saved_at: (u64, u64),
}

/// The best epoch so far.
pub struct Kept {
    /// Which, from 1.
    pub step: u64,
    /// Its validation RMSE in pixels.
    pub rmse: f64,
    /// What was reported of it.
    pub metrics: Metrics,
    /// All of the network's tensors, copied.
    pub tensors: Vec<Tensor>,
}

/// What the training half of an epoch came to.
struct Passed {
    /// Mean loss over the labels that count, in the scale of the targets.
    loss: f64,
    /// Root of the mean squared error over the existing labels, in the scale of the targets.
    rmse: f64,
    /// Learning rate of the last batch.
    rate: f64,
    /// Wall-clock seconds.
    seconds: f64,
}

impl<'a> Run<'a> {
    fn new(job: &Job<'a>) -> Result<Self, TrainError> {
        let settings = job.plan.training();
        let seed = settings.seed.unwrap_or(job.seed);
        let precision = precision::resolve(job.precision, job.device);
        let (table, compute) = (job.plan.layers(), precision::kind(precision));
        let network = Network::initial(table, seed, job.device, compute)?;
        let average = settings.ema.map(|decay| Average::new(table, seed, job.device, compute, decay));
        let average = average.transpose()?;
        let pretrained = settings.transfer.as_ref().map(|transfer| Pretrained::open(&transfer.file));
        let pretrained = pretrained.transpose()?;
        if let Some(pretrained) = &pretrained {
            pretrained.fill(&network)?;
            average.as_ref().map_or(Ok(()), |average| pretrained.fill(average.network()))?;
        }
        let restraint = Restraint { weight_decay: settings.weight_decay, clip_norm: settings.clip_norm };
        let training = Rc::new(TrainingSet::new(job.dataset, &job.split.train, settings, job.device)?);
        let rows = job.split.validation.clone();
        let labels = rows.iter().flat_map(|row| job.dataset.labels(*row as usize)).copied().collect();
        let images = Images::of_dataset(job.dataset, rows, settings.input_scaling, job.device)?;
        let batch_size = settings.batch_size.images(training.samples() as u64) as usize;
        let per_epoch = batches(0..training.samples(), batch_size).len() as u64;
        let trunk = trunk_of(settings, per_epoch);
        let optimizer = Optimizer::new(settings.optimizer, restraint, trunk, &trainable(&network))?;
        let accumulate = job.accumulate.max(1);
        let validation = ValidationSet::new(images, labels, Reading::new(settings, accumulate))?;
        let (plan, dataset) = (job.plan, job.dataset.hash());
        let threads = job.threads.max(1);
        let identity = Identity::new(plan.settings(), dataset, job.split, seed, threads, job.device);
        let identity = Identity {
            accumulate,
            parent: job.parent,
            precision: precision.word().to_owned(),
            pretrained: pretrained.map(|file| file.hash().to_owned()),
            ..identity
        };
        let mut run = Self {
            plan,
            identity,
            until_step: job.until_step.unwrap_or(u64::MAX),
            network,
            average,
            optimizer,
            objective: Objective::new(settings),
            training,
            validation,
            batch_size,
            position: Position { epochs_done: 0, batch: 0, epoch_seconds: 0.0 },
            sums: Tensor::f_zeros([2], (Kind::Double, job.device))?,
            best: None,
            saved_at: (0, 0),
        };
        if let Some(bytes) = job.resume {
            run.go_on_from(bytes)?;
        }
        Ok(run)
    }

    fn go_on_from(&mut self, bytes: &[u8]) -> Result<(), TrainError> {
        let average = self.average.as_ref().map(Average::network);
        let restored =
            checkpoint::restore(bytes, &self.identity, &self.network, average, &mut self.optimizer)?;
        let at = restored.position;
        let cuts = self.batches_per_epoch();
        if restored.is_inherited {
            // As if it had always had its own batch size: only Adam's first updates would know the difference.
            self.optimizer.set_updates(at.epochs_done.saturating_mul(cuts))?;
        }
        let updates = at.epochs_done.checked_mul(cuts).and_then(|all| all.checked_add(at.batch));
        let exists = at.epochs_done <= self.plan.epochs() && at.batch < cuts.max(1);
        if !exists || updates != Some(self.optimizer.updates()) {
            return Err(TrainError::Checkpoint(anyhow::anyhow!(
                "it stands at batch {} of epoch {} after {} updates, which this training never does",
                at.batch,
                at.epochs_done + 1,
                self.optimizer.updates()
            )));
        }
        self.sums.f_copy_(&Tensor::f_from_slice(&restored.sums)?)?;
        self.best = restored.best;
        self.saved_at = (at.epochs_done, at.batch);
        self.position = at;
        Ok(())
    }

    fn go_on(&mut self, observer: &mut dyn Observer) -> Result<(TellState, Option<Reason>), TrainError> {
        loop {
            if let Some(reason) = self.finished() {
                return Ok((TellState::Completed, Some(reason)));
            }
            if self.position.epochs_done >= self.until_step {
                self.save(observer)?;
                return Ok((TellState::Paused, None));
            }
            match self.epoch(observer)? {
                Decision::Continue => {}
                Decision::Stop => return Ok((TellState::Stopped, None)),
                // Who has nothing left to do need not come back for it.
                Decision::Pause if self.finished().is_some() => {}
                Decision::Pause => {
                    self.save(observer)?;
                    return Ok((TellState::Paused, None));
                }
            }
        }
    }

    /// Why nothing is left to do, if so.
    fn finished(&self) -> Option<Reason> {
        let done = self.position.epochs_done;
        if done >= self.plan.epochs() {
            return Some(Reason::BudgetSpent);
        }
        let patience = self.plan.training().patience?;
        let first = self.identity.parent.map_or(0, |parent| parent.step);
        let best = self.best.as_ref().map_or(first, |best| best.step);
        (done.saturating_sub(best) >= patience).then_some(Reason::NoImprovement { patience })
    }

    /// Makes a checkpoint, unless the last one was made right here.
    fn save(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let here = (self.position.epochs_done, self.position.batch);
        if here == self.saved_at {
            return Ok(());
        }
        let state = State {
            position: self.position,
            sums: &self.sums,
            network: &self.network,
            average: self.average.as_ref().map(Average::network),
            optimizer: &self.optimizer,
            best: self.best.as_ref(),
        };
        observer.checkpoint(here.0, checkpoint::to_bytes(&self.identity, &state)?);
        self.saved_at = here;
        Ok(())
    }

    /// One epoch, or what is left of it, and its validation.
    fn epoch(&mut self, observer: &mut dyn Observer) -> Result<Decision, TrainError> {
        let (began, before) = (now(), self.position.epoch_seconds);
        let step = self.position.epochs_done + 1;
        let transfer = self.plan.training().transfer.as_ref();
        self.network.set_frozen(transfer.is_some_and(|transfer| transfer.frozen_in(step)))?;
        let target_scale = target_scale(self.plan.training().target_scaling);
        let passed = match self.pass(step, observer)? {
            Ok(passed) => passed,
            Err(decision) => return Ok(decision),
        };
        let diverged = |what: &str| TrainError::Diverged { step, what: what.to_owned() };
        if !passed.loss.is_finite() {
            return Err(diverged("the training loss"));
        }
        let rmse = self.validation.rmse_px(self.validated())?;
        if !rmse.is_finite() {
            return Err(diverged("the validation RMSE"));
        }
        self.position = Position { epochs_done: step, batch: 0, epoch_seconds: 0.0 };
        let _ = self.sums.f_zero_()?;
        let metrics = Metrics::default()
            .with(metric::RMSE, rmse)
            .with(metric::TRAIN_LOSS, passed.loss)
            .with(metric::TRAIN_RMSE, passed.rmse * target_scale.1)
            .with(metric::LEARNING_RATE, passed.rate)
            .with(metric::SECONDS, before + began.elapsed().as_secs_f64())
            .with(metric::IMAGES_PER_SECOND, self.training.samples() as f64 / passed.seconds.max(1e-9));
        if self.best.as_ref().is_none_or(|best| rmse < best.rmse) {
            let tensors = self.validated().snapshot()?;
            self.best = Some(Kept { step, rmse, metrics: metrics.clone(), tensors });
        }
        Ok(observer.epoch(step, &metrics)?)
    }

    /// The network that counts.
    fn validated(&self) -> &Network {
        self.average.as_ref().map_or(&self.network, Average::network)
    }

    /// All training rows once, or those that are left, in the epoch's own order. The inner error is the
    /// observer's word to end.
    fn pass(
        &mut self,
        epoch: u64,
        observer: &mut dyn Observer,
    ) -> Result<Result<Passed, Decision>, TrainError> {
        let (began, before) = (now(), self.position.epoch_seconds);
        let settings = self.plan.training();
        let cuts = batches(0..self.training.samples(), self.batch_size);
        let count = cuts.len() as u64;
        // Computed anew where an epoch goes on: it is a function of seed and number.
        let training = Rc::clone(&self.training);
        let samples = training.epoch(self.identity.seed, epoch)?;
        let labels = samples.labels() as f64;
        let (mut rate, mut sums) = (0.0, self.sums.shallow_clone());
        for (batch, range) in cuts.into_iter().enumerate().skip(self.position.batch as usize) {
            let batch = batch as u64;
            self.position.batch = batch;
            let decision = observer.progress(epoch, batch, count);
            if decision == Decision::Pause || observer.checkpoint_due(epoch - 1) {
                self.position.epoch_seconds = before + began.elapsed().as_secs_f64();
                self.save(observer)?;
            }
            if decision != Decision::Continue {
                return Ok(Err(decision));
            }
            let update_number = (epoch - 1) * count + batch;
            rate = settings.learning_rate * settings.schedule.factor(update_number, count, settings.epochs);
            let keys = [Key::Number(epoch), Key::Number(batch)];
            // libtorch takes any 64 bits; dropout and noises draw from its generator.
            tch::manual_seed(seed_for(self.identity.seed, "dropout", &keys).cast_signed());
            let parts = self.identity.accumulate;
            let step = gradient(&self.network, &samples, &self.objective, &range, parts)?;
            self.optimizer.update(&trainable(&self.network), &step.gradients, rate)?;
            let _ = sums.f_add_(&step.sums)?;
            if let Some(average) = &self.average {
                average.follow(&self.network, update_number + 1)?;
            }
        }
        let loss = sums.f_double_value(&[0])? / (labels * self.objective.kept());
        let rmse = (sums.f_double_value(&[1])? / labels).sqrt();
        Ok(Ok(Passed { loss, rmse, rate, seconds: before + began.elapsed().as_secs_f64() }))
    }

    fn batches_per_epoch(&self) -> u64 {
        batches(0..self.training.samples(), self.batch_size).len() as u64
    }
}

/// The tensors of a network that an optimiser changes at present.
pub fn trainable(network: &Network) -> Vec<Weight<'_>> {
    network.learning().map(weight).collect()
}

fn weight(named: &Named) -> Weight<'_> {
    Weight { tensor: &named.tensor, decays: named.decays, trunk: named.trunk }
}

/// How the trunk's weights are changed, with so many batches in an epoch.
fn trunk_of(settings: &Training, batches_per_epoch: u64) -> Trunk {
    settings.transfer.as_ref().map_or_else(Trunk::default, |transfer| Trunk {
        rate: transfer.learning_rate,
        frozen_updates: transfer.frozen_epochs.saturating_mul(batches_per_epoch),
    })
}

#[allow(clippy::disallowed_methods, reason = "how long an epoch takes is real time")]
fn now() -> Instant {
    Instant::now()
}
