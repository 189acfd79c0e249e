//! The user: submits sweeps and gives commands at any time.

use super::faults::Dice;
use super::invariants::View;
use super::sweeps::{random_terms, random_wish, sources};
use super::wire::Call;
use crate::domain::{Origin, Sweep, SweepId};
use crate::scheduler::{Command, Input};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct User {
    /// Sweeps to be submitted, until they are known to be there.
    pub plan: Vec<Sweep>,
    /// Sweeps whose course the user may have changed.
    pub touched: BTreeSet<SweepId>,
    /// Whether it changes what sweeps search.
    pub edits: bool,
}

/// The call that submits a sweep.
pub fn submission(spec: Sweep) -> Call {
    static UIDS: AtomicU64 = AtomicU64::new(0);
    let uid = format!("{}-{}", spec.name, UIDS.fetch_add(1, Ordering::Relaxed));
    let sources = sources(&spec);
    Call::Input(Input::Submit { uid, spec: Box::new(spec), origin: Box::new(Origin::default()), sources })
}

impl User {
    pub fn new(plan: Vec<Sweep>) -> Self {
        Self { plan, touched: BTreeSet::new(), edits: true }
    }

    /// How likely it is that the user does something now.
    pub fn haste(&self, usual: f64) -> f64 {
        if self.plan.is_empty() { usual } else { 0.4 }
    }

    pub fn act(&mut self, dice: &mut Dice, view: &View) -> Option<Call> {
        self.plan.retain(|spec| !view.sweeps.iter().any(|sweep| sweep.name == spec.name));
        if let Some(spec) = self.plan.first() {
            return Some(submission(spec.clone()));
        }
        if view.sweeps.is_empty() {
            return None;
        }
        let sweep = view.sweeps[dice.below(view.sweeps.len())].id;
        if self.edits && dice.chance(0.2) {
            let seen = &view.sweeps[dice.below(view.sweeps.len())];
            self.touched.insert(seen.id);
            let spec: Sweep = serde_json::from_str(&seen.spec).unwrap();
            return Some(Call::Edit(seen.id, Box::new(random_terms(dice, &spec))));
        }
        let command = match dice.below(12) {
            0..=1 => Command::Pause,
            2..=4 => Command::Resume,
            5 => Command::Cancel,
            6 => Command::Remove,
            7..=8 => Command::Enqueue(random_wish(dice)),
            _ => {
                // Mostly one that can be retried.
                let ended = |state: &str| matches!(state, "failed" | "stopped" | "cancelled");
                let any = dice.chance(0.1);
                let trials: Vec<_> = view.trials.iter().filter(|t| any || ended(&t.state)).collect();
                let trial = trials.get(dice.below(trials.len().max(1)))?;
                self.touched.insert(trial.sweep);
                return Some(Call::Retry(trial.id));
            }
        };
        if !matches!(command, Command::Pause | Command::Resume) {
            self.touched.insert(sweep);
        }
        Some(Call::Input(Input::Command { sweep, command }))
    }
}
