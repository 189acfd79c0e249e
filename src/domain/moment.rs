//! What the machine was used for at one moment.

use super::time::Millis;
use serde::{Deserialize, Serialize};

/// What the machine, its workers and its devices were used for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Moment {
    /// When.
    pub at_ms: Millis,
    /// The workers of this machine.
    pub workers: Vec<WorkerMoment>,
    /// The devices in use.
    pub devices: Vec<DeviceMoment>,
    /// The share of all cores that was used since the moment before, from 0 to 1.
    pub cpu_share: Option<f64>,
    /// The machine's memory that was used, in bytes.
    pub memory_used_bytes: Option<u64>,
}

/// A worker at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WorkerMoment {
    /// Its name.
    pub worker: String,
    /// Its slot.
    pub slot: String,
    /// What its process held of the machine's memory, in bytes.
    pub resident_bytes: Option<u64>,
}

/// A device at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceMoment {
    /// `cuda:0`
    pub device: String,
    /// What was used of its memory, in bytes.
    pub used_bytes: u64,
    /// The share of time in which it computed, from 0 to 1, where the driver tells.
    pub utilisation: Option<f64>,
}
