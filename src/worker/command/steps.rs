//! What a program says of its steps: one JSON object a line, `{"step": 3, "loss": 0.5}`.

use crate::domain::Metrics;
use serde_json::{Map, Value};

/// Most numbers that one step may have, and longest name of one, in bytes: far more than a person reads, and
/// little enough for every report to be taken.
const MOST_NUMBERS: usize = 200;
const LONGEST_NAME: usize = 100;

/// Numbers of a step; without a step, of the one at hand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    step: Option<u64>,
    metrics: Metrics,
}

impl Said {
    /// The numbers.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Reads a line of the protocol; `None` for any other line.
///
/// Entries that are no numbers are passed over. Non-finite numbers may be written bare, as Python's `json`
/// does, or as words: `NaN`, `"Infinity"`.
pub(super) fn parse(line: &str) -> Option<Said> {
    let line = line.trim();
    // Cheap, and most of what a program prints ends here.
    if !(line.starts_with('{') && line.ends_with('}')) {
        return None;
    }
    let mut entries: Map<String, Value> =
        serde_json::from_str(line).or_else(|_| serde_json::from_str(&quote_non_finite(line))).ok()?;
    let step = match entries.remove("step") {
        None | Some(Value::Null) => None,
        Some(step) => Some(whole(&step)?),
    };
    let numbers = entries.iter().filter(|(name, _)| name.len() <= LONGEST_NAME);
    let numbers = numbers.filter_map(|(name, value)| Some((name.clone(), number(value)?)));
    let metrics = Metrics(numbers.collect());
    (!metrics.0.is_empty()).then_some(Said { step, metrics })
}

fn whole(step: &Value) -> Option<u64> {
    // `3.0` counts as 3; the bound keeps the cast exact, and the number within what a database holds.
    step.as_u64()
        .or_else(|| step.as_f64().filter(|x| x.fract() == 0.0 && (0.0..9e15).contains(x)).map(|x| x as u64))
        .filter(|step| i64::try_from(*step).is_ok())
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Puts bare `NaN`, `Infinity` and `-Infinity` between quotation marks, which JSON wants around words.
fn quote_non_finite(line: &str) -> String {
    let mut quoted = String::with_capacity(line.len() + 16);
    let (mut in_text, mut rest) = (false, line);
    while let Some(c) = rest.chars().next() {
        let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
        let taken = match (in_text, c, word) {
            (false, _, Some(word)) => {
                quoted.extend(["\"", word, "\""]);
                rest = &rest[word.len()..];
                continue;
            }
            // What follows a backslash ends no text.
            (true, '\\', _) => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            _ => c.len_utf8(),
        };
        in_text ^= c == '"';
        quoted.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    quoted
}

/// Gathers lines into steps.
///
/// A step may be reported only once, so its lines are held together until they have every metric that counts,
/// or a later step begins.
#[derive(Debug)]
pub(super) struct Steps {
    metrics: Vec<String>,
    /// The last step that counts already: earlier attempts printed it, and this one may once more.
    known: u64,
    /// The last step that was let go.
    last: u64,
    open: Option<(u64, Metrics)>,
}

impl Steps {
    /// The steps after `last`; `metrics` are those that count.
    pub fn after<'a>(last: u64, metrics: impl IntoIterator<Item = &'a str>) -> Self {
        let metrics = metrics.into_iter().map(str::to_owned).collect();
        Self { metrics, known: last, last, open: None }
    }

    /// Takes a line and lets go of the steps that are now whole.
    ///
    /// # Errors
    /// Where the line comes too late to count, in words.
    pub fn take(&mut self, said: Said) -> Result<Vec<(u64, Metrics)>, String> {
        let at_hand = self.open.as_ref().map_or(self.last.saturating_add(1), |(step, _)| *step);
        let step = said.step.unwrap_or(at_hand);
        if step == 0 {
            return Err("steps count from 1: step 0 is passed over".to_owned());
        }
        if step <= self.known {
            return Ok(Vec::new());
        }
        if step < at_hand {
            return Err(format!(
                "step {step} is passed over: step {} has been printed already, and a step ends with the line that has {}",
                self.open.as_ref().map_or(self.last, |(open, _)| *open),
                self.metrics.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" and ")
            ));
        }
        let mut whole = Vec::new();
        if step > at_hand {
            whole.extend(self.finish());
        }
        let mut metrics = self.open.take().map(|(_, metrics)| metrics).unwrap_or_default();
        for (name, value) in said.metrics.0 {
            // What counts always finds room.
            if metrics.0.len() < MOST_NUMBERS || self.metrics.contains(&name) {
                metrics.0.insert(name, value);
            }
        }
        let is_whole = self.metrics.iter().all(|name| metrics.get(name).is_some());
        self.open = Some((step, metrics));
        if is_whole {
            whole.extend(self.finish());
        }
        Ok(whole)
    }

    /// The step that still lacks a metric that counts: no more lines of it will come.
    pub fn finish(&mut self) -> Option<(u64, Metrics)> {
        let open = self.open.take()?;
        self.last = open.0;
        Some(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gather(steps: &mut Steps, lines: &[&str]) -> Vec<(u64, Vec<(String, f64)>)> {
        let said = lines.iter().map(|line| parse(line).unwrap());
        let whole = said.flat_map(|said| steps.take(said).unwrap_or_default());
        whole.map(|(step, metrics)| (step, metrics.0.into_iter().collect())).collect()
    }

    fn loss(value: f64) -> Vec<(String, f64)> {
        vec![("loss".to_owned(), value)]
    }

    #[test]
    fn lines_without_a_step_count_up_from_the_last() {
        let mut steps = Steps::after(0, ["loss"]);
        let got = gather(&mut steps, &[r#"{"loss": 3}"#, r#"{"step": 5, "loss": 2}"#, r#"{"loss": 1}"#]);
        assert_eq!(got, [(1, loss(3.0)), (5, loss(2.0)), (6, loss(1.0))]);
        assert_eq!(gather(&mut Steps::after(7, ["loss"]), &[r#"{"loss": 1}"#]), [(8, loss(1.0))]);
    }

    #[test]
    fn lines_of_one_step_are_held_together_until_the_metric_comes() {
        let mut steps = Steps::after(0, ["loss"]);
        let got = gather(&mut steps, &[r#"{"lr": 1}"#, r#"{"acc": 2}"#, r#"{"loss": 3}"#, r#"{"acc": 4}"#]);
        let all = [("acc".to_owned(), 2.0), ("loss".to_owned(), 3.0), ("lr".to_owned(), 1.0)];
        assert_eq!(got, [(1, all.to_vec())]);
        assert_eq!(steps.finish(), Some((2, Metrics::default().with("acc", 4.0))));
        assert_eq!(steps.finish(), None);
    }

    #[test]
    fn with_several_objectives_a_step_is_whole_when_it_has_all() {
        let mut steps = Steps::after(0, ["loss", "ms"]);
        let got = gather(&mut steps, &[r#"{"loss": 1}"#, r#"{"ms": 2}"#, r#"{"loss": 3}"#]);
        assert_eq!(got, [(1, vec![("loss".to_owned(), 1.0), ("ms".to_owned(), 2.0)])]);
        assert_eq!(gather(&mut steps, &[r#"{"step": 3, "lr": 1}"#]), [(2, loss(3.0))]);
    }

    #[test]
    fn a_later_step_lets_go_of_one_without_the_metric() {
        let mut steps = Steps::after(0, ["loss"]);
        let got = gather(&mut steps, &[r#"{"step": 1, "lr": 1}"#, r#"{"step": 2, "loss": 3}"#]);
        assert_eq!(got, [(1, vec![("lr".to_owned(), 1.0)]), (2, loss(3.0))]);
    }

    #[test]
    fn what_comes_too_late_does_not_count() {
        let mut steps = Steps::after(3, ["loss"]);
        assert!(steps.take(parse(r#"{"step": 0, "loss": 1}"#).unwrap()).is_err());
        // Printed once more by a program that was broken off: no fault.
        assert_eq!(steps.take(parse(r#"{"step": 3, "loss": 1}"#).unwrap()), Ok(Vec::new()));
        assert_eq!(gather(&mut steps, &[r#"{"step": 4, "loss": 1}"#]).len(), 1);
        assert!(steps.take(parse(r#"{"step": 4, "loss": 2}"#).unwrap()).is_err());
    }

    #[test]
    fn other_lines_are_not_of_the_protocol() {
        for line in [
            "epoch 3: loss 0.5",
            "",
            "{}",
            "[1]",
            r#"{"step": 1}"#,
            r#"{"step": 1"#,
            r#"{"step": -1, "loss": 2}"#,
            r#"{"step": "one", "loss": 2}"#,
            r#"{"step": 1e300, "loss": 2}"#,
            r#"{"message": "hello", "loss": null}"#,
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        assert_eq!(parse(r#" {"step": 2.0, "loss": 1, "note": "x", "l": [1]} "#).unwrap().step, Some(2));
    }

    #[test]
    fn non_finite_numbers_may_be_bare_or_words() {
        let said = parse(r#"{"a": NaN, "b": -Infinity, "c":Infinity, "NaN \" NaN": 1, "d": "NaN"}"#).unwrap();
        assert!(said.metrics.get("a").unwrap().is_nan() && said.metrics.get("d").unwrap().is_nan());
        assert_eq!(said.metrics.get("b"), Some(f64::NEG_INFINITY));
        assert_eq!(said.metrics.get("c"), Some(f64::INFINITY));
        assert_eq!(said.metrics.get("NaN \" NaN"), Some(1.0));
    }

    #[test]
    fn a_step_of_too_many_numbers_keeps_the_one_that_counts() {
        let many: Vec<String> = (0..500).map(|n| format!("\"a{n}\": {n}")).collect();
        let line = format!("{{{}, \"z\": 1, \"{}\": 2}}", many.join(","), "x".repeat(101));
        let whole = Steps::after(0, ["z"]).take(parse(&line).unwrap()).unwrap();
        assert_eq!((whole[0].1.0.len(), whole[0].1.get("z")), (MOST_NUMBERS + 1, Some(1.0)));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in r#"\{["\\NaInfty:,0-9{}é-]{0,40}\}"#) {
            let _ = parse(&line);
        }
    }
}
