//! What workers say of their attempts as they go on: that they live, reports, checkpoints.

use super::best::{look_again, note_step};
use super::core::{Core, Turn};
use super::input::{Refusal, Reply};
use super::state::{Active, Open, Run, Step};
use super::trials::Guard;
use crate::domain::{
    AttemptId, Change, Checkpoint, Decision, Metrics, Objective, StepReport, SweepRow, TrialId, TrialState,
};

/// Checkpoints that are kept of a trial: the newest, and the one before in case the newest is damaged.
const KEPT_CHECKPOINTS: usize = 2;

impl Core {
    /// The worker lives; it learns whether to go on.
    pub(super) fn heartbeat(
        &mut self,
        turn: &Turn,
        trial: TrialId,
        attempt: AttemptId,
    ) -> Result<Reply, Refusal> {
        let (_, mut open, fold) = self.open_run(trial, attempt)?;
        extend_lease(turn, &mut open.runs[fold]);
        Ok(Reply::Decision(decision(&open)))
    }

    /// A step's metrics. The same report again gets the first answer. A later attempt may go back behind what
    /// an earlier one reported: what comes after does not count any more.
    pub(super) fn report(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        step: u64,
        metrics: Metrics,
    ) -> Result<Reply, Refusal> {
        let (row, mut guard, fold) = self.open_run(trial, attempt)?;
        let (objective, open) = (&row.spec.objective, &mut *guard);
        let run = &mut open.runs[fold];
        extend_lease(turn, run);
        let last = run.last_step();
        match run.steps.get(&step) {
            Some(first) if first.attempt == attempt => {
                let same = first.metrics.same(&metrics);
                return if same {
                    Ok(Reply::Decision(first.answer))
                } else {
                    Err(Refusal::StepDiffers { step })
                };
            }
            _ if step <= run.first_step => return Err(Refusal::StepBackwards { step, last }),
            _ if step <= last => {
                let own = run.steps.range(step..).any(|(_, later)| later.attempt == attempt);
                if own {
                    return Err(Refusal::StepBackwards { step, last });
                }
                discard_after(turn, open, fold, step - 1, objective);
                // It went back because it could not go on from these; whoever comes next would miss the steps
                // in between.
                drop_checkpoints(turn, &mut open.runs[fold], |checkpoint| checkpoint.step >= step);
            }
            _ => {}
        }
        let answer = decision(open);
        let (seq, at) = (turn.seq, turn.now);
        let report =
            StepReport { trial, fold: fold as u32, step, attempt, seq, at, metrics: metrics.clone() };
        turn.changes.push(Change::Reported(Box::new(report)));
        open.runs[fold].steps.insert(step, Step { metrics, attempt, answer });
        note_step(turn, open, fold, objective, step);
        drop(guard);
        Ok(Reply::Decision(self.judge(turn, trial, fold, step)))
    }

    /// A checkpoint is stored: the oldest beyond those kept goes.
    pub(super) fn checkpoint(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        step: u64,
        hash: String,
        bytes: u64,
    ) -> Result<Reply, Refusal> {
        let (_, mut guard, fold) = self.open_run(trial, attempt)?;
        let run = &mut guard.runs[fold];
        extend_lease(turn, run);
        let checkpoint = Checkpoint { trial, fold: fold as u32, step, attempt, hash, bytes, at: turn.now };
        // A repeat, maybe one that comes after its successors: an attempt's steps only grow.
        let repeated = |known: &Checkpoint| {
            let same = known.step == step && known.hash == checkpoint.hash;
            known.attempt == attempt && (known.step > step || same)
        };
        if run.checkpoints.first().is_some_and(repeated) {
            return Ok(Reply::Done);
        }
        // Another one of the same step, or of later ones by an attempt that had gone on from elsewhere.
        drop_checkpoints(turn, run, |known| known.step >= step);
        let surplus = run.checkpoints.split_off(run.checkpoints.len().min(KEPT_CHECKPOINTS - 1));
        turn.changes.extend(surplus.into_iter().map(Change::CheckpointDropped));
        turn.changes.push(Change::CheckpointStored(checkpoint.clone()));
        run.checkpoints.insert(0, checkpoint);
        Ok(Reply::Done)
    }

    pub(super) fn sweep_of(&mut self, trial: TrialId) -> Result<&mut Active, Refusal> {
        let sweep = self.home.get(&trial).ok_or(Refusal::NotOpen)?;
        self.sweeps.get_mut(sweep).ok_or(Refusal::NotOpen)
    }

    /// The trial, its sweep and its fold, if `attempt` is an open attempt at it: the fence against everything older.
    pub(super) fn open_run(
        &mut self,
        trial: TrialId,
        attempt: AttemptId,
    ) -> Result<(&SweepRow, Guard<'_>, usize), Refusal> {
        let Active { row, open, .. } = self.sweep_of(trial)?;
        let open = open.get_mut(trial).ok_or(Refusal::NotOpen)?;
        match open.fold_of(attempt) {
            Some(fold) => Ok((row, open, fold)),
            None if open.is_worked_on() => Err(Refusal::StaleAttempt { attempt }),
            None => Err(Refusal::NotOpen),
        }
    }
}

fn decision(trial: &Open) -> Decision {
    match trial.state {
        TrialState::Stopping => Decision::Stop,
        _ => Decision::Continue,
    }
}

fn extend_lease(turn: &Turn, run: &mut Run) {
    if let Some(attempt) = &mut run.attempt {
        attempt.lease_until = attempt.row.lease_ms.map(|lease| turn.now.plus_ms(lease));
        // Heard of under this daemon: from here on its end is its own.
        attempt.recovered = false;
    }
}

/// What was reported after a step does not count any more: the trial is trained again from there.
pub(super) fn discard_after(
    turn: &mut Turn,
    open: &mut Open,
    fold: usize,
    after_step: u64,
    objective: &Objective,
) {
    let run = &mut open.runs[fold];
    if run.last_step() <= after_step {
        return;
    }
    run.steps.split_off(&(after_step + 1));
    let (trial, number) = (open.row.id, fold as u32);
    turn.changes.push(Change::ReportsDiscarded { trial, fold: number, after_step });
    if open.runs[fold].best.is_some_and(|(step, _)| step > after_step) {
        look_again(turn, open, fold, objective);
    }
}

/// Drops some of a run's checkpoints.
fn drop_checkpoints(turn: &mut Turn, run: &mut Run, unwanted: impl Fn(&Checkpoint) -> bool) {
    let known = std::mem::take(&mut run.checkpoints);
    let (dropped, kept): (Vec<_>, Vec<_>) = known.into_iter().partition(unwanted);
    run.checkpoints = kept;
    turn.changes.extend(dropped.into_iter().map(Change::CheckpointDropped));
}
