//! Deriving again what followed from other terms: sampler and stopper begin anew with what was known then, by the same
//! way as in the daemon.

use super::method::Method;
use super::replay::{Difference, Replay, difference};
use crate::domain::EventKind;
use crate::domain::recovery::{Judgement, Past};

impl Replay<'_> {
    /// With input `seq` other terms took the place of those so far.
    pub(super) fn edit(&mut self, seq: i64) -> Result<(), Box<Difference>> {
        let until_leg = self.stored.terms[self.edits].until_leg;
        if until_leg != self.legs {
            let stored = format!("other terms from leg {until_leg} on");
            return Err(difference(Some(self.legs), stored, "they were given before this leg".into()));
        }
        self.edits += 1;
        let terms = match self.stored.terms.get(self.edits) {
            Some(next) => next.terms.clone(),
            None => self.stored.spec.terms(),
        };
        self.spec = self.spec.with_terms(terms);
        let past = self.past(seq);
        self.method = Method::new(&self.spec, &past)
            .map_err(|why| difference(Some(self.legs), "other terms".into(), why))?;
        self.method.learn(&past);
        Ok(())
    }

    /// What was known before an input.
    fn past(&self, seq: i64) -> Past {
        let created = usize::try_from(self.created).unwrap_or(usize::MAX);
        let legs = self.stored.legs.iter().filter(|leg| leg.number < self.legs).cloned();
        let records = legs.map(|mut leg| {
            leg.end = leg.end.filter(|end| end.seq < seq);
            leg
        });
        let said = self.stored.events.iter().filter(|event| {
            event.seq < seq && matches!(event.kind, EventKind::TrialPassed | EventKind::TrialStopping)
        });
        let judgement = |event: &crate::domain::decisions::StoredEvent| {
            let reason = event.reason.clone().filter(crate::domain::Reason::is_judgement)?;
            Some(Judgement { seq: event.seq, trial: event.trial?, reason })
        };
        Past {
            terms: self.stored.terms[..self.edits].to_vec(),
            sources: self.stored.sources.clone(),
            legs: self.legs,
            records: records.collect(),
            points: self.stored.trials.iter().take(created).map(|trial| trial.params.clone()).collect(),
            judgements: said.filter_map(judgement).collect(),
            curves: self.curves.clone(),
            // The terms of a population do not change.
            ..Past::default()
        }
    }
}
