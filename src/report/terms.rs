//! What changes in a sweep, before and after.

use super::{TextTable, grouped};
use crate::domain::terms::Alteration;

/// A line per difference.
#[must_use]
pub fn alteration_table(changes: &[Alteration]) -> String {
    let mut table = TextTable::new().words("").words("BEFORE").words("AFTER");
    for change in changes {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        table.row([change.what.clone(), or_dash(&change.before), or_dash(&change.after)]);
    }
    table.render(None).0
}

/// How many of the trials so far are still of use.
#[must_use]
pub fn still_fit(fit: u64, trials: u64) -> String {
    match (fit, trials) {
        (_, 0) => "It has no trials yet.".into(),
        (fit, trials) if fit == trials => format!("All {} trials so far still fit.", grouped(trials)),
        (fit, trials) => format!(
            "{} of {} trials so far still fit; the sampler knows no more of the others, which stay in the leaderboard.",
            grouped(fit),
            grouped(trials)
        ),
    }
}
