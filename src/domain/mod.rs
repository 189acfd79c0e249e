//! The words everything else is written in: plain data, no input or output.
//!
//! Nothing here may know tokio, sqlx, tch, a file, a socket or a clock.

pub mod change;
pub mod decisions;
pub mod descent;
pub mod device;
pub mod ensemble;
pub mod event;
pub mod ids;
pub mod memory_limit;
pub mod metric;
pub mod moment;
pub mod objective;
pub mod pareto;
pub mod prior;
pub mod reason;
pub mod recovery;
pub mod remark;
pub mod spread;
pub mod stopper;
pub mod stream;
pub mod sweep;
pub mod template;
pub mod terms;
pub mod time;
pub mod trial;
pub mod value;
pub mod worker_process;

pub use change::{
    AttemptState, Change, Checkpoint, DecidedLeg, FoldResult, Leg, LegEnd, LegOutcome, LegRecord, NewAttempt,
    NewTrial, Origin, StepReport, SweepRow,
};
pub use descent::{Changed, Descent};
pub use device::DeviceReading;
pub use event::{Event, EventKind};
pub use ids::{AttemptId, LegId, SweepId, TrialId};
pub use memory_limit::{MemoryLimit, TooLarge, memory_size};
pub use metric::Metrics;
pub use moment::{DeviceMoment, Moment, WorkerMoment};
pub use reason::Reason;
pub use recovery::Recovery;
pub use remark::{Remark, Subject};
pub use sweep::{
    Direction, Objective, ObjectiveKind, OutOfMemory, Parameter, ParameterKind, Search, Sweep, SweepState,
    Target, When,
};
pub use terms::{PastTerms, Terms};
pub use time::Millis;
pub use trial::{Decision, TellState, TrialState};
pub use value::{Params, Value};
pub use worker_process::WorkerProcess;
