//! What the daemon has acknowledged: it must be in the database, now and after every crash.

use super::invariants::Checker;
use super::wire::{Answer, Call, Letter};
use crate::domain::{AttemptId, Change, Metrics, SweepId, TrialId};
use crate::scheduler::{Input, Reply};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Ledger {
    /// Acknowledged steps that still count, by trial, fold and step.
    reports: BTreeMap<(TrialId, u32, u64), (AttemptId, Metrics)>,
    /// The newest acknowledged checkpoint of each attempt.
    checkpoints: BTreeMap<AttemptId, u64>,
    /// Acknowledged ends.
    tells: BTreeMap<AttemptId, String>,
    /// Who was given what, by request.
    work: BTreeMap<String, AttemptId>,
    home: BTreeMap<TrialId, SweepId>,
    removed: BTreeSet<SweepId>,
    trial_of: BTreeMap<AttemptId, TrialId>,
    fold_of: BTreeMap<AttemptId, u32>,
    /// The first answer to each call.
    answers: BTreeMap<u64, Answer>,
}

impl Ledger {
    /// Notes an answer before it leaves: what it says must be stored, and must not differ from an earlier
    /// answer to the same call.
    pub async fn note_answer(&mut self, letter: &Letter, answer: &Answer, checker: &mut Checker) {
        let Answer::Reply(reply) = answer else { return };
        let Call::Input(input) = &letter.call else { return };
        match (input, reply) {
            (Input::Claim(seeker) | Input::Ask { seeker, .. }, Reply::Work(claimed)) => {
                let attempt = claimed.attempt;
                self.home.insert(claimed.leg.trial, claimed.leg.sweep);
                self.trial_of.insert(attempt, claimed.leg.trial);
                self.fold_of.insert(attempt, claimed.leg.fold);
                let earlier = self.work.insert(seeker.request_id.clone(), attempt);
                if let Some(earlier) = earlier.filter(|earlier| *earlier != attempt) {
                    let state = checker.attempt_state(earlier).await;
                    // Unless it has gone with its sweep.
                    assert_eq!(state, None, "{} got two attempts", seeker.request_id);
                }
                assert!(checker.attempt_state(attempt).await.is_some(), "attempt {attempt} is not stored");
            }
            (Input::Report { trial, attempt, step, metrics }, Reply::Decision(_)) => {
                if checker.attempt_state(*attempt).await.as_deref() == Some("open") {
                    let fold = self.fold_of[attempt];
                    self.reports.insert((*trial, fold, *step), (*attempt, metrics.clone()));
                }
                self.check_reports(checker).await;
            }
            (Input::Checkpoint { trial, attempt, step, .. }, Reply::Done) => {
                let newest = self.checkpoints.entry(*attempt).or_default();
                *newest = (*step).max(*newest);
                if checker.attempt_state(*attempt).await.as_deref() == Some("open") {
                    let stored = checker.newest_checkpoint(*trial, self.fold_of[attempt]).await;
                    assert!(
                        stored >= Some(*newest),
                        "checkpoint {newest} of trial {trial} gave way to {stored:?}"
                    );
                }
            }
            (Input::Tell { trial, attempt, text, .. }, Reply::Done) => {
                // Its sweep may have been removed right after its last word.
                if !self.home.get(trial).is_some_and(|sweep| self.removed.contains(sweep)) {
                    self.tells.insert(*attempt, text.clone());
                }
                self.check_tells(checker).await;
            }
            _ => {}
        }
        if let Some(first) = self.answers.get(&letter.number) {
            let same = match (first, reply) {
                (Answer::Reply(Reply::Work(first)), Reply::Work(again)) => first.attempt == again.attempt,
                (Answer::Reply(first), again) => first == again,
                _ => true,
            };
            let moved_on = matches!(input, Input::Claim(_) | Input::Ask { .. } | Input::Command { .. });
            assert!(same || moved_on, "{letter:?} was answered {first:?}, then {reply:?}");
        } else if letter.number > 0 {
            self.answers.insert(letter.number, answer.clone());
        }
    }

    /// Reports that stop counting: only where a later attempt goes back behind them, or where the trial will go
    /// on from a checkpoint before them.
    pub async fn note_discards(&mut self, changes: &[Change], calls: &[Call], checker: &mut Checker) {
        for change in changes {
            let Change::ReportsDiscarded { trial, fold, after_step } = change else { continue };
            let goes_back = calls.iter().any(|call| match call {
                Call::Input(Input::Report { trial: reported, step, .. }) => {
                    reported == trial && *step == after_step + 1
                }
                _ => false,
            });
            let newest = checker.newest_checkpoint(*trial, *fold).await.unwrap_or(0);
            assert!(goes_back || newest <= *after_step, "steps of trial {trial} after {after_step} are lost");
            self.reports.retain(|(of, part, step), _| of != trial || part != fold || step <= after_step);
        }
    }

    /// A sweep is removed with all that belonged to it.
    pub fn forget(&mut self, sweep: SweepId) {
        self.removed.insert(sweep);
        let home = &self.home;
        let is_gone = |trial: &TrialId| home.get(trial) == Some(&sweep);
        self.reports.retain(|(trial, _, _), _| !is_gone(trial));
        let trial_of = &self.trial_of;
        self.tells.retain(|attempt, _| !trial_of.get(attempt).is_some_and(is_gone));
    }

    async fn check_reports(&self, checker: &mut Checker) {
        let rows = sqlx::query("select trial_id, fold, step, attempt_id from report")
            .fetch_all(&mut checker.db)
            .await
            .unwrap();
        let stored: BTreeMap<(TrialId, u32, u64), AttemptId> = rows
            .iter()
            .map(|row| {
                let at = (TrialId(row.get(0)), row.get::<u32, _>(1), row.get::<i64, _>(2) as u64);
                (at, AttemptId(row.get(3)))
            })
            .collect();
        for (at, (attempt, _)) in &self.reports {
            assert_eq!(
                stored.get(at),
                Some(attempt),
                "the acknowledged report of {at:?} by attempt {attempt}"
            );
        }
    }

    async fn check_tells(&self, checker: &mut Checker) {
        let rows: Vec<(i64, Option<String>)> =
            sqlx::query_as("select attempt_id, tell from attempt where state <> 'open'")
                .fetch_all(&mut checker.db)
                .await
                .unwrap();
        let stored: BTreeMap<AttemptId, Option<String>> =
            rows.into_iter().map(|(attempt, tell)| (AttemptId(attempt), tell)).collect();
        for (attempt, text) in &self.tells {
            assert_eq!(stored.get(attempt), Some(&Some(text.clone())), "the acknowledged end of {attempt}");
        }
    }

    /// Everything acknowledged so far is stored, with its numbers.
    pub async fn check(&self, checker: &mut Checker, reader: &crate::store::Reader) {
        self.check_reports(checker).await;
        self.check_tells(checker).await;
        for ((trial, _, step), (attempt, metrics)) in &self.reports {
            let stored = reader.step(*trial, *attempt, *step).await.unwrap();
            let same = stored.as_ref().is_some_and(|stored| stored.metrics.same(metrics));
            assert!(same, "trial {trial} step {step}: {metrics:?} was acknowledged, {stored:?} is stored");
        }
    }
}
