//! Weights as a safetensors file: f32 tensors by the layer table's names, in row-major order, with one
//! metadata entry, `sweepd`: a JSON object that says what is needed to use them.
//!
//! The same training gives the same bytes.

use crate::error::TrainError;
use crate::network::Network;
use crate::precision;
use anyhow::Context;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use sweepd::domain::Params;
use sweepd::model::Plan;
use tch::{Device, Kind, TchError, Tensor};

/// Version of the metadata.
const FORMAT: u32 = 1;
/// The metadata's entry. Only one: entries of a safetensors header have no order, and its bytes must.
const ENTRY: &str = "sweepd";

/// What a file says of its weights.
pub struct About<'a> {
    /// What was trained.
    pub plan: &'a Plan,
    /// Hash of the dataset.
    pub dataset: &'a str,
    /// The epoch, from 1.
    pub step: u64,
    /// Its validation RMSE in pixels.
    pub rmse: f64,
}

/// The metadata.
#[derive(Serialize, Deserialize)]
struct Metadata {
    format: u32,
    /// Version of the program that wrote it.
    version: String,
    /// Every setting, so that a later version with other defaults builds the same network.
    settings: Params,
    /// The parameters as they were given.
    params: Params,
    dataset: String,
    step: u64,
    rmse: f64,
}

/// A file's bytes, from a snapshot of a network's tensors.
pub fn to_safetensors(
    network: &Network,
    snapshot: &[Tensor],
    about: &About<'_>,
) -> Result<Vec<u8>, TrainError> {
    let metadata = Metadata {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: about.plan.settings().clone(),
        params: about.plan.params().clone(),
        dataset: about.dataset.to_owned(),
        step: about.step,
        rmse: about.rmse,
    };
    let metadata = serde_json::to_string(&metadata).context("describing the weights")?;
    let mut bytes = Vec::with_capacity(snapshot.len());
    for tensor in snapshot {
        bytes.push(row_major_bytes(tensor)?);
    }
    let mut views = Vec::with_capacity(snapshot.len());
    for ((named, tensor), bytes) in network.tensors().iter().zip(snapshot).zip(&bytes) {
        let shape = tensor.size().iter().map(|n| n.unsigned_abs() as usize).collect();
        let view = TensorView::new(Dtype::F32, shape, bytes).context("writing weights")?;
        views.push((named.name.as_str(), view));
    }
    let entries = HashMap::from([(ENTRY.to_owned(), metadata)]);
    Ok(serialize(views, Some(entries)).context("writing weights")?)
}

/// A tensor's numbers as f32 in row-major order; little-endian, as is every machine that libtorch runs on.
pub fn row_major_bytes(tensor: &Tensor) -> Result<Vec<u8>, TchError> {
    let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    // The numbers as they lie in memory: for large networks many times faster than one by one.
    let mut bytes = vec![0; tensor.numel() * size_of::<f32>()];
    tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
    Ok(bytes)
}

/// A network and its plan, from a file's bytes.
///
/// # Errors
/// What in the file is not as expected.
pub fn from_safetensors(bytes: &[u8], device: Device) -> anyhow::Result<(Plan, Network)> {
    let (_, header) = SafeTensors::read_metadata(bytes).context("this is no safetensors file")?;
    let entry = header.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
    let entry =
        entry.context("these weights were not written by sweepd: they say nothing of their network")?;
    let format = serde_json::from_str::<Format>(entry).context("what the weights say of themselves")?.format;
    anyhow::ensure!(
        format == FORMAT,
        "these weights have format {format}, this program reads {FORMAT}: a later version wrote them"
    );
    let metadata: Metadata = serde_json::from_str(entry).context("what the weights say of themselves")?;
    let plan = Plan::from_params(&metadata.settings).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the network of these weights: {}", problems.join("; "))
    })?;
    let file = SafeTensors::deserialize(bytes).context("the weights are damaged")?;
    let compute = precision::kind(precision::resolve(plan.training().precision, device));
    let network = Network::build(plan.layers(), device, compute, |spec| {
        let tensor = file.tensor(&spec.name).with_context(|| format!("the weights lack `{}`", spec.name))?;
        if tensor.shape() != spec.shape || tensor.dtype() != Dtype::F32 {
            return Err(anyhow::anyhow!("`{}` has another shape or type than its network", spec.name).into());
        }
        Ok(tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    })?;
    Ok((plan, network))
}

/// The part of the metadata that all versions have.
#[derive(Deserialize)]
struct Format {
    format: u32,
}
