//! Why something was decided: typed, stored with the decision, shown to people.

use super::descent::{Changed, Descent};
use super::memory_limit::TooLarge;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a trial was suggested, ended or retried, with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// A sampler's suggestion.
    Suggested {
        /// The sampler's name.
        sampler: String,
        /// How many earlier draws were refused, because such a trial could not exist.
        refused: u32,
        /// Why the last of them was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<String>,
    },
    /// A configuration that the user asked for.
    Enqueued {
        /// Parameters that were left open and filled in by the sampler.
        filled_in: Vec<String>,
    },
    /// It goes on from the checkpoint of a better trial, in the place of a worse one.
    Inherited {
        /// Where it comes from.
        #[serde(flatten)]
        descent: Descent,
        /// What is different from its parent, by name.
        changed: Vec<Changed>,
    },
    /// The whole budget was spent.
    BudgetSpent,
    /// The result is that of an earlier trial with the same configuration.
    Copied {
        /// That trial's number.
        from: u64,
    },
    /// The trial's own patience ran out: no better validation step for `patience` steps.
    NoImprovement {
        /// Steps without a better value.
        patience: u64,
    },
    /// A loss or metric became NaN or infinite.
    Diverged {
        /// The step in which it happened, from 1.
        step: u64,
        /// What became non-finite.
        what: String,
    },
    /// The device had too little memory.
    OutOfMemory {
        /// What the allocator said.
        message: String,
        /// The trial had the largest device for itself: what needs as much will not fit either.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        alone: bool,
    },
    /// The configuration cannot be trained.
    BadConfiguration {
        /// What is wrong with it.
        message: String,
    },
    /// It completed without a finite value of an objective.
    NoValue {
        /// The metric.
        metric: String,
    },
    /// The worker process ended, or fell silent, in the middle.
    WorkerLost {
        /// How it ended, as far as is known: `signal 9`, `exit code 1`, `no word for 60 s`.
        how: String,
    },
    /// An error in the worker.
    Error {
        /// The error and its causes.
        message: String,
    },
    /// A stopper lets it go on.
    Promoted {
        /// The rung, an absolute step.
        rung: u64,
        /// The trial's value there.
        value: f64,
        /// Its place among the values known at that rung, from 1.
        rank: u64,
        /// How many values were known.
        of: u64,
    },
    /// A stopper never let it go on.
    NotPromoted {
        /// The rung, an absolute step.
        rung: u64,
        /// The trial's value there.
        value: f64,
        /// Its place among all values at that rung, from 1.
        rank: u64,
        /// How many values there are.
        of: u64,
        /// The best that so many went on.
        promoted: u64,
    },
    /// It is among the best that are known at a rung, and goes on.
    PassedRung {
        /// The rung, an absolute step.
        rung: u64,
        /// The step at which it was judged.
        step: u64,
        /// The trial's best value up to there; `None` without a finite one.
        value: Option<f64>,
        /// The worst value that goes on.
        bound: Option<f64>,
        /// How many values were known, its own among them.
        of: u64,
        /// One in so many goes on.
        factor: u64,
        /// Its values by the further objectives; nothing where there are none. Where there are, what counts is its
        /// place by fronts, and there is no bound.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        further: Vec<Option<f64>>,
    },
    /// It is not among the best that are known at a rung.
    BelowRung {
        /// See [`Reason::PassedRung`].
        rung: u64,
        /// See [`Reason::PassedRung`].
        step: u64,
        /// See [`Reason::PassedRung`].
        value: Option<f64>,
        /// See [`Reason::PassedRung`].
        bound: Option<f64>,
        /// See [`Reason::PassedRung`].
        of: u64,
        /// See [`Reason::PassedRung`].
        factor: u64,
        /// See [`Reason::PassedRung`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        further: Vec<Option<f64>>,
    },
    /// Its best so far is worse than what others had reached by the same step.
    WorseThanOthers {
        /// The step.
        step: u64,
        /// The trial's best value up to there; `None` without a finite one.
        value: Option<f64>,
        /// What it would have had to reach.
        bound: Option<f64>,
        /// So many percent of the others had reached that.
        percentile: f64,
        /// How many others there were.
        of: u64,
    },
    /// It will hardly come to be the best, going by how completed trials went on.
    UnlikelyToWin {
        /// The step.
        step: u64,
        /// The trial's best value up to there.
        value: Option<f64>,
        /// What its best value is expected to become.
        expected: Option<f64>,
        /// The best value of a completed trial.
        best: Option<f64>,
        /// The chance of becoming better than that, from 0 to 1.
        chance: f64,
        /// By how many completed trials.
        of: u64,
        /// The last steps and their values, from which that follows.
        curve: Vec<(u64, f64)>,
    },
    /// Its value left the range that is allowed.
    OutOfBounds {
        /// The step.
        step: u64,
        /// The value there; `None` where it is not finite.
        value: Option<f64>,
        /// The end of the range that it is beyond.
        limit: Option<f64>,
    },
    /// The sweep's patience ran out.
    Stalled {
        /// The step.
        step: u64,
        /// The value there; `None` where it is not finite.
        value: Option<f64>,
        /// The last step that was better than all before by enough; 0 for none.
        best_step: u64,
        /// The value there.
        best: Option<f64>,
        /// Steps without a better value.
        patience: u64,
    },
    /// It is worse than the best trial on the folds that are known of it.
    Outraced {
        /// How many folds are known.
        folds: u32,
        /// How many there are.
        of: u32,
        /// The trial's mean over the known ones.
        value: f64,
        /// Their standard deviation.
        spread: f64,
        /// The best trial's number.
        best_trial: u64,
        /// The best trial's mean over the same folds.
        best: f64,
        /// How sure that is, between 0 and 1.
        confidence: f64,
    },
    /// It is among the last of its population: an heir of one of the first takes its place.
    Replaced {
        /// The step at which they are compared.
        step: u64,
        /// The trial's value there; `None` where it is not finite.
        value: Option<f64>,
        /// So many of the last are replaced.
        last: u64,
        /// How many values were known at that step.
        of: u64,
    },
    /// It is not among the last of its population, or there is no heir to take its place: it goes on.
    Survived {
        /// See [`Reason::Replaced`].
        step: u64,
        /// See [`Reason::Replaced`].
        value: Option<f64>,
        /// Its place among the values known at that step, from 1.
        rank: u64,
        /// See [`Reason::Replaced`].
        of: u64,
    },
    /// The leg ends here; what comes next is not decided.
    LegEnded {
        /// Its last step.
        step: u64,
    },
    /// The sweep's time is up.
    TimeLimit,
    /// The sweep is open for the trial that was retried alone: it had ended for good.
    RetryAlone,
    /// The user's word.
    ByUser,
    /// The user gave a sweep another priority.
    Priority {
        /// The one before.
        from: i64,
        /// The new one.
        to: i64,
    },
    /// An earlier sweep had done well with it.
    Transferred {
        /// That sweep's name.
        name: String,
        /// The number of its trial.
        trial: u64,
        /// The place of that trial among those that it is compared with.
        rank: u64,
        /// How many those are.
        of: u64,
    },
    /// The user changed what the sweep searches.
    Edited {
        /// How often that has happened, this time included.
        version: u32,
        /// The first leg that was decided since.
        leg: u64,
        /// What is different, a line each.
        changes: Vec<String>,
    },
    /// The daemon was ended and let its workers go.
    DaemonStopped,
    /// The sampler has no further configuration.
    SpaceExhausted,
    /// It has some, but none that fits into memory.
    NothingFits {
        /// What does not.
        too_large: TooLarge,
    },
}

impl Reason {
    /// The stable word for the kind, as stored and filtered by.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Suggested { .. } => "suggested",
            Self::Enqueued { .. } => "enqueued",
            Self::Inherited { .. } => "inherited",
            Self::BudgetSpent => "budget_spent",
            Self::Copied { .. } => "copied",
            Self::NoImprovement { .. } => "no_improvement",
            Self::Diverged { .. } => "diverged",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::BadConfiguration { .. } => "bad_configuration",
            Self::NoValue { .. } => "no_value",
            Self::WorkerLost { .. } => "worker_lost",
            Self::Error { .. } => "error",
            Self::Promoted { .. } => "promoted",
            Self::NotPromoted { .. } => "not_promoted",
            Self::PassedRung { .. } => "passed_rung",
            Self::BelowRung { .. } => "below_rung",
            Self::WorseThanOthers { .. } => "worse_than_others",
            Self::UnlikelyToWin { .. } => "unlikely_to_win",
            Self::OutOfBounds { .. } => "out_of_bounds",
            Self::Stalled { .. } => "stalled",
            Self::Outraced { .. } => "outraced",
            Self::Replaced { .. } => "replaced",
            Self::Survived { .. } => "survived",
            Self::LegEnded { .. } => "leg_ended",
            Self::TimeLimit => "time_limit",
            Self::RetryAlone => "retry_alone",
            Self::ByUser => "by_user",
            Self::Priority { .. } => "priority",
            Self::Transferred { .. } => "transferred",
            Self::Edited { .. } => "edited",
            Self::DaemonStopped => "daemon_stopped",
            Self::SpaceExhausted => "space_exhausted",
            Self::NothingFits { .. } => "nothing_fits",
        }
    }
}

impl Reason {
    /// Whether a stopper gave it when it judged a running trial.
    #[must_use]
    pub fn is_judgement(&self) -> bool {
        matches!(
            self,
            Self::PassedRung { .. }
                | Self::BelowRung { .. }
                | Self::WorseThanOthers { .. }
                | Self::UnlikelyToWin { .. }
                | Self::OutOfBounds { .. }
                | Self::Stalled { .. }
        )
    }

    /// Where a trial that was suggested for this reason comes from; `None` for one that begins anew.
    #[must_use]
    pub fn descent(&self) -> Option<Descent> {
        match self {
            Self::Inherited { descent, .. } => Some(*descent),
            _ => None,
        }
    }
}

/// A value that may not be finite.
struct Number(Option<f64>);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, "{value:.4}"),
            None => f.write_str("no finite value"),
        }
    }
}

/// One of so many, in words.
struct Share(u64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            2 => f.write_str("half"),
            3 => f.write_str("third"),
            4 => f.write_str("quarter"),
            factor => write!(f, "1/{factor}"),
        }
    }
}

/// One line for people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suggested { sampler, refused: 0, .. } => write!(f, "drawn by {sampler}"),
            Self::Suggested { sampler, refused, refusal } => {
                write!(f, "drawn by {sampler} after {refused} refused draws")?;
                match refusal {
                    Some(why) => write!(f, " (the last: {why})"),
                    None => Ok(()),
                }
            }
            Self::Enqueued { filled_in } if filled_in.is_empty() => f.write_str("asked for by the user"),
            Self::Enqueued { filled_in } => {
                write!(f, "asked for by the user; {} filled in by the sampler", filled_in.join(", "))
            }
            Self::Inherited { descent: Descent { parent, step, .. }, changed } => {
                let changed: Vec<String> = changed.iter().map(ToString::to_string).collect();
                let changed = if changed.is_empty() { "as it was".to_owned() } else { changed.join(", ") };
                write!(f, "goes on from trial {parent} at step {step}: {changed}")
            }
            Self::BudgetSpent => f.write_str("budget spent"),
            Self::Copied { from } => {
                write!(f, "the result of trial {from}, which has the same configuration")
            }
            Self::NoImprovement { patience } => write!(f, "no better step for {patience} epochs"),
            Self::Diverged { step, what } => write!(f, "diverged: {what} was not finite in epoch {step}"),
            Self::OutOfMemory { message, .. } => write!(f, "out of memory: {message}"),
            Self::BadConfiguration { message } => write!(f, "bad configuration: {message}"),
            Self::NoValue { metric } => write!(f, "it completed without a finite value of {metric:?}"),
            Self::WorkerLost { how } => write!(f, "the worker was lost: {how}"),
            Self::Error { message } => f.write_str(message),
            Self::Promoted { rung, value, rank, of } => {
                write!(f, "rung {rung}: {value:.4} is number {rank} of {of}: it goes on")
            }
            Self::NotPromoted { rung, value, rank, of, promoted } => {
                write!(f, "rung {rung}: {value:.4} is number {rank} of {of}, and {promoted} went on")
            }
            Self::PassedRung { rung, value, of, factor, further, .. } if !further.is_empty() => {
                let (value, share) = (Number(*value), Share(*factor));
                write!(
                    f,
                    "rung {rung}: with {value} it is among the best {share} of {of} by fronts: it goes on"
                )
            }
            Self::BelowRung { rung, value, of, factor, further, .. } if !further.is_empty() => {
                let (value, share) = (Number(*value), Share(*factor));
                write!(f, "rung {rung}: with {value} it is not among the best {share} of {of} by fronts")
            }
            Self::PassedRung { rung, value, bound, of, factor, .. } => {
                let (value, bound, share) = (Number(*value), Number(*bound), Share(*factor));
                write!(f, "rung {rung}: {value} (best {share} of {of}: {bound}): it goes on")
            }
            Self::BelowRung { rung, value, bound, of, factor, .. } => {
                let (value, bound, share) = (Number(*value), Number(*bound), Share(*factor));
                write!(
                    f,
                    "rung {rung}: {value} is worse than the best {share} of {of}, which ends at {bound}"
                )
            }
            Self::WorseThanOthers { step, value, bound, percentile, of } => {
                let (value, bound) = (Number(*value), Number(*bound));
                if *percentile == 50.0 {
                    write!(f, "step {step}: {value} is worse than the median {bound} of {of}")
                } else {
                    write!(f, "step {step}: {value} is worse than {bound}, the best {percentile} % of {of}")
                }
            }
            Self::UnlikelyToWin { step, value, expected, best, chance, of, .. } => {
                let (value, expected, best) = (Number(*value), Number(*expected), Number(*best));
                let percent = 100.0 * chance;
                write!(f, "step {step}: {value}, expected {expected} by {of} others; ")?;
                write!(f, "a chance of {percent:.1} % to beat the best, {best}")
            }
            Self::OutOfBounds { step, value, limit: Some(limit) } => {
                write!(f, "step {step}: {} is beyond {limit}", Number(*value))
            }
            Self::OutOfBounds { step, .. } => write!(f, "step {step}: the value is not finite"),
            Self::Stalled { step, best: None, .. } => write!(f, "step {step}: still no finite value"),
            Self::Stalled { step, best, best_step, .. } => {
                write!(f, "step {step}: nothing better than {} of step {best_step}", Number(*best))
            }
            Self::Outraced { folds, of, value, spread, best_trial, best, confidence } => write!(
                f,
                "after {folds} of {of} folds: {value:.4} ± {spread:.4}, and the best, trial {best_trial}, has {best:.4} \
                 there: worse with {:.1} % confidence",
                confidence * 100.0
            ),
            Self::Replaced { step, value, last, of } => {
                write!(f, "step {step}: {} is among the last {last} of {of}", Number(*value))
            }
            Self::Survived { step, value, rank, of } => {
                write!(f, "step {step}: {} is number {rank} of {of}: it goes on", Number(*value))
            }
            Self::LegEnded { step } => write!(f, "paused at step {step}"),
            Self::TimeLimit => f.write_str("the sweep's time is up"),
            Self::RetryAlone => f.write_str("for the retried trial alone"),
            Self::ByUser => f.write_str("by the user"),
            Self::Priority { from, to } => write!(f, "priority {to} instead of {from}"),
            Self::Transferred { name, trial, rank, of } => {
                write!(f, "from {name}: trial {trial} there is number {rank} of {of} earlier results")
            }
            Self::Edited { version, leg, changes } => {
                write!(f, "version {version}, from leg {leg} on: {}", changes.join("; "))
            }
            Self::DaemonStopped => f.write_str("the daemon stopped"),
            Self::SpaceExhausted => f.write_str("every configuration has been tried"),
            Self::NothingFits { too_large } => {
                write!(f, "nothing is left that fits into memory: {too_large}")
            }
        }
    }
}
