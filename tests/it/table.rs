//! All that a sweep has come to, as text: two runs of one sweep that was to come out the same are compared by it.

use crate::support::Home;

/// Every trial, step, leg and decision of a sweep. Left out is what may differ: times, ids, sequence numbers,
/// and who worked on what how often.
pub fn of(home: &Home, sweep: &str) -> String {
    let parts = [TRIALS, FOLDS, STEPS, LEGS, DECISIONS];
    let lines = parts.iter().flat_map(|part| home.rows(&part.replace("SWEEP", sweep)));
    lines.collect::<Vec<_>>().join("\n")
}

/// `quote` prints floats with all their digits.
const TRIALS: &str = "
    select format('trial %d %s params %s because %s ended %s best %s and %s at %s of %s steps value %s at %s ranked %s \
                   weights %s', number, state, params, suggested, ended, quote(best_value), quote(further),
                  quote(best_step), steps, quote(v.value), quote(v.step), quote(v.ranked), quote(weights))
    from trial left join trial_value v using (trial_id)
    where trial.sweep_id = (select sweep_id from sweep where uid = 'SWEEP') order by number, v.objective";

const FOLDS: &str = "
    select format('fold %d/%d worth %s and %s at %s weights %s', number, fold, quote(value), quote(fold.further),
                  quote(step), quote(fold.weights))
    from fold join trial using (trial_id)
    where sweep_id = (select sweep_id from sweep where uid = 'SWEEP') order by number, fold";

const STEPS: &str = "
    select format('step %d/%d/%d rmse %s loss %s train %s rate %s more %s', number, fold, step, quote(rmse),
                  quote(train_loss), quote(train_rmse), quote(learning_rate),
                  quote(json_remove(extra, '$.resident_bytes', '$.device_memory_bytes')))
    from report join trial using (trial_id)
    where sweep_id = (select sweep_id from sweep where uid = 'SWEEP') order by number, fold, step";

const LEGS: &str = "
    select format('leg %d trial %s/%d steps %d to %s %s value %s and %s', leg.number, quote(trial.number), fold, from_step,
                  quote(until_step), quote(outcome), quote(value), quote(leg.further))
    from leg left join trial using (trial_id)
    where leg.sweep_id = (select sweep_id from sweep where uid = 'SWEEP') order by leg.number";

/// Which end comes first may differ; what was decided may not.
const DECISIONS: &str = "
    select format('%s trial %s: %s', kind, quote(number), quote(reason)) as line
    from event left join trial using (trial_id)
    where event.sweep_id = (select sweep_id from sweep where uid = 'SWEEP')
    and kind not in ('attempt_started', 'trial_requeued') order by line";

/// Fails with the first lines that differ.
pub fn assert_same(expected: &str, found: &str, what: &str) {
    if expected == found {
        return;
    }
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let only = |these: &[&str], others: &[&str]| {
        let only = these.iter().filter(|line| !others.contains(line)).take(8);
        only.map(|line| format!("  {line}\n")).collect::<String>()
    };
    panic!(
        "{what}: the table differs.\nexpected alone:\n{}found alone:\n{}",
        only(&expected, &found),
        only(&found, &expected)
    );
}
