//! Messages on their way: calls to the daemon, and its answers.

use crate::domain::{SweepId, Terms, TrialId};
use crate::scheduler::{Input, Refusal, Reply};

/// What the daemon is called with.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Input(Input),
    Retry(TrialId),
    Edit(SweepId, Box<Terms>),
}

impl Call {
    /// Whether what is stored is read for it, so that nothing may be handled together with it.
    pub fn is_alone(&self) -> bool {
        !matches!(self, Self::Input(_))
    }
}

/// Who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Worker(usize),
    /// A worker's thread that says it lives.
    Heart(usize),
    /// Who watches over a worker's process.
    Supervisor(usize),
    User,
    /// The daemon's own clock.
    Clock,
}

/// A call on its way. Its repeats have the same number.
#[derive(Debug, Clone)]
pub struct Letter {
    pub from: Caller,
    pub number: u64,
    pub call: Call,
    /// It arrives at this step of the world at the earliest.
    pub arrives: usize,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Reply(Reply),
    Refused(Refusal),
    NotPersisted,
    Unreachable,
}

impl Answer {
    /// Whether repeating the call would make no difference.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Reply(_) | Self::Refused(_))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reply(Reply::Work(claimed)) => write!(
                f,
                "work: attempt {} trial {} (number {}) {:?} from {:?} {:?}",
                claimed.attempt,
                claimed.leg.trial,
                claimed.number,
                claimed.leg,
                claimed.checkpoints.iter().map(|checkpoint| checkpoint.step).collect::<Vec<_>>(),
                claimed.params,
            ),
            Self::Reply(reply) => write!(f, "{reply:?}"),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            other => write!(f, "{other:?}"),
        }
    }
}
