//! Times as people say them.

use crate::domain::Millis;

/// A span: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
#[must_use]
pub fn duration_ms(span_ms: i64) -> String {
    let seconds = span_ms.max(0) / 1000;
    match seconds {
        0..=9 => format!("{:.1} s", span_ms.max(0) as f64 / 1000.0),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// How long ago: `just now`, `20 min ago`.
#[must_use]
pub fn age(now: Millis, then: Millis) -> String {
    match now.since_ms(then) / 1000 {
        ..=4 => "just now".to_owned(),
        seconds @ 5..=59 => format!("{seconds} s ago"),
        seconds @ 60..=3599 => format!("{} min ago", seconds / 60),
        seconds @ 3600..=86_399 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

/// A point in time: `2026-11-24 06:33:51 UTC`.
#[must_use]
pub fn moment(at: Millis) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        // Outside of the years that a calendar has.
        Err(_) => format!("{} ms", at.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well_at_every_size() {
        let shown: Vec<String> = [-5, 430, 12_345, 200_000, 7_500_000, 273_600_000].map(duration_ms).to_vec();
        assert_eq!(shown, ["0.0 s", "0.4 s", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"]);
        assert_eq!(age(Millis(61_000), Millis(0)), "1 min ago");
        assert_eq!(moment(Millis(1_795_502_031_000)), "2026-11-24 06:33:51 UTC");
    }
}
