//! Arguments of a command with places for a trial's parameters: `--lr={learning_rate}`.

/// Its number within the sweep, from 0.
pub const TRIAL: &str = "trial";
/// The folder that the trial's attempts hand on to each other.
pub const CHECKPOINT_DIR: &str = "checkpoint_dir";
/// The JSON file of the trial's parameters.
pub const PARAMS_FILE: &str = "params_file";
/// The names that stand for something of the trial that is no parameter.
pub const OWN_NAMES: [&str; 3] = [TRIAL, CHECKPOINT_DIR, PARAMS_FILE];

/// Text, or the name of what stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// The names in an argument, in its order.
///
/// # Errors
/// Where a brace belongs to no name: what to write instead.
pub fn names(argument: &str) -> Result<Vec<&str>, String> {
    let name = |piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    };
    Ok(pieces(argument)?.into_iter().filter_map(name).collect())
}

/// The argument with every `{name}` replaced by its value, and `{{` and `}}` by a brace. A name without a
/// value leaves nothing.
///
/// # Errors
/// As [`names`].
pub fn fill_in(argument: &str, value_of: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let text = |piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Name(name) => value_of(name).unwrap_or_default(),
    };
    Ok(pieces(argument)?.into_iter().map(text).collect())
}

fn pieces(argument: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from_brace) = rest.split_at(at);
        pieces.push(Piece::Text(before));
        if from_brace.starts_with("{{") || from_brace.starts_with("}}") {
            // A brace is one byte long.
            pieces.push(Piece::Text(&from_brace[..1]));
            rest = &from_brace[2..];
            continue;
        }
        let inner = from_brace.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        match inner.filter(|(name, _)| is_name(name)) {
            Some((name, after)) => {
                pieces.push(Piece::Name(name));
                rest = after;
            }
            None => {
                let start: String = from_brace.chars().take(20).collect();
                return Err(format!("{start:?} is no {{name}}: for a brace itself write {{{{ or }}}}"));
            }
        }
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_replaced_and_double_braces_are_braces() {
        let value = |name: &str| (name == "lr").then(|| "0.1".to_owned());
        assert_eq!(fill_in("--lr={lr},{lr}", value).unwrap(), "--lr=0.1,0.1");
        assert_eq!(fill_in("{{\"lr\": {lr}}}", value).unwrap(), "{\"lr\": 0.1}");
        assert_eq!(fill_in("[{absent}]", value).unwrap(), "[]");
        assert_eq!(fill_in("", value).unwrap(), "");
        assert_eq!(names("{a}{{b}}{c}").unwrap(), ["a", "c"]);
    }

    #[test]
    fn stray_braces_are_mistakes() {
        for argument in ["{", "}", "a{b", "a}b", "{}", "{a b}", "{\"a\": 1}", "{{}", "{ä}"] {
            assert!(names(argument).is_err(), "{argument}");
        }
    }

    proptest! {
        #[test]
        fn doubled_braces_bring_any_text_back(text in "(?s).{0,50}") {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(fill_in(&escaped, |_| None).unwrap(), text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[{}aé ]{0,20}") {
            let _ = names(&text);
        }
    }
}
