//! What a device's memory looked like at one moment.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A device's memory at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceReading {
    /// The device as slots are named after it: `cuda:0`.
    pub device: String,
    /// `NVIDIA H100 80GB HBM3`
    pub name: String,
    /// All its memory, in bytes.
    pub total_bytes: u64,
    /// What of it nobody uses, in bytes.
    pub free_bytes: u64,
    /// The share of time in which it computed lately, from 0 to 1, where the driver tells.
    #[serde(default)]
    pub utilisation: Option<f64>,
    /// What processes hold of it, in bytes by process id, as far as the driver tells.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub processes: BTreeMap<i32, u64>,
}
