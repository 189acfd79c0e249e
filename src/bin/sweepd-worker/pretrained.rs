//! Weights of a trunk that was trained elsewhere, from a safetensors or a PyTorch file.
//!
//! Names are those of the layer table: for VGG, ResNet and GoogLeNet torchvision's, for our own families those under
//! which a trial's weights are stored. Nothing in a file is run.

use crate::error::TrainError;
use crate::network::{Named, Network};
use crate::pytorch;
use anyhow::Context;
use safetensors::tensor::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use tch::{Kind, TchError, Tensor};

/// How a zip archive begins, and with it what `torch.save` writes.
const ZIP: &[u8] = b"PK\x03\x04";

/// A file of named tensors.
pub struct Pretrained {
    path: String,
    tensors: HashMap<String, Tensor>,
    hash: String,
}

impl Pretrained {
    /// Reads a file.
    ///
    /// # Errors
    /// `BadConfiguration`, saying what is wrong with the file.
    pub fn open(path: &str) -> Result<Self, TrainError> {
        read(path)
            .map_err(|error| TrainError::BadConfiguration(format!("pretrained weights {path}: {error:#}")))
    }

    /// Hash of the file's content.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Overwrites a network's trunk.
    ///
    /// # Errors
    /// `BadConfiguration` with all tensors that the file lacks or has in another shape.
    pub fn fill(&self, network: &Network) -> Result<(), TrainError> {
        let _guard = tch::no_grad_guard();
        let mut problems = Vec::new();
        for named in network.tensors().iter().filter(|named| named.trunk) {
            match self.suiting(named)? {
                Ok(numbers) => named.tensor.shallow_clone().f_copy_(&numbers)?,
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(TrainError::BadConfiguration(format!("pretrained weights {}: {}", self.path, told(&problems))))
    }

    /// The file's tensor for one of ours, or what is wrong with it. A kernel for the red, green and blue of an image
    /// becomes one for grey by its sum: what it would give for an image whose three channels are the same.
    fn suiting(&self, named: &Named) -> Result<Result<Tensor, String>, TchError> {
        let name = &named.name;
        let Some(found) = self.tensors.get(name) else {
            return Ok(Err(format!("`{name}` is missing")));
        };
        let (wanted, there) = (named.tensor.size(), found.size());
        if there == wanted {
            return Ok(Ok(found.shallow_clone()));
        }
        match (wanted.as_slice(), there.as_slice()) {
            ([a, 1, b, c], [d, 3, e, f]) if [a, b, c] == [d, e, f] => {
                found.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float).map(Ok)
            }
            _ => Ok(Err(format!("`{name}` has the shape {there:?}, not {wanted:?}"))),
        }
    }
}

/// The first problems, and how many more.
fn told(problems: &[String]) -> String {
    const MOST: usize = 5;
    let mut text = problems.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join("; ");
    if problems.len() > MOST {
        text.push_str(&format!("; and {} more", problems.len() - MOST));
    }
    text
}

fn read(path: &str) -> anyhow::Result<Pretrained> {
    let bytes = fs::read(path).context("it cannot be read")?;
    let tensors = if bytes.starts_with(ZIP) {
        pytorch::read(Path::new(path))?.into_iter().collect()
    } else {
        of_safetensors(&bytes)?
    };
    let hash = blake3::hash(&bytes).to_hex().to_string();
    Ok(Pretrained { path: path.to_owned(), tensors, hash })
}

fn of_safetensors(bytes: &[u8]) -> anyhow::Result<HashMap<String, Tensor>> {
    let file = SafeTensors::deserialize(bytes).context(
        "it is neither an intact safetensors file nor a zip archive as torch.save writes it (files from before PyTorch \
         1.6 must be loaded and saved again)",
    )?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F64 => Kind::Double,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            // Counters and the like.
            _ => continue,
        };
        let shape: Vec<i64> = view.shape().iter().map(|n| *n as i64).collect();
        let tensor = Tensor::f_from_data_size(view.data(), &shape, kind)?.f_to_kind(Kind::Float)?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}
