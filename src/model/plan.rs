//! A trial's parameters, understood.

use super::architecture::{Architecture, Trunk};
use super::build;
use super::layers::LayerTable;
use super::memory;
use super::problem::Problem;
use super::read::{Read, Reader};
use super::training::{BatchSize, Training};
use crate::domain::Params;

/// What a trial trains and how. One that exists can be trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    params: Params,
    settings: Params,
    architecture: Architecture,
    training: Training,
    layers: LayerTable,
    unused: Vec<String>,
}

impl Plan {
    /// Understands a trial's parameters; what is not set takes its default (see
    /// [`PARAMETERS`](super::PARAMETERS)).
    ///
    /// # Errors
    /// Every problem found: unknown names, wrong types, values out of range, parameters that contradict
    /// each other, an architecture that cannot exist.
    pub fn from_params(params: &Params) -> Result<Self, Vec<Problem>> {
        let reader = Reader::new(params);
        let (architecture, head) = Architecture::read(&reader);
        let training = Training::read(&reader, head, architecture.trunk != Trunk::Dense);
        let Read { problems, settings, unused } = reader.finish();
        if !problems.is_empty() {
            return Err(problems);
        }
        let layers = build::layers(&architecture, training.input_scaling, training.target_scaling)
            .map_err(|problem| vec![problem])?;
        Ok(Self { params: params.clone(), settings, architecture, training, layers, unused })
    }

    /// The parameters as they were given.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Every setting that has an effect, given or default: a plan made from these alone is the same, also
    /// where defaults have changed since. (`filters` stands for blocks, growth and limit; a list for a
    /// single value.)
    #[must_use]
    pub fn settings(&self) -> &Params {
        &self.settings
    }

    /// What the network consists of.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// How it is trained.
    #[must_use]
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// Its layers, shapes and tensors.
    #[must_use]
    pub fn layers(&self) -> &LayerTable {
        &self.layers
    }

    /// How many numbers the network holds, batch norm's running ones among them.
    #[must_use]
    pub fn parameter_count(&self) -> u64 {
        self.layers.parameter_count()
    }

    /// How many of them training changes.
    #[must_use]
    pub fn trainable_count(&self) -> u64 {
        self.layers.trainable_count()
    }

    /// Passes over the training rows: the trial's budget in steps.
    #[must_use]
    pub fn epochs(&self) -> u64 {
        self.training.epochs
    }

    /// Bytes that training takes, roughly, with so many training rows (they bound a batch); without the
    /// dataset and without what libtorch takes for itself.
    #[must_use]
    pub fn memory_estimate_bytes(&self, training_rows: u64) -> u64 {
        let batch = self.training.batch_size.images(training_rows);
        memory::estimate_bytes(&self.layers, batch, self.training.optimizer.state_per_weight())
    }

    /// Bytes that training takes at least, roughly, where each batch may be split into so many parts; `None` where a
    /// batch is all training rows, of which the plan does not know how many there are.
    #[must_use]
    pub fn least_memory_bytes(&self, parts: u32) -> Option<u64> {
        let BatchSize::Images(images) = self.training.batch_size else { return None };
        let part = images.div_ceil(u64::from(parts.max(1)));
        Some(memory::estimate_bytes(&self.layers, part, self.training.optimizer.state_per_weight()))
    }

    /// Parameters that are set but have no effect under the others, such as `leaky_slope` under `relu`.
    /// Not a problem: a space without conditions has them.
    #[must_use]
    pub fn without_effect(&self) -> &[String] {
        &self.unused
    }
}
