//! A running mean of the weights (Polyak, Juditsky 1992), which often predicts better than the weights themselves.

use crate::error::TrainError;
use crate::network::Network;
use crate::shim;
use sweepd::model::LayerTable;
use tch::{Device, Kind, TchError, Tensor};

/// A network that follows another one.
pub struct Average {
    network: Network,
    decay: f64,
}

impl Average {
    /// One that begins where the other network begins, if it is made from the same table and seed.
    pub fn new(
        table: &LayerTable,
        seed: u64,
        device: Device,
        compute: Kind,
        decay: f64,
    ) -> Result<Self, TrainError> {
        Ok(Self { network: Network::initial(table, seed, device, compute)?, decay })
    }

    /// The network of the means; also of batch norm's running numbers.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Takes a step of the other network into account, its `updates`-th. The first ones count more, since the mean
    /// would be of the initial weights for long.
    pub fn follow(&self, other: &Network, updates: u64) -> Result<(), TchError> {
        let young = (1.0 + updates as f64) / (10.0 + updates as f64);
        let mine: Vec<&Tensor> = self.network.tensors().iter().map(|named| &named.tensor).collect();
        let theirs: Vec<&Tensor> = other.tensors().iter().map(|named| &named.tensor).collect();
        shim::lerp_(&mine, &theirs, 1.0 - self.decay.min(young))
    }
}
