//! Trials as lines of a CSV file.

use crate::domain::Sweep;
use crate::store::query::TrialSummary;

/// The headings: what is known of every trial, the objectives, then the sweep's parameters.
///
/// # Errors
/// What the format says.
pub fn csv_headings(sweep: &Sweep) -> Result<Vec<u8>, csv::Error> {
    let fixed = ["trial_id", "number", "state"].map(str::to_owned);
    let objectives = sweep.objective.targets().map(|(name, _)| name.to_owned());
    let folds = sweep.objective.folds.into_iter().flat_map(|folds| {
        std::iter::once("spread".to_owned()).chain((0..folds).map(|fold| format!("fold_{fold}")))
    });
    let more =
        ["best_step", "steps", "parameter_count", "seconds", "reason", "note", "tags"].map(str::to_owned);
    let parameters = sweep.parameters().map(|(name, _)| name.clone());
    let headings = fixed.into_iter().chain(objectives).chain(folds).chain(more).chain(parameters);
    written([headings.collect::<Vec<String>>()])
}

/// A line for each trial; what is not known is empty.
///
/// # Errors
/// What the format says.
pub fn csv_lines(sweep: &Sweep, trials: &[TrialSummary]) -> Result<Vec<u8>, csv::Error> {
    written(trials.iter().map(|trial| line(sweep, trial)))
}

fn line(sweep: &Sweep, trial: &TrialSummary) -> Vec<String> {
    let number = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    let count = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let seconds = trial.started_ms.zip(trial.finished_ms).map(|(from, to)| to.since_ms(from) as f64 / 1000.0);
    let further =
        (0..sweep.objective.further.len()).map(|at| number(trial.further.get(at).copied().flatten()));
    let mut line = vec![
        trial.trial_id.to_string(),
        trial.number.to_string(),
        trial.state.as_str().to_owned(),
        number(trial.value),
    ];
    line.extend(further);
    if let Some(folds) = sweep.objective.folds {
        let of_fold = |number: u32| trial.folds.iter().find(|fold| fold.fold == number)?.value;
        line.push(number(trial.spread));
        line.extend((0..folds).map(|fold| number(of_fold(fold))));
    }
    line.extend([
        count(trial.best_step),
        trial.steps.to_string(),
        count(trial.parameter_count),
        number(seconds),
        trial.ended.as_ref().map(|reason| reason.word().to_owned()).unwrap_or_default(),
        trial.note.clone().unwrap_or_default(),
        trial.tags.join(" "),
    ]);
    line.extend(
        sweep
            .parameters()
            .map(|(name, _)| trial.params.get(name).map(ToString::to_string).unwrap_or_default()),
    );
    line
}

fn written(lines: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
