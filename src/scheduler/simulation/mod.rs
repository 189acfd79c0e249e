//! Whole lives of the scheduler, each driven by a seed alone: the same core and the real store under a fake
//! clock, with fake workers, clients and a user, and with faults of every kind. Whatever happens, the
//! invariants hold, nothing acknowledged is lost, every sweep comes to an end, and one that is decided by
//! number ends with the table that it has without any fault.
//!
//! `SWEEPD_SEEDS=5000 cargo test --lib simulation` lives longer; `SWEEPD_FIRST_SEED` says where to begin.

mod daemon;
mod essence;
mod faults;
mod history;
mod invariants;
mod ledger;
mod sweeps;
mod table;
mod user;
mod wire;
mod workers;
mod world;

use super::{replay, too_large};
use crate::domain::decisions::{StoredDecisions, StoredEvent};
use crate::domain::sweep::Order;
use crate::domain::{EventKind, Params, Reason, Sweep, SweepId, Terms};
use crate::scheduler::{Refusal, Reply};
use faults::{Dice, Faults};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use user::User;
use wire::{Answer, Call};
use workers::Worker;
use world::{STORY, World};

/// Seeds that found a defect: a stale value of a trial that was tried again, a trial handed back at the end of
/// its leg, a checkpoint ahead of its steps, a sweep removed twice. Changes to the simulation change its lives;
/// then seeds are to be found anew, by undoing the corrections.
const KEPT: [u64; 4] = [14, 31, 44, 445];

/// Lives of a usual test run.
const SEEDS: u64 = 200;
/// Steps with faults, before all is calm and everything must end.
const TROUBLED_STEPS: usize = 400;

/// What happened in lives.
#[derive(Default)]
struct Tally {
    /// Sweeps that were compared with their calm selves.
    compared: AtomicU64,
    /// Those of them that have several objectives.
    several: AtomicU64,
    /// Those of them with folds.
    folded: AtomicU64,
    /// Trials that were given up after some of their folds, because a fold failed and because they were worse.
    given_up: [AtomicU64; 2],
    /// Trials that got the result of another.
    copied: AtomicU64,
    /// Trials before which some draws were refused for lack of memory, and sweeps with some that were compared.
    spared: AtomicU64,
    limited: AtomicU64,
    /// Sweeps that ended because nothing that was left would have fitted, and those that show what they do not try.
    nothing_fits: AtomicU64,
    shown: AtomicU64,
    /// Sweeps that went on by other terms once they were over, and were compared with their calm selves.
    edited: AtomicU64,
    /// Those of them with folds.
    edited_folds: AtomicU64,
    /// How often other terms were given in the midst of all.
    edits: AtomicU64,
    /// Trials that went on from another's checkpoint, and sweeps with some that were compared.
    heirs: AtomicU64,
    bred: AtomicU64,
    /// Trials that a worker took beside another.
    joined: AtomicU64,
    /// What stoppers said of running trials, by its kind.
    judged: Mutex<BTreeMap<&'static str, u64>>,
}

/// One life.
async fn live(seed: u64, tally: &Tally) {
    let mut dice = Dice::new(seed, "life");
    let faults = Faults::draw(&mut dice);
    let mut plan: Vec<_> =
        (0..dice.between(1, 3)).map(|n| sweeps::random_sweep(&mut dice, &format!("s{n}"))).collect();
    // Those that found a defect stay what they were.
    if !KEPT.contains(&seed) {
        plan.iter_mut().for_each(sweeps::vary);
    }
    let mut workers: Vec<Worker> = Vec::new();
    for index in 0..dice.between(1, 4) as usize {
        workers.push(Worker::random(&mut dice, index, false));
    }
    for index in 0..dice.between(1, 2) as usize {
        workers.push(Worker::random(&mut dice, index, true));
    }
    if !KEPT.contains(&seed) {
        let hands: Vec<Worker> = workers.iter().filter_map(Worker::second_hand).collect();
        workers.extend(hands);
    }
    let mut user = User::new(plan);
    user.edits = !KEPT.contains(&seed);
    let mut world = World::new(seed, faults.clone(), user, workers).await;
    for _ in 0..TROUBLED_STEPS {
        world.step().await;
    }
    world.finish().await;
    let joined = world.workers.iter().map(|worker| worker.joined).sum();
    tally.joined.fetch_add(joined, Ordering::Relaxed);
    let compared = look_at_all(&mut world, tally, &BTreeMap::new()).await;
    if !world.user.edits {
        return;
    }
    // Some that are over go on by other terms: from which leg on is the same then, whatever happened before.
    let mut edited = BTreeMap::new();
    for (sweep, spec) in compared {
        let terms = sweeps::random_terms(&mut Dice::new(seed, "other terms"), &spec);
        if terms == spec.terms() {
            continue;
        }
        match world.ask(Call::Edit(sweep, Box::new(terms.clone()))).await {
            Answer::Reply(Reply::Done) => drop(edited.insert(sweep, (spec, terms))),
            Answer::Refused(Refusal::TooFewTrials { .. } | Refusal::WrongState(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    if edited.is_empty() {
        return;
    }
    world.faults = Faults { user: 0.0, ..faults };
    for _ in 0..TROUBLED_STEPS / 2 {
        world.step().await;
    }
    world.finish().await;
    look_at_all(&mut world, tally, &edited).await;
}

/// What must be true of every sweep that is over; those of them whose table is that of a calm run. `edited` ones began
/// as what stands there, and then went on by other terms; where there are any, the others have been looked at.
async fn look_at_all(
    world: &mut World,
    tally: &Tally,
    edited: &BTreeMap<SweepId, (Sweep, Terms)>,
) -> Vec<(SweepId, Sweep)> {
    let mut compared = Vec::new();
    for sweep in world.daemon.reader.sweeps(None).await.unwrap() {
        let edit = edited.get(&sweep.sweep);
        if !edited.is_empty() && edit.is_none() {
            continue;
        }
        let stored = world.daemon.reader.stored_decisions(sweep.sweep).await.unwrap().unwrap();
        if let Err(difference) = replay(&stored) {
            panic!("replay of sweep {}: {difference}\n{:?}", sweep.sweep, sweep.spec.search);
        }
        let evidence = world.daemon.reader.memory_evidence(sweep.sweep).await.unwrap();
        let shown =
            evidence.and_then(|(configurations, legs)| too_large(&stored.spec, &configurations, &legs));
        let configurations: Vec<Params> = stored.trials.iter().map(|trial| trial.params.clone()).collect();
        assert_eq!(shown, too_large(&stored.spec, &configurations, &stored.legs), "what people are shown");
        tally.shown.fetch_add(u64::from(shown.is_some()), Ordering::Relaxed);
        if edit.is_none() {
            count(tally, &stored);
        }
        let spec = edit.map_or(sweep.spec, |(spec, _)| spec.clone());
        if spec.search.order != Order::Number
            || world.user.touched.contains(&sweep.sweep)
            || table::has_bad_luck(&mut world.checker.db, sweep.sweep).await
        {
            continue;
        }
        let terms = edit.map(|(_, terms)| terms);
        let (table, calm) =
            (table::of(&mut world.checker.db, sweep.sweep).await, table::calm(&spec, terms).await);
        assert!(
            table == calm,
            "{:?} {terms:?} without faults\n{calm:#?}\nwith faults\n{table:#?}",
            spec.search
        );
        let several = u64::from(spec.objective.count() > 1);
        let folded = u64::from(spec.objective.folds.is_some());
        let limited = u64::from(stored.trials.iter().any(|trial| is_spared(&trial.suggested)));
        let bred = u64::from(stored.trials.iter().any(|trial| trial.suggested.descent().is_some()));
        if edit.is_some() {
            tally.edited.fetch_add(1, Ordering::Relaxed);
            tally.edited_folds.fetch_add(folded, Ordering::Relaxed);
        } else {
            tally.compared.fetch_add(1, Ordering::Relaxed);
            tally.folded.fetch_add(folded, Ordering::Relaxed);
            tally.several.fetch_add(several, Ordering::Relaxed);
            tally.limited.fetch_add(limited, Ordering::Relaxed);
            tally.bred.fetch_add(bred, Ordering::Relaxed);
        }
        compared.push((sweep.sweep, spec));
    }
    compared
}

/// Whether draws were refused before it that would not have fitted into memory.
fn is_spared(suggested: &Reason) -> bool {
    let Reason::Suggested { refusal: Some(why), .. } = suggested else { return false };
    why.contains("ran out of memory")
}

/// Counts what happened in a sweep.
fn count(tally: &Tally, stored: &StoredDecisions) {
    let copies = stored.legs.iter().filter(|leg| leg.is_copy()).count();
    tally.copied.fetch_add(copies as u64, Ordering::Relaxed);
    let spared = stored.trials.iter().filter(|trial| is_spared(&trial.suggested)).count();
    tally.spared.fetch_add(spared as u64, Ordering::Relaxed);
    let nothing_fits = |event: &&StoredEvent| matches!(event.reason, Some(Reason::NothingFits { .. }));
    tally.nothing_fits.fetch_add(stored.events.iter().filter(nothing_fits).count() as u64, Ordering::Relaxed);
    let heirs = stored.trials.iter().filter(|trial| trial.suggested.descent().is_some()).count();
    tally.heirs.fetch_add(heirs as u64, Ordering::Relaxed);
    tally.edits.fetch_add(stored.terms.len() as u64, Ordering::Relaxed);
    for event in stored.events.iter().filter(|event| event.kind == EventKind::FoldsGivenUp) {
        let hopeless = matches!(event.reason, Some(Reason::Outraced { .. }));
        tally.given_up[usize::from(hopeless)].fetch_add(1, Ordering::Relaxed);
    }
    let passed_or_stopping =
        |kind: EventKind| matches!(kind, EventKind::TrialPassed | EventKind::TrialStopping);
    for event in stored.events.iter().filter(|event| passed_or_stopping(event.kind)) {
        let reason = event.reason.as_ref().filter(|reason| reason.is_judgement());
        if let Some(reason) = reason {
            *tally.judged.lock().unwrap().entry(reason.word()).or_default() += 1;
        }
    }
}

/// One life, whose failure names its seed and how it came to be.
fn live_or_tell(seed: u64, tally: &Tally) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    catch_unwind(AssertUnwindSafe(|| runtime.block_on(live(seed, tally)))).unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().cloned();
        let why =
            why.or_else(|| panic.downcast_ref::<&str>().map(|why| (*why).to_owned())).unwrap_or_default();
        let story = STORY.with_borrow(|story| story.iter().cloned().collect::<Vec<_>>().join("\n"));
        panic!("seed {seed}: {why}\nthe last steps:\n{story}\nseed {seed}: {why}")
    })
}

#[allow(clippy::disallowed_methods, reason = "a test is told by its environment how long to live")]
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn whatever_happens_the_invariants_hold_and_every_sweep_ends() {
    let first = number("SWEEPD_FIRST_SEED", 0);
    let seeds: Vec<u64> = KEPT.into_iter().chain(first..first + number("SWEEPD_SEEDS", SEEDS)).collect();
    let (next, tally) = (AtomicU64::new(0), Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    live_or_tell(*seed, &tally);
                }
            });
        }
    });
    let (several, copied) = (tally.several.into_inner(), tally.copied.into_inner());
    let (edited, edits) = (tally.edited.into_inner(), tally.edits.into_inner());
    let (heirs, bred) = (tally.heirs.into_inner(), tally.bred.into_inner());
    let (compared, judged) = (tally.compared.into_inner(), tally.judged.into_inner().unwrap());
    let (folded, given_up) = (tally.folded.into_inner(), tally.given_up.map(AtomicU64::into_inner));
    let edited_folds = tally.edited_folds.into_inner();
    let (spared, limited) = (tally.spared.into_inner(), tally.limited.into_inner());
    let (nothing_fits, shown) = (tally.nothing_fits.into_inner(), tally.shown.into_inner());
    println!(
        "{spared} trials spared by what is known of memory, and {limited} comparisons with some; of {nothing_fits} sweeps \
         nothing fitted, and {shown} have a limit"
    );
    println!(
        "{folded} comparisons with folds, and {edited_folds} after other terms; given up after a failed fold, and as hopeless: {given_up:?}"
    );
    println!(
        "{} lives, {compared} sweeps compared with their calm selves, {several} of them with several objectives; {copied} results copied; {edits} edits, and {edited} compared after one; {heirs} heirs, and {bred} populations compared; stoppers said {judged:?}",
        seeds.len()
    );
    let joined = tally.joined.into_inner();
    println!("{joined} trials were taken beside another");
    assert!(seeds.len() < 100 || joined > 50, "{joined} beside others are too few");
    assert!(
        seeds.len() < 100 || compared * 10 >= seeds.len() as u64,
        "{compared} comparisons are too few to mean anything"
    );
    assert!(seeds.len() < 100 || several > 5, "{several} comparisons with several objectives are too few");
    assert!(seeds.len() < 100 || edited_folds > 2, "{edited_folds} edits with folds are too few");
    assert!(seeds.len() < 100 || folded > 5, "{folded} comparisons with folds are too few");
    assert!(seeds.len() < 100 || given_up.iter().all(|trials| *trials > 5), "{given_up:?} are too few");
    assert!(seeds.len() < 100 || edits > 20 && edited > 20, "{edits} edits, {edited} compared, are too few");
    assert!(
        seeds.len() < 100 || spared > 50 && limited > 2,
        "{spared} spared, {limited} compared, are too few"
    );
    assert!(seeds.len() < 100 || nothing_fits > 0 && shown > 5, "{nothing_fits} and {shown} are too few");
    assert!(seeds.len() < 100 || copied > 20, "{copied} copied results are too few");
    assert!(seeds.len() < 100 || heirs > 60 && bred > 8, "{heirs} heirs and {bred} populations are too few");
    assert!(seeds.len() < 100 || judged.len() == 6, "what stoppers can say was not all said: {judged:?}");
}
