//! The training of one trial: epochs of shuffled batches, a validation after each, the best weights kept.
//!
//! Invariants: everything random is a function of (seed, epoch, batch), never of what was drawn before, so
//! that a training can go on from any batch exactly; the same seed, threads and library give the same bits.
//! Within an epoch nothing is read back from the device, except for a checkpoint.

use crate::average::Average;
use crate::checkpoint::{self, Identity, Position, State};
use crate::error::TrainError;
use crate::evaluate::{Reading, ValidationSet};
use crate::gradient::{Gradient, gradient};
use crate::loss::Objective;
use crate::network::{Named, Network};
use crate::optimizer::{Optimizer, Restraint, Trunk, Weight};
use crate::precision;
use crate::pretrained::Pretrained;
use crate::samples::{Epoch, TrainingSet, batches, target_scale};
use crate::together::{Member, round};
use crate::weights;
use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;
use sweepd::dataset::{Dataset, Split};
use sweepd::domain::stream::{Key, seed_for};
use sweepd::domain::{Decision, Metrics, Reason, TellState, metric};
use sweepd::model::{Plan, Precision, Training};
use sweepd::worker::protocol::Parent;
use tch::{Device, Kind, TchError, Tensor};

/// What to train, on what, and with what.
pub struct Job<'j, 'd> {
    /// What and how.
    pub plan: &'j Plan,
    /// The images and labels.
    pub dataset: &'d Dataset,
    /// Which rows train and which validate.
    pub split: &'j Split,
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
    pub resume: Option<&'j [u8]>,
    /// The trial that it is the heir of.
    pub parent: Option<Parent>,
    /// The epoch after which to pause, for going on later; `None` for the plan's own end. Schedules follow
    /// the plan's epochs all the same.
    pub until_step: Option<u64>,
}

/// How a training ended, and why where the observer does not know.
pub type Ended = (TellState, Option<Reason>);

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
pub fn train(job: &Job<'_, '_>, observer: &mut dyn Observer) -> Result<Trained, TrainError> {
    let mut members = vec![Member { run: Run::new(job)?, observer }];
    loop {
        let mut ended = None;
        members = round(members, &mut |_, end| ended = Some(end));
        if let Some(end) = ended {
            return end;
        }
    }
}

/// A training under way; `together.rs` takes it from batch to batch.
pub struct Run<'d> {
    plan: Plan,
    dataset: String,
    identity: Identity,
    until_step: u64,
    network: Network,
    /// Follows the network, where the settings ask for it: this is then what is validated and kept.
    average: Option<Average>,
    optimizer: Optimizer,
    objective: Objective,
    /// Shared with the epoch under way.
    training: Rc<TrainingSet<'d>>,
    validation: ValidationSet<'d>,
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

/// The training half of an epoch under way, and what of it is the same in all its batches.
pub struct Pass {
    /// The epoch, from 1.
    epoch: u64,
    began: Instant,
    /// Wall-clock seconds that its batches took before.
    before: f64,
    /// How many batches it has.
    batches: u64,
    /// How many labels exist in all of them.
    labels: f64,
    /// Learning rate of the last batch.
    rate: f64,
}

impl<'d> Run<'d> {
    /// A training at its beginning, or where its checkpoint stands.
    ///
    /// # Errors
    /// [`TrainError`]; `Checkpoint` where that cannot be used.
    pub fn new(job: &Job<'_, 'd>) -> Result<Self, TrainError> {
        tch::set_num_threads(i32::try_from(job.threads.max(1)).unwrap_or(i32::MAX));
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
        let training = Rc::new(TrainingSet::new(
            job.dataset,
            &job.split.train,
            settings,
            job.plan.architecture().top.columns(),
            job.device,
        )?);
        for network in [Some(&network), average.as_ref().map(Average::network)].into_iter().flatten() {
            network.learn_columns(training.numbers())?;
        }
        let batch_size = settings.batch_size.images(training.samples() as u64) as usize;
        let per_epoch = batches(0..training.samples(), batch_size).len() as u64;
        let trunk = trunk_of(settings, per_epoch);
        let optimizer = Optimizer::new(settings.optimizer, restraint, trunk, &trainable(&network))?;
        let accumulate = job.accumulate.max(1);
        let (rows, reading) = (&job.split.validation, Reading::new(settings, accumulate));
        let validation = ValidationSet::new(job.dataset, rows, job.plan, job.device, reading)?;
        let dataset = job.dataset.hash();
        let threads = job.threads.max(1);
        let identity = Identity::new(job.plan.settings(), dataset, job.split, seed, threads, job.device);
        let identity = Identity {
            accumulate,
            parent: job.parent,
            precision: precision.word().to_owned(),
            pretrained: pretrained.map(|file| file.hash().to_owned()),
            ..identity
        };
        let mut run = Self {
            plan: job.plan.clone(),
            dataset: dataset.to_owned(),
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

    /// How it has ended where it stands, before an epoch; nothing where that is to be trained.
    pub fn end_before_epoch(&mut self, observer: &mut dyn Observer) -> Result<Option<Ended>, TrainError> {
        if let Some(reason) = self.finished() {
            return Ok(Some((TellState::Completed, Some(reason))));
        }
        if self.position.epochs_done < self.until_step {
            return Ok(None);
        }
        self.save(observer)?;
        Ok(Some((TellState::Paused, None)))
    }

    /// How it has ended by the observer's word on a whole epoch.
    pub fn end_after_epoch(
        &mut self,
        decision: Decision,
        observer: &mut dyn Observer,
    ) -> Result<Option<Ended>, TrainError> {
        match decision {
            Decision::Continue => Ok(None),
            Decision::Stop => Ok(Some((TellState::Stopped, None))),
            // Who has nothing left to do need not come back for it.
            Decision::Pause if self.finished().is_some() => Ok(None),
            Decision::Pause => {
                self.save(observer)?;
                Ok(Some((TellState::Paused, None)))
            }
        }
    }

    /// What has become of it, at its end.
    pub fn close(mut self, (state, reason): Ended) -> Result<Trained, TrainError> {
        let best = self.best.take().map(|kept| {
            let about =
                weights::About { plan: &self.plan, dataset: &self.dataset, step: kept.step, rmse: kept.rmse };
            let weights = weights::to_safetensors(&self.network, &kept.tensors, &about);
            weights.map(|weights| Best { step: kept.step, metrics: kept.metrics, weights })
        });
        Ok(Trained { state, reason, best: best.transpose()? })
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

    /// The rows to train on.
    pub fn training(&self) -> Rc<TrainingSet<'d>> {
        Rc::clone(&self.training)
    }

    /// What the epoch that it stands in shows, in which order: computed anew where that goes on, as a function of seed
    /// and number.
    pub fn samples<'t>(&self, training: &'t TrainingSet<'d>) -> Result<Epoch<'t>, TchError> {
        training.epoch(self.identity.seed, self.position.epochs_done + 1)
    }

    /// How the samples of its epochs are cut into batches.
    pub fn batches(&self) -> Vec<Range<usize>> {
        batches(0..self.training.samples(), self.batch_size)
    }

    /// The batch before which it stands.
    pub fn batch(&self) -> u64 {
        self.position.batch
    }

    /// Begins an epoch, or what is left of it.
    pub fn begin(&mut self, samples: &Epoch<'_>) -> Result<Pass, TrainError> {
        let (began, epoch) = (now(), self.position.epochs_done + 1);
        let transfer = self.plan.training().transfer.as_ref();
        self.network.set_frozen(transfer.is_some_and(|transfer| transfer.frozen_in(epoch)))?;
        Ok(Pass {
            epoch,
            began,
            before: self.position.epoch_seconds,
            batches: self.batches_per_epoch(),
            labels: samples.labels() as f64,
            rate: 0.0,
        })
    }

    /// Asks the observer before a batch, and makes the checkpoints that it wants.
    pub fn before_batch(
        &mut self,
        pass: &Pass,
        batch: u64,
        observer: &mut dyn Observer,
    ) -> Result<Option<Ended>, TrainError> {
        self.position.batch = batch;
        let decision = observer.progress(pass.epoch, batch, pass.batches);
        if decision == Decision::Pause || observer.checkpoint_due(pass.epoch - 1) {
            self.position.epoch_seconds = pass.seconds();
            self.save(observer)?;
        }
        self.end_after_epoch(decision, observer)
    }

    /// Sets libtorch's generator, which dropout and noises draw from, to what this batch draws.
    pub fn set_generator(&self, pass: &Pass, batch: u64) {
        let keys = [Key::Number(pass.epoch), Key::Number(batch)];
        // libtorch takes any 64 bits.
        tch::manual_seed(seed_for(self.identity.seed, "dropout", &keys).cast_signed());
    }

    /// The gradient of a batch.
    pub fn gradient(&self, samples: &Epoch<'_>, range: &Range<usize>) -> Result<Gradient, TchError> {
        gradient(&self.network, samples, &self.objective, range, self.identity.accumulate)
    }

    /// Makes the step that follows from a batch's gradient.
    pub fn step(&mut self, pass: &mut Pass, batch: u64, gradient: &Gradient) -> Result<(), TrainError> {
        let settings = self.plan.training();
        let update = (pass.epoch - 1) * pass.batches + batch;
        pass.rate = settings.learning_rate * settings.schedule.factor(update, pass.batches, settings.epochs);
        self.optimizer.update(&trainable(&self.network), &gradient.gradients, pass.rate)?;
        let _ = self.sums.f_add_(&gradient.sums)?;
        if let Some(average) = &self.average {
            average.follow(&self.network, update + 1)?;
        }
        Ok(())
    }

    /// The metrics of an epoch's training half, once all its batches are done.
    pub fn end_of_pass(&self, pass: &Pass) -> Result<Metrics, TrainError> {
        let loss = self.sums.f_double_value(&[0])? / (pass.labels * self.objective.kept());
        if !loss.is_finite() {
            return Err(diverged(pass.epoch, "the training loss"));
        }
        let (_, px) = target_scale(self.plan.training().target_scaling);
        let rmse = (self.sums.f_double_value(&[1])? / pass.labels).sqrt();
        Ok(Metrics::default()
            .with(metric::TRAIN_LOSS, loss)
            .with(metric::TRAIN_RMSE, rmse * px)
            .with(metric::LEARNING_RATE, pass.rate)
            .with(metric::IMAGES_PER_SECOND, self.training.samples() as f64 / pass.seconds().max(1e-9)))
    }

    /// The epoch has ended, with this RMSE of the validation rows; the observer's word on it.
    pub fn end_of_epoch(
        &mut self,
        pass: &Pass,
        metrics: Metrics,
        rmse: f64,
        observer: &mut dyn Observer,
    ) -> Result<Decision, TrainError> {
        if !rmse.is_finite() {
            return Err(diverged(pass.epoch, "the validation RMSE"));
        }
        self.position = Position { epochs_done: pass.epoch, batch: 0, epoch_seconds: 0.0 };
        let _ = self.sums.f_zero_()?;
        let metrics = metrics.with(metric::RMSE, rmse).with(metric::SECONDS, pass.seconds());
        if self.best.as_ref().is_none_or(|best| rmse < best.rmse) {
            let tensors = self.validated().snapshot()?;
            self.best = Some(Kept { step: pass.epoch, rmse, metrics: metrics.clone(), tensors });
        }
        Ok(observer.epoch(pass.epoch, &metrics)?)
    }

    /// What it makes small.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The rows to validate on.
    pub fn validation(&self) -> &ValidationSet<'d> {
        &self.validation
    }

    /// The network that is trained.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same, to be given other tensors.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The network that counts.
    pub fn validated(&self) -> &Network {
        self.average.as_ref().map_or(&self.network, Average::network)
    }

    fn batches_per_epoch(&self) -> u64 {
        batches(0..self.training.samples(), self.batch_size).len() as u64
    }
}

impl Pass {
    /// Wall-clock seconds that its batches have taken.
    fn seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }
}

fn diverged(step: u64, what: &str) -> TrainError {
    TrainError::Diverged { step, what: what.to_owned() }
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
