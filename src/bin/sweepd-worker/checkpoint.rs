//! Checkpoints: all that a training needs to go on bit for bit, as a safetensors file.
//!
//! Everything random is a function of (seed, epoch, batch), so the position stands for it; what else there
//! is are numbers: weights and running statistics, their mean over time, the optimiser's memory, the best epoch so
//! far, and the sums of losses and squared errors of the epoch under way. One metadata entry, `sweepd_checkpoint`, says in JSON where
//! the training stands and what it is a training of. The last tensor, `blake3`, is the hash of all bytes
//! before its own: it is checked before anything else is believed.

use crate::environment::LIBTORCH;
use crate::error::TrainError;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::train::Kept;
use crate::weights::row_major_bytes;
use anyhow::Context;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use sweepd::dataset::Split;
use sweepd::domain::{Metrics, Params};
use sweepd::model::{self, Precision};
use sweepd::worker::protocol::Parent;
use tch::{Device, Kind, TchError, Tensor};

/// Version of the format.
const FORMAT: u32 = 2;
/// The metadata's entry.
const ENTRY: &str = "sweepd_checkpoint";
/// Name of the tensor that holds the checksum. The only one of bytes: safetensors puts it last.
const CHECKSUM: &str = "blake3";
const CHECKSUM_BYTES: usize = blake3::OUT_LEN;
/// Name of the sums of losses and of squared errors of the epoch under way, f64 `[2]`.
const SUMS: &str = "epoch/sums";

/// What is trained, on what and with what: a checkpoint of anything else is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Every setting of the plan.
    pub settings: Params,
    /// Hash of the dataset.
    pub dataset: String,
    /// Hash of which rows train and which validate.
    pub split: String,
    /// Seed of initial weights, shuffling and dropout.
    pub seed: u64,
    /// Threads on the CPU: another number of them sums in another order.
    pub threads: usize,
    /// `cpu` or `cuda`.
    pub device: String,
    /// What layers compute in: `f32` or `bf16`.
    pub precision: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// Into how many parts each batch is split. A training that ran out of memory goes on with more of them, never
    /// with fewer.
    #[serde(default = "one")]
    pub accumulate: u32,
    /// Hash of the file that the trunk's first weights are from.
    #[serde(default)]
    pub pretrained: Option<String>,
    /// The trial that it is the heir of: it began at that one's checkpoint.
    #[serde(default)]
    pub parent: Option<Parent>,
}

fn one() -> u32 {
    1
}

impl Identity {
    /// The identity of a training by this program.
    pub fn new(
        settings: &Params,
        dataset: &str,
        split: &Split,
        seed: u64,
        threads: usize,
        device: Device,
    ) -> Self {
        let device = if device.is_cuda() { "cuda" } else { "cpu" };
        Self {
            settings: settings.clone(),
            dataset: dataset.to_owned(),
            split: hash_of(split),
            seed,
            threads,
            device: device.to_owned(),
            precision: Precision::F32.word().to_owned(),
            libtorch: LIBTORCH.to_owned(),
            accumulate: 1,
            pretrained: None,
            parent: None,
        }
    }

    /// Why a training `heir` cannot go on from a checkpoint of this one, for people; `None` where it can: it is of the
    /// same network on the same rows, and what is trained otherwise may change in mid-training.
    fn withholds_from(&self, heir: &Self) -> Option<String> {
        let other_rows = self.dataset != heir.dataset || self.split != heir.split;
        let rows = other_rows.then(|| "it was trained on other rows".to_owned());
        self.setting_that_differs(heir, |name| !model::survives(name)).or(rows)
    }

    /// The first setting that counts and differs, for people.
    fn setting_that_differs(&self, other: &Self, counts: impl Fn(&str) -> bool) -> Option<String> {
        let settings = self.settings.keys().chain(other.settings.keys());
        let mut settings = settings.filter(|name| counts(name));
        let name = settings.find(|name| self.settings.get(*name) != other.settings.get(*name))?;
        let of = |all: &Params| all.get(name).map_or_else(|| "not set".to_owned(), ToString::to_string);
        Some(format!("{name} is {} there and {} here", of(&self.settings), of(&other.settings)))
    }

    /// In what `other` differs, for people; `None` where it is the same.
    fn difference(&self, other: &Self) -> Option<String> {
        if let Some(difference) = self.setting_that_differs(other, |_| true) {
            return Some(difference);
        }
        let of = |hash: &Option<String>| hash.clone().unwrap_or_default();
        let parent = |identity: &Self| match identity.parent {
            Some(Parent { number, step }) => format!("trial {number} at step {step}"),
            None => "nobody".to_owned(),
        };
        let pairs = [
            ("the hash of the pretrained weights", &of(&self.pretrained), &of(&other.pretrained)),
            ("the dataset's hash", &self.dataset, &other.dataset),
            ("the hash of training and validation rows", &self.split, &other.split),
            ("what it goes on from", &parent(self), &parent(other)),
            ("the seed", &self.seed.to_string(), &other.seed.to_string()),
            ("the number of threads", &self.threads.to_string(), &other.threads.to_string()),
            ("the device", &self.device, &other.device),
            ("the precision", &self.precision, &other.precision),
            ("libtorch's version", &self.libtorch, &other.libtorch),
        ];
        let different = pairs.into_iter().find(|(_, there, here)| there != here);
        let Some((what, there, here)) = different else {
            let (there, here) = (self.accumulate, other.accumulate);
            let coarser = here < there;
            return coarser.then(|| format!("batches are in {there} parts there and in {here} here"));
        };
        Some(format!("{what} is {there} there and {here} here"))
    }
}

fn hash_of(split: &Split) -> String {
    let mut hasher = blake3::Hasher::new();
    for side in [&split.train, &split.validation] {
        hasher.update(&(side.len() as u64).to_le_bytes());
        for row in side {
            hasher.update(&row.to_le_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Where a training stands: before a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Epochs that have ended.
    pub epochs_done: u64,
    /// Batches of the epoch under way that are behind it.
    pub batch: u64,
    /// Wall-clock seconds that those batches took.
    pub epoch_seconds: f64,
}

/// The metadata.
#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    /// Version of the program that wrote it.
    version: String,
    identity: Identity,
    position: Position,
    /// Updates that the optimiser made.
    updates: u64,
    best: Option<BestEpoch>,
}

/// The part of the metadata that all versions have.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct BestEpoch {
    step: u64,
    rmse: f64,
    metrics: Metrics,
}

/// What of a training changes as it goes on.
pub struct State<'a> {
    /// Where it stands.
    pub position: Position,
    /// Sums of losses and of squared errors of the epoch under way, f64 `[2]`.
    pub sums: &'a Tensor,
    /// Weights and running statistics.
    pub network: &'a Network,
    /// Their mean over time, where there is one.
    pub average: Option<&'a Network>,
    /// The optimiser and its memory.
    pub optimizer: &'a Optimizer,
    /// The best epoch so far.
    pub best: Option<&'a Kept>,
}

/// A checkpoint's bytes.
///
/// # Errors
/// A device that gives its numbers no more.
pub fn to_bytes(identity: &Identity, state: &State<'_>) -> Result<Vec<u8>, TrainError> {
    let metadata = Metadata {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        identity: identity.clone(),
        position: state.position,
        updates: state.optimizer.updates(),
        best: state.best.map(|kept| BestEpoch {
            step: kept.step,
            rmse: kept.rmse,
            metrics: kept.metrics.clone(),
        }),
    };
    let metadata = serde_json::to_string(&metadata).context("describing a checkpoint")?;
    let mut parts = Vec::new();
    for (name, tensor) in tensors_of(state) {
        let shape: Vec<usize> = tensor.size().iter().map(|n| n.unsigned_abs() as usize).collect();
        parts.push((name, Dtype::F32, shape, row_major_bytes(tensor)?));
    }
    let sums = [state.sums.f_double_value(&[0])?, state.sums.f_double_value(&[1])?];
    let bytes = sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
    parts.push((SUMS.to_owned(), Dtype::F64, vec![sums.len()], bytes));
    parts.push((CHECKSUM.to_owned(), Dtype::U8, vec![CHECKSUM_BYTES], vec![0; CHECKSUM_BYTES]));
    let mut views = Vec::with_capacity(parts.len());
    for (name, kind, shape, bytes) in &parts {
        let view = TensorView::new(*kind, shape.clone(), bytes).context("writing a checkpoint")?;
        views.push((name.as_str(), view));
    }
    let entries = HashMap::from([(ENTRY.to_owned(), metadata)]);
    let mut bytes = serialize(views, Some(entries)).context("writing a checkpoint")?;
    if let Some((content, checksum)) = bytes.split_last_chunk_mut::<CHECKSUM_BYTES>() {
        checksum.copy_from_slice(blake3::hash(content).as_bytes());
    }
    Ok(bytes)
}

/// All tensors of a state by name, in one order.
fn tensors_of<'a>(state: &State<'a>) -> Vec<(String, &'a Tensor)> {
    let mut all = Vec::new();
    for (place, named) in state.network.tensors().iter().enumerate() {
        all.push((weight_name(&named.name), &named.tensor));
        if let Some(tensor) = state.best.and_then(|kept| kept.tensors.get(place)) {
            all.push((best_name(&named.name), tensor));
        }
    }
    for named in state.average.map_or(&[][..], Network::tensors) {
        all.push((average_name(&named.name), &named.tensor));
    }
    for (name, memory) in trainable_names(state.network).zip(state.optimizer.memory()) {
        all.extend(memory.iter().enumerate().map(|(kind, tensor)| (memory_name(name, kind), tensor)));
    }
    all
}

fn trainable_names(network: &Network) -> impl Iterator<Item = &str> {
    network.tensors().iter().filter(|named| named.trainable).map(|named| named.name.as_str())
}

fn weight_name(name: &str) -> String {
    format!("weights/{name}")
}

fn best_name(name: &str) -> String {
    format!("best/{name}")
}

fn average_name(name: &str) -> String {
    format!("average/{name}")
}

fn memory_name(name: &str, kind: usize) -> String {
    format!("optimizer.{kind}/{name}")
}

/// What a checkpoint gives back besides the numbers that it put in their places.
pub struct Restored {
    /// Where the training stands.
    pub position: Position,
    /// Sums of losses and of squared errors of the epoch under way.
    pub sums: [f64; 2],
    /// The best epoch so far.
    pub best: Option<Kept>,
    /// It is the parent's: what follows is another training.
    pub is_inherited: bool,
}

/// Puts a checkpoint's numbers into a network and an optimiser that were made for the same training; or for an heir of
/// it, which takes over weights, running statistics, their mean over time and the optimiser's memory, and nothing else.
///
/// # Errors
/// `Checkpoint`, saying what is wrong with it; the network and the optimiser are then of no use.
pub fn restore(
    bytes: &[u8],
    identity: &Identity,
    network: &Network,
    average: Option<&Network>,
    optimizer: &mut Optimizer,
) -> Result<Restored, TrainError> {
    let refused = TrainError::Checkpoint;
    let metadata = metadata_of(bytes).map_err(refused)?;
    let (theirs, at) = (&metadata.identity, metadata.position);
    let is_inherited = match (theirs.difference(identity), identity.parent) {
        (None, _) => false,
        (Some(_), Some(parent)) if (at.epochs_done, at.batch) == (parent.step, 0) => {
            if let Some(why) = theirs.withholds_from(identity) {
                return Err(refused(anyhow::anyhow!("it is of another network than its heir: {why}")));
            }
            true
        }
        (Some(difference), _) => {
            return Err(refused(anyhow::anyhow!("it is of another training: {difference}")));
        }
    };
    let file = SafeTensors::deserialize(bytes).context("it is damaged").map_err(refused)?;
    for named in network.tensors() {
        fill(&named.tensor, &file, &weight_name(&named.name))?;
    }
    // What a parent did not keep, its heir begins: a mean with the weights, a memory with zeros.
    let lacks = |name: &str| is_inherited && file.tensor(name).is_err();
    for named in average.map_or(&[][..], Network::tensors) {
        let mean = average_name(&named.name);
        let name = if lacks(&mean) { weight_name(&named.name) } else { mean };
        fill(&named.tensor, &file, &name)?;
    }
    for (name, memory) in trainable_names(network).zip(optimizer.memory()) {
        for (kind, tensor) in memory.iter().enumerate() {
            let name = memory_name(name, kind);
            if !lacks(&name) {
                fill(tensor, &file, &name)?;
            }
        }
    }
    if is_inherited {
        return Ok(Restored {
            position: Position { epoch_seconds: 0.0, ..at },
            sums: [0.0; 2],
            best: None,
            is_inherited,
        });
    }
    optimizer.set_updates(metadata.updates)?;
    let best = match metadata.best {
        None => None,
        Some(BestEpoch { step, rmse, metrics }) => {
            let tensors = network.snapshot()?;
            for (named, tensor) in network.tensors().iter().zip(&tensors) {
                fill(tensor, &file, &best_name(&named.name))?;
            }
            Some(Kept { step, rmse, metrics, tensors })
        }
    };
    let bytes = tensor_of(&file, SUMS, Dtype::F64, &[2]).map_err(refused)?;
    let (sums, _) = bytes.as_chunks::<8>();
    let sums = [0, 1].map(|i| sums.get(i).map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes)));
    Ok(Restored { position: at, sums, best, is_inherited })
}

/// The metadata of bytes whose checksum fits.
fn metadata_of(bytes: &[u8]) -> anyhow::Result<Metadata> {
    let (content, checksum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .with_context(|| format!("{} bytes are too few for a checkpoint", bytes.len()))?;
    anyhow::ensure!(
        blake3::hash(content).as_bytes() == checksum,
        "it is damaged, or no checkpoint at all: its checksum does not fit"
    );
    let (_, header) = SafeTensors::read_metadata(bytes).context("it is no safetensors file")?;
    let entry = header.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
    let entry = entry.context("it is a file of something else")?;
    let format = serde_json::from_str::<Format>(entry).context("what it says of itself")?.format;
    anyhow::ensure!(
        format == FORMAT,
        "it has format {format}, this program reads {FORMAT}: another version wrote it"
    );
    serde_json::from_str(entry).context("what it says of itself")
}

/// Overwrites a tensor with the one of that name, whatever the layout in memory.
fn fill(tensor: &Tensor, file: &SafeTensors<'_>, name: &str) -> Result<(), TrainError> {
    let shape: Vec<usize> = tensor.size().iter().map(|n| n.unsigned_abs() as usize).collect();
    let bytes = tensor_of(file, name, Dtype::F32, &shape).map_err(TrainError::Checkpoint)?;
    copy_in(tensor, bytes).map_err(TrainError::from)
}

fn copy_in(tensor: &Tensor, bytes: &[u8]) -> Result<(), TchError> {
    let _guard = tch::no_grad_guard();
    let numbers = Tensor::f_from_data_size(bytes, &tensor.size(), Kind::Float)?;
    tensor.shallow_clone().f_copy_(&numbers)
}

fn tensor_of<'a>(
    file: &SafeTensors<'a>,
    name: &str,
    kind: Dtype,
    shape: &[usize],
) -> anyhow::Result<&'a [u8]> {
    let tensor = file.tensor(name).with_context(|| format!("it lacks `{name}`"))?;
    anyhow::ensure!(
        tensor.shape() == shape && tensor.dtype() == kind,
        "`{name}` has another shape or type than its network"
    );
    Ok(tensor.data())
}
