//! What was decided about one leg, as stored or as derived again.

use super::reuse::Known;
use crate::domain::Reason;
use std::fmt;

/// A decision, in a form that can be compared and read.
#[derive(Debug, PartialEq)]
pub(super) enum Decided {
    /// The rest of a trial's folds is not tried; `value` is what it has come to.
    GivenUp {
        trial: u64,
        value: Option<f64>,
        reason: Option<Reason>,
    },
    /// A trial, or a fold of it, that had no leg.
    Waiting {
        trial: u64,
        fold: u32,
        until: Option<u64>,
    },
    Promoted {
        trial: u64,
        until: Option<u64>,
        reason: Reason,
    },
    /// `ends` is why the trial ended whose place it takes, where it does.
    New {
        trial: u64,
        until: Option<u64>,
        params: String,
        reason: Option<Reason>,
        ends: Option<Reason>,
    },
    Copied {
        trial: u64,
        until: Option<u64>,
        params: String,
        reason: Option<Reason>,
        known: Known,
    },
    Nothing,
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trial, until) = match self {
            Self::Nothing => return f.write_str("nothing to do"),
            Self::GivenUp { trial, value, reason } => {
                let value = value.map_or_else(|| "nothing".into(), |value| value.to_string());
                write!(f, "the rest of trial {trial}, which has come to {value}, is given up")?;
                return reason.as_ref().map_or(Ok(()), |reason| write!(f, " ({reason})"));
            }
            Self::Waiting { trial, until, .. }
            | Self::Promoted { trial, until, .. }
            | Self::New { trial, until, .. }
            | Self::Copied { trial, until, .. } => (trial, until),
        };
        match self {
            Self::New { params, .. } => write!(f, "trial {trial} is new, with {params}")?,
            Self::Copied { params, known, .. } => {
                let Known { trial: from, value, .. } = known;
                let value = value.map_or_else(|| "nothing".into(), |value| value.to_string());
                write!(f, "trial {trial} gets {value} from trial {from}, with {params}")?;
            }
            Self::Waiting { fold: 0, .. } => write!(f, "trial {trial} had been asked for")?,
            Self::Waiting { fold, .. } => write!(f, "fold {fold} of trial {trial} follows")?,
            _ => write!(f, "trial {trial} goes on")?,
        }
        match until {
            Some(step) => write!(f, ", up to step {step}")?,
            None => f.write_str(", to its end")?,
        }
        match self {
            Self::New { reason: Some(reason), ends: Some(ends), .. } => {
                write!(f, " ({reason}; another ended: {ends})")
            }
            Self::Promoted { reason, .. }
            | Self::New { reason: Some(reason), .. }
            | Self::Copied { reason: Some(reason), .. } => {
                write!(f, " ({reason})")
            }
            _ => Ok(()),
        }
    }
}
