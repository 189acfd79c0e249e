//! Sweeps: the list, and one with its settings.

use super::{TextTable, age, duration_ms, front_line, heading, moment, value};
use crate::domain::{Direction, Millis, Sweep, SweepState, TooLarge};
use crate::store::query::{FrontShape, SweepSummary};

/// All sweeps as a table, at the time `now`.
#[must_use]
pub fn sweep_list(sweeps: &[SweepSummary], now: Millis) -> String {
    let mut table = TextTable::new()
        .words("ID")
        .words("NAME")
        .words("STATE")
        .numbers("DONE")
        .numbers("RUNNING")
        .numbers("FAILED")
        .numbers("BEST")
        .numbers("MEAN FACE")
        .numbers("PRIORITY")
        .words("SUBMITTED");
    for sweep in sweeps {
        let counts = &sweep.trials;
        table.row([
            sweep.id.clone(),
            sweep.name.clone(),
            sweep.state.as_str().to_owned(),
            done(sweep),
            (counts.running + counts.stopping).to_string(),
            counts.failed.to_string(),
            value(sweep.best),
            value(sweep.baseline),
            sweep.priority.to_string(),
            age(now, sweep.created_ms),
        ]);
    }
    table.render(None).0
}

/// `12/200`, or `12` where nobody knows how many there will be.
pub(super) fn done(sweep: &SweepSummary) -> String {
    match sweep.planned {
        Some(planned) => format!("{}/{planned}", sweep.trials.ended()),
        None => sweep.trials.ended().to_string(),
    }
}

/// All that is known of a sweep but its trials; with several objectives also its front, and what it does not try for
/// lack of memory.
#[must_use]
pub fn sweep_detail(
    sweep: &SweepSummary,
    front: Option<&FrontShape>,
    too_large: Option<&TooLarge>,
    now: Millis,
) -> String {
    let counts = &sweep.trials;
    let objective = &sweep.spec.objective;
    let mut lines = vec![
        ("name", sweep.name.clone()),
        ("id", sweep.id.clone()),
        ("state", sweep.state.as_str().to_owned()),
        ("submitted", format!("{} ({})", moment(sweep.created_ms), age(now, sweep.created_ms))),
    ];
    if let Some(finished) = sweep.finished_ms {
        let took = duration_ms(finished.since_ms(sweep.created_ms));
        lines.push(("ended", format!("{} (after {took})", moment(finished))));
    }
    let mut of = vec![format!("{} ended", done(sweep))];
    for (n, word) in [
        (counts.running, "running"),
        (counts.queued, "waiting"),
        (counts.paused, "paused"),
        (counts.stopping, "stopping"),
        (counts.completed, "completed"),
        (counts.stopped, "stopped early"),
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
    ] {
        if n > 0 {
            of.push(format!("{n} {word}"));
        }
    }
    lines.push(("trials", of.join(", ")));
    for ((name, direction), label) in
        objective.targets().zip(std::iter::once("metric").chain(std::iter::repeat("and")))
    {
        let direction = match direction {
            Direction::Minimize => "less is better",
            Direction::Maximize => "more is better",
        };
        lines.push((label, format!("{} ({direction})", heading(name))));
    }
    if let (Some(best), Some(trial)) = (sweep.best, sweep.best_trial) {
        lines.push(("best", format!("{} by trial {trial}", value(Some(best)))));
    }
    lines.extend(front.and_then(front_line).map(|line| ("front", line)));
    if let Some(baseline) = sweep.baseline {
        lines.push(("mean face", value(Some(baseline))));
    }
    lines.push(("sampler", format!("{}, seed {}", sweep.spec.search.sampler.name(), sweep.spec.seed)));
    lines.extend(too_large.map(|too_large| ("memory", too_large.to_string())));
    for source in &sweep.warm_start {
        let of = match source.taken == source.completed {
            true => format!("all {} results", source.taken),
            false => format!("{} of {} results", source.taken, source.completed),
        };
        let how = if source.comparable { "by value" } else { "by rank" };
        lines.push(("warm start", format!("{of} of {} ({}), {how}", source.name, source.id)));
    }
    if let Some(stopper) = &sweep.spec.search.stopper {
        lines.push(("stopper", stopper.to_string()));
    }
    if let Some(folds) = objective.folds {
        let race = sweep.spec.search.race.map_or_else(
            || "every trial has all of them".to_owned(),
            |sure| {
                format!(
                    "a trial is given up when it is worse than the best with {} % confidence",
                    sure * 100.0
                )
            },
        );
        lines.push(("folds", format!("{folds}, and {race}")));
    }
    lines.extend(time_up(&sweep.spec).map(|text| ("time's up", text)));
    match sweep.edits {
        0 => {}
        1 => lines.push(("edited", "once since it was submitted".into())),
        n => lines.push(("edited", format!("{n} times since it was submitted"))),
    }
    lines.push(("priority", sweep.priority.to_string()));
    if let Some(dataset) = &objective.dataset {
        let hash = sweep.dataset_hash.as_deref().and_then(|hash| hash.get(..12)).unwrap_or("unknown");
        lines.push(("dataset", format!("{dataset}, hash {hash}")));
    }
    lines.extend(sweep.note.clone().map(|note| ("note", note)));
    if !sweep.tags.is_empty() {
        lines.push(("tags", sweep.tags.join(" ")));
    }
    if let Some(commit) = &sweep.git_commit {
        lines.push(("git commit", commit.clone()));
    }
    let mut text: String = lines.iter().map(|(name, value)| format!("{name:<10}  {value}\n")).collect();
    let mut space = TextTable::new().words("PARAMETER").words("VALUES").words("EXISTS WHEN");
    for (name, parameter) in &sweep.spec.space {
        let when = parameter.when.as_ref().map_or_else(String::new, ToString::to_string);
        space.row([name.clone(), parameter.kind.to_string(), when]);
    }
    text.push('\n');
    text.push_str(&space.render(None).0);
    if sweep.state == SweepState::Paused {
        text.push_str(&format!("\n\nIt is paused: `sweepd resume {}` goes on.", sweep.id));
    }
    text
}

/// When a sweep's time is up, where it has a time limit or a deadline.
#[must_use]
pub fn time_up(sweep: &Sweep) -> Option<String> {
    let search = &sweep.search;
    let limit_ms =
        search.time_limit_s.map(|limit| i64::try_from(limit.saturating_mul(1000)).unwrap_or(i64::MAX));
    let limit = limit_ms.map(|limit| format!("{} after its submission", duration_ms(limit)));
    let deadline = search.deadline.map(|at| format!("at {}", moment(at)));
    let both: Vec<String> = limit.into_iter().chain(deadline).collect();
    (!both.is_empty()).then(|| both.join(", or "))
}
