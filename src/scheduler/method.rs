//! A sweep's sampler and stopper, and what of the past they may see.
//!
//! With `order = "arrival"` that is everything, at once. With `order = "number"` the decision about leg k sees
//! the ends of legs 0 to k - parallel and no other, however long the others have been known: news of an end
//! waits here until a decision may see it.

use super::explore::Explorer;
use super::feasible::Feasible;
use super::folds::{Doom, FoldEnd, Folds, Place, failed};
use super::memory::Memory;
use super::population::Heir;
use super::reuse::{Known, Results};
use crate::domain::recovery::Past;
use crate::domain::sweep::{Duplicates, Order, StopperSpec};
use crate::domain::{Direction, LegOutcome, LegRecord, Params, Reason, Sweep};
use crate::sampler::{self, History, Level, News, Prior, Sampler, Suggestion};
use crate::space::{self, Space};
use crate::stopper::{self, Ended, Judged, Promotion, Stopper, Verdict};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What the next leg is.
#[derive(Debug)]
pub(super) enum Next<T> {
    /// A fold of a trial (or all of it) that waits without a leg: the trial was asked for by the user, or is tried
    /// again, or other folds of it have their legs.
    Waiting(T),
    /// A paused trial goes on.
    Promotion(Promotion),
    /// A new trial.
    New(Params, Reason),
    /// A new trial that takes the place of another, in a population.
    Heir(Box<Heir>),
    /// A new trial that gets a known result.
    Copy(Params, Reason, Known),
    /// There is nothing to do.
    Nothing,
}

/// A sweep's sampler and stopper.
pub(super) struct Method {
    pub space: Space,
    pub stopper: Option<Box<dyn Stopper>>,
    pub feasible: Feasible,
    pub(super) sampler: Box<dyn Sampler>,
    /// What the sampler may see; nothing where nothing is needed.
    pub(super) history: History,
    pub(super) needs_points: bool,
    /// What is known of how much fits into memory, where that can be known.
    pub(super) memory: Option<Memory>,
    /// Once the space was changed: the parameters that never varied, and may have come and gone.
    constant: Option<BTreeSet<String>>,
    learns: bool,
    seed: u64,
    trials: Option<u64>,
    pub(super) duplicates: Duplicates,
    /// What may stand in for new trials, where the sweep wants that.
    pub(super) results: Option<Results>,
    /// What is known of trials' folds, where there are any.
    folds: Option<Folds>,
    /// Where a population is trained: what its heirs may have otherwise than their parents.
    pub explorer: Option<Explorer>,
    /// There too: every trial's configuration, by number.
    pub configurations: Vec<Params>,
    /// And how many of them are heirs.
    pub heirs: u64,
    /// One per objective, the primary one first.
    directions: Vec<Direction>,
    order: Order,
    parallel: u64,
    /// The stopper judges running trials; it must know what completed ones reported.
    judges: bool,
    needs_curves: bool,
    /// Trials that a stopper has once told to end. The user had those tried again that still run.
    overruled: BTreeSet<u64>,
    /// Ends that no decision has been allowed to see, by leg number.
    unseen: BTreeMap<u64, FoldEnd>,
    /// The last suggestion and the trial it is for: asked for again before anything changed, it is the same.
    pub(super) last: Option<(u64, Suggestion)>,
}

impl Method {
    /// The methods that a sweep names, knowing nothing yet but earlier sweeps and terms; the rest of the past is for
    /// [`Method::learn`].
    ///
    /// # Errors
    /// What of the sweep's space or constraints makes no sense, as a sentence.
    pub fn new(spec: &Sweep, past: &Past) -> Result<Self, String> {
        let space = Space::new(&spec.space)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let constant = (!past.terms.is_empty())
            .then(|| space::constants(past.terms.iter().map(|past| &past.terms.space)));
        let prior = Prior::new(&space, &past.sources, |params| {
            fitted(&space, constant.as_ref(), params).map(Cow::into_owned)
        });
        let directions: Vec<Direction> = spec.objective.targets().map(|(_, direction)| direction).collect();
        let population = spec.population();
        let explorer = population.map(|population| Explorer::of(spec, population, &space)).transpose()?;
        Ok(Self {
            history: History::new(&space, directions.len()),
            space,
            stopper: spec.search.stopper.as_ref().map(|stopper| stopper::build(stopper, &directions)),
            feasible: Feasible::of(spec)?,
            sampler: sampler::build(&spec.search.sampler, prior),
            needs_points: spec.needs_points(),
            memory: Memory::of(spec),
            constant,
            learns: spec.search.sampler.learns(),
            seed: spec.seed,
            // Of a population the sampler suggests those alone that begin anew.
            trials: population.map_or(spec.search.trials, |population| Some(population.members)),
            explorer,
            configurations: Vec::new(),
            heirs: 0,
            duplicates: spec.search.duplicates,
            results: spec.reuses().then(Results::default),
            folds: Folds::of(spec),
            directions,
            judges: spec.search.stopper.as_ref().is_some_and(StopperSpec::judges),
            needs_curves: spec.search.stopper.as_ref().is_some_and(StopperSpec::needs_curves),
            overruled: BTreeSet::new(),
            order: spec.search.order,
            parallel: u64::from(spec.search.parallel.unwrap_or(1)),
            unseen: BTreeMap::new(),
            last: None,
        })
    }

    /// Learns what stored trials and legs say.
    pub fn learn(&mut self, stored: &Past) {
        for params in &stored.points {
            self.suggested(params);
        }
        for (trial, descent) in &stored.descents {
            self.inherited(*trial, *descent);
        }
        for record in &stored.records {
            let Some(trial) = record.trial else { continue };
            self.decided(trial, record.until_step, record.is_copy());
            if record.is_given_up() {
                self.gave_up(trial);
            }
        }
        self.learn_judgements(stored);
        let mut ends: Vec<(i64, u64, FoldEnd)> = stored.records.iter().filter_map(end_of).collect();
        match self.order {
            Order::Arrival => {
                ends.sort_by_key(|(seq, leg, _)| (*seq, *leg));
                self.show(ends.into_iter().map(|(_, _, end)| end).collect());
            }
            Order::Number => {
                self.unseen.extend(ends.into_iter().map(|(_, leg, end)| (leg, end)));
                if let Some(last) = stored.legs.checked_sub(1) {
                    self.show_for(last);
                }
            }
        }
    }

    fn learn_judgements(&mut self, stored: &Past) {
        if !self.judges {
            return;
        }
        let mut legs: BTreeMap<u64, Vec<(i64, u64)>> = BTreeMap::new();
        for record in &stored.records {
            let Some(trial) = record.trial else { continue };
            legs.entry(trial).or_default().push((record.decided_seq, record.number));
            if let (Some(LegOutcome::Completed), Some(curve)) =
                (record.end.as_ref().map(|end| end.outcome), stored.curves.get(&trial))
            {
                self.completed(record.number, curve);
            }
        }
        for judgement in &stored.judgements {
            let legs = legs.get(&judgement.trial).map_or(&[][..], Vec::as_slice);
            let leg = legs.iter().rfind(|(decided, _)| *decided <= judgement.seq);
            if let Some((_, leg)) = leg {
                self.remember(judgement.trial, *leg, &judgement.reason);
            }
        }
    }

    /// The next trial, by number, has this configuration.
    pub fn suggested(&mut self, params: &Params) {
        self.last = None;
        if let Some(memory) = &mut self.memory {
            memory.suggested(params);
        }
        if !self.needs_points {
            return;
        }
        match fitted(&self.space, self.constant.as_ref(), params) {
            Some(fitted) => self.history.suggested(&self.space, &fitted),
            None => self.history.hidden(),
        }
        if self.explorer.is_some() {
            self.configurations.push(params.clone());
        }
    }

    /// A leg was decided; `copied` where its trial gets a known result.
    pub fn decided(&mut self, trial: u64, until_step: Option<u64>, copied: bool) {
        self.last = None;
        if let Some(results) = &mut self.results {
            results.decided(copied);
        }
        if self.learns {
            self.history.began(trial);
        }
        if let Some(stopper) = &mut self.stopper {
            stopper.decided(trial, until_step);
        }
    }

    /// A leg ended.
    pub fn ended(&mut self, leg: u64, end: FoldEnd) {
        let nobody = self.stopper.is_none() && self.results.is_none() && self.folds.is_none();
        match self.order {
            _ if nobody && !self.learns && self.memory.is_none() => {}
            Order::Arrival => self.show(vec![end]),
            Order::Number => {
                self.unseen.insert(leg, end);
            }
        }
    }

    /// Whether running trials are judged at their reports.
    pub fn judges(&self) -> bool {
        self.judges
    }

    /// Whether [`Method::completed`] is to be called.
    pub fn needs_curves(&self) -> bool {
        self.needs_curves
    }

    /// What the stopper says of trial `trial`, which works on leg `leg` and has reported this: its curve, and what
    /// its best step is worth by the further objectives. Ordered by number the stopper sees what the decision about
    /// that leg saw, and no more.
    pub fn judge(
        &mut self,
        trial: u64,
        leg: u64,
        at_its_end: bool,
        (curve, further): (&[(u64, f64)], &[Option<f64>]),
    ) -> Verdict {
        let sees_below = match self.order {
            Order::Arrival => u64::MAX,
            Order::Number => (leg + 1).saturating_sub(self.parallel),
        };
        match &mut self.stopper {
            Some(stopper) if !self.overruled.contains(&trial) => {
                stopper.judge(&Judged { trial, leg, sees_below, at_its_end, further, curve })
            }
            _ => Verdict::Nothing,
        }
    }

    /// What was said of a trial in some leg is decided.
    pub fn remember(&mut self, trial: u64, leg: u64, reason: &Reason) {
        if !matches!(reason, Reason::PassedRung { .. }) {
            self.overruled.insert(trial);
        }
        if let Some(stopper) = &mut self.stopper {
            stopper.remember(trial, leg, reason);
        }
    }

    /// A trial completed in some leg, with these values behind it.
    pub fn completed(&mut self, leg: u64, curve: &[(u64, f64)]) {
        if let Some(stopper) = &mut self.stopper {
            stopper.completed(leg, curve);
        }
    }

    /// Whether the decision about leg `number` may be made while `first_open` is the first leg that has not
    /// ended.
    pub fn may_decide(&self, number: u64, first_open: Option<u64>) -> bool {
        match self.order {
            Order::Arrival => true,
            Order::Number => first_open.is_none_or(|open| number < open.saturating_add(self.parallel)),
        }
    }

    /// Shows sampler and stopper every end that the decision about leg `number` may see.
    pub fn show_for(&mut self, number: u64) {
        let Some(last) = number.checked_sub(self.parallel) else { return };
        let hidden = self.unseen.split_off(&(last + 1));
        let seen = std::mem::replace(&mut self.unseen, hidden);
        self.show(seen.into_values().collect());
    }

    fn show(&mut self, ends: Vec<FoldEnd>) {
        if ends.is_empty() {
            return;
        }
        self.last = None;
        let mut of_trials = Vec::new();
        for end in ends {
            let trial = end.end.trial;
            if let Some(memory) = &mut self.memory {
                memory.ended(&end);
            }
            let of_trial = match &mut self.folds {
                Some(folds) => folds.ended(&end),
                None => Some(end.end),
            };
            if self.learns {
                match of_trial.as_ref().and_then(|end| news(&self.directions, end)) {
                    Some(news) => self.history.ended(&news),
                    None => self.history.gone(trial),
                }
            }
            of_trials.extend(of_trial);
        }
        let ends = of_trials;
        if let Some(results) = &mut self.results {
            ends.iter().for_each(|end| results.ended(&self.history, end));
        }
        let Some(stopper) = &mut self.stopper else { return };
        for end in ends {
            stopper.ended(end);
        }
    }

    /// It was decided that a trial is given up.
    pub fn gave_up(&mut self, trial: u64) {
        if let Some(folds) = &mut self.folds {
            folds.gave_up(trial);
        }
    }

    /// What a trial's folds are worth so far, as far as decisions may know: a value, and those of further objectives.
    pub fn mean_of(&self, trial: u64) -> (Option<f64>, Vec<Option<f64>>) {
        self.folds.as_ref().map_or((None, Vec::new()), |folds| folds.mean_of(trial))
    }

    /// Why what is left of a trial is not to be tried, as far as the decision about leg `number` may know; its folds
    /// stand at `places`. Where legs are ordered by number, what is being worked on is let be: only legs that are
    /// still to be decided can be saved.
    pub fn doom(&self, trial: u64, number: u64, places: &[Place]) -> Option<Doom> {
        let is_left = |place: &Place| match place {
            Place::Undecided => true,
            Place::Open => self.order == Order::Arrival,
            Place::Ended { .. } => false,
        };
        if !places.iter().any(is_left) {
            return None;
        }
        let sees = |leg: u64| match self.order {
            Order::Arrival => true,
            Order::Number => leg.saturating_add(self.parallel) <= number,
        };
        match failed(places, sees) {
            Some(fold) => Some(Doom::Fold(fold)),
            None => self.folds.as_ref()?.hopeless(trial).map(Doom::Hopeless),
        }
    }

    /// What the next leg is, given what has been shown. `waiting` is the first trial that waits without a leg,
    /// `new` the number of the next new trial, `None` where there will be none; its configuration is asked for
    /// only where it matters. `may_go_on` says of a trial's number whether the trial is still there to go on.
    ///
    /// Nothing else counts: what has been known to an earlier process must not.
    pub fn next<T>(
        &mut self,
        waiting: Option<T>,
        may_go_on: &dyn Fn(u64) -> bool,
        new: Option<u64>,
    ) -> Next<T> {
        if let Some(waiting) = waiting {
            return Next::Waiting(waiting);
        }
        if self.explorer.is_some() {
            return self.next_of_population(may_go_on, new);
        }
        let promote = |last| self.stopper.as_ref().and_then(|stopper| stopper.promote(last, may_go_on));
        let (promotion, at_last) = (promote(false), promote(true));
        match promotion {
            Some(promotion) if at_last.as_ref() == Some(&promotion) => Next::Promotion(promotion),
            promotion => match (promotion, new.and_then(|number| self.suggest(number))) {
                (Some(promotion), Some(_)) => Next::Promotion(promotion),
                (None, Some((params, reason))) => {
                    match self.results.as_ref().and_then(|results| results.of(&self.space, &params)) {
                        Some(known) => Next::Copy(params, reason, known.clone()),
                        None => Next::New(params, reason),
                    }
                }
                (_, None) => at_last.map_or(Next::Nothing, Next::Promotion),
            },
        }
    }

    /// The step at which the first leg of trial number `trial` ends; `None` for its own budget.
    pub fn first_rung(&self, trial: u64) -> Option<u64> {
        self.stopper.as_ref().and_then(|stopper| stopper.first_rung(trial))
    }

    /// The step at which an heir's first leg ends that begins after `step`.
    pub fn leg_after(&self, step: u64) -> Option<u64> {
        self.stopper.as_ref().and_then(|stopper| stopper.leg_after(step))
    }

    /// The sweep's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many trials the sampler is to suggest, where that is limited.
    pub fn trials(&self) -> Option<u64> {
        self.trials
    }

    /// Whether no decision has been allowed to see that trial `trial` came to the end of a leg at `step`.
    pub fn is_unseen(&self, trial: u64, step: u64) -> bool {
        self.unseen.values().any(|end| end.end.trial == trial && end.end.until_step == Some(step))
    }

    /// Whether so many legs in a row that came to nothing end the sweep, given whether any leg is open.
    pub fn is_over(&self, idle_legs: u64, has_open_legs: bool) -> bool {
        match self.order {
            Order::Arrival => !has_open_legs,
            Order::Number => idle_legs >= self.parallel,
        }
    }

    /// Forgets what it only remembers to save time.
    #[cfg(test)]
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// What of it decides the future, as text.
    #[cfg(test)]
    pub fn essence(&self) -> String {
        let stopper = self.stopper.as_ref();
        let promote = |last| stopper.map(|stopper| stopper.promote(last, &|_| true));
        let known: Vec<_> = (0..self.history.ends().len()).map(|end| self.history.losses(end)).collect();
        let running: Vec<_> = self.history.running().collect();
        format!(
            "memory {:?} heirs {} of {} folds {:?} results {:?} unseen {:?} overruled {:?} judged {:?} known {:?} {known:?} running {running:?} next {:?} last {:?}",
            self.memory,
            self.heirs,
            self.configurations.len(),
            self.folds.as_ref().map(Folds::essence),
            self.results.as_ref().map(Results::essence),
            self.unseen,
            self.overruled,
            stopper.map(|stopper| stopper.essence()),
            self.history.ends(),
            promote(false),
            promote(true)
        )
    }

    /// Whether a decision that comes to nothing takes a leg number.
    pub fn counts_idle_legs(&self) -> bool {
        self.order == Order::Number
    }
}

/// What a configuration is in the space; where that was never changed, it is of it.
fn fitted<'a>(
    space: &Space,
    constant: Option<&BTreeSet<String>>,
    params: &'a Params,
) -> Option<Cow<'a, Params>> {
    match constant {
        None => Some(Cow::Borrowed(params)),
        Some(constant) => space.fit(params, constant).ok().map(Cow::Owned),
    }
}

/// The end of a leg that has a trial, with the input that led to it.
pub(super) fn end_of(record: &LegRecord) -> Option<(i64, u64, FoldEnd)> {
    let (trial, end) = (record.trial?, record.end.as_ref()?);
    let (until_step, outcome, value) = (record.until_step, end.outcome, end.value);
    let ended = Ended { trial, until_step, outcome, value, further: end.further.clone() };
    let (whole, out_of_memory) = (record.is_copy() || record.is_given_up(), end.out_of_memory);
    Some((end.seq, record.number, FoldEnd { fold: record.fold, whole, out_of_memory, end: ended }))
}

/// What an end says to the sampler; `None` where it says nothing.
fn news(directions: &[Direction], end: &Ended) -> Option<News> {
    let rung = end.until_step.map_or(Level::Full, Level::Rung);
    let failed = end.outcome == LegOutcome::Failed || end.value.is_none();
    let losses = if failed { vec![f64::INFINITY; directions.len()] } else { end.losses(directions) };
    let level = match end.outcome {
        LegOutcome::Cancelled => return None,
        LegOutcome::Failed | LegOutcome::Paused => rung,
        LegOutcome::Completed | LegOutcome::Stopped => Level::Full,
    };
    Some(News { trial: end.trial, level, losses })
}
