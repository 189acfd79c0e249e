//! Identifiers. Integers, because the tables hold millions of rows that carry them.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A sweep's row. People see its `uid` (eight letters and digits) or its name instead.
    SweepId
);
id!(
    /// A trial, unique in the database; people also say `SWEEP/NUMBER`.
    TrialId
);
id!(
    /// A unit of work that is handed out: trial, fold, from step, to step.
    LegId
);
id!(
    /// One go at a leg. Ids only grow, so an older attempt's writes are recognised and refused.
    AttemptId
);
