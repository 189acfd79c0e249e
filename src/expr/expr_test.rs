//! Reading: what is taken, what is refused and how the refusal reads, and printing.

use super::samples_test::{Sample, arithmetic, condition};
use super::{DEEPEST, Expr, LONGEST, Problem};
use insta::assert_snapshot;
use proptest::prelude::*;

fn printed(text: &str) -> String {
    Expr::parse(text, &Sample).unwrap().to_string()
}

fn refusals(texts: &[&str]) -> String {
    let all: Vec<_> = texts.iter().map(|text| Expr::parse(text, &Sample).unwrap_err().to_string()).collect();
    all.join("\n")
}

#[test]
fn the_canonical_text_has_the_fewest_parentheses() {
    let same = |text: &str| assert_eq!(printed(text), text);
    same("rmse < 2.5 and kernel_size = 3");
    same("(rmse < 1.0 or steps = 1) and not state = 'failed'");
    same("steps - (rmse - 1) > steps * (rmse + 2) / -kernel_size");
    same("activation not in ['relu', 'it''s'] or weights is not null");
    same("(steps = 1) = (rmse is null)");
    assert_eq!(
        printed("((steps) == (1)) AND (((rmse<>2e0) and batch_norm))"),
        "steps = 1 and rmse != 2.0 and batch_norm"
    );
    assert_eq!(printed("not (steps in (1, -2.50,-3))"), "steps not in [1, -2.5, -3]");
    assert_eq!(printed("- - -2 = -(3) - -kernel_size and -.5<1"), "-2 = -3 - -kernel_size and -0.5 < 1");
}

#[test]
fn bare_words_are_texts_beside_fields_that_hold_text() {
    assert_eq!(printed("state = failed"), "state = 'failed'");
    assert_eq!(printed("activation in [relu, elu]"), "activation in ['relu', 'elu']");
    assert_eq!(printed("dropout != none"), "dropout != 'none'");
    assert_eq!(
        printed("tag = keep and tag != x and tag in [a, b]"),
        "tag = 'keep' and not tag = 'x' and tag in ['a', 'b']"
    );
    assert!(Expr::parse_value("tag", &Sample).is_err(), "a set has no place in an order");
    assert!(matches!(
        Expr::parse("steps = failed", &Sample).unwrap_err().problem(),
        Problem::Unknown { name, .. } if name == "failed"
    ));
    assert!(Expr::parse("state < failed", &Sample).is_err());
    assert!(Expr::parse("failed = state", &Sample).is_err());
}

#[test]
fn the_whole_range_of_whole_numbers_can_be_written() {
    assert_eq!(printed("steps = -9223372036854775808"), "steps = -9223372036854775808");
    assert_eq!(printed("steps = 9223372036854775807"), "steps = 9223372036854775807");
    assert_eq!(printed("steps = --9223372036854775808"), "steps = --9223372036854775808");
}

#[test]
fn values_may_be_of_any_kind() {
    for text in ["rmse", "state", "dropout", "batch_norm", "-steps / 2", "rmse < 2", "'a'"] {
        assert_eq!(Expr::parse_value(text, &Sample).unwrap().to_string(), text);
    }
}

#[test]
fn mistakes_in_writing_show_their_place() {
    assert_eq!(refusals(&[""]), "at character 1: expected a name or a value, found the end\n  \n  ^");
    let texts = [
        "steps >",
        "rmse < 2.5 && steps = 1",
        "(rmse < 2.5",
        "rmse < 2.5)",
        "1 < steps < 5",
        "state = 'failed",
        "dropout = null",
        "dropout is 3",
        "state not failed",
        "filters = [1, 2]",
        "steps in 3",
        "steps in []",
        "steps in [1, 2",
        "steps in [1, rmse + 1]",
        "steps in [1, -rmse]",
        "rmse < 2.",
        "rmse < 2e",
        "rmse < 2px",
        "steps < 9223372036854775808",
        "rmse < 1e999",
        "rmse < 2 ; drop table trial",
    ];
    assert_snapshot!(refusals(&texts), @r#"
    at character 8: expected a name or a value, found the end
      steps >
             ^
    at character 12: expected `and`, found `&`
      rmse < 2.5 && steps = 1
                 ^
    at character 12: expected an operator or `)`, found the end
      (rmse < 2.5
                 ^
    at character 11: expected an operator or the end, found `)`
      rmse < 2.5)
                ^
    at character 11: expected `and`, `or` or the end (comparisons do not chain), found `<`
      1 < steps < 5
                ^
    at character 9: expected the text to end with ', found the end
      state = 'failed
              ^
    at character 11: expected a value (null stands only after `is`), found `null`
      dropout = null
                ^
    at character 12: expected `null` or `not null`, found `3`
      dropout is 3
                 ^
    at character 11: expected `in`, found `failed`
      state not failed
                ^
    at character 11: expected a value (a list stands only after `in`), found `[`
      filters = [1, 2]
                ^
    at character 10: expected a list such as [1, 2], found `3`
      steps in 3
               ^
    at character 11: expected a number, a text, true or false, found `]`
      steps in []
                ^
    at character 15: expected `,` or `]`, found the end
      steps in [1, 2
                    ^
    at character 19: expected `,` or `]`, found `+`
      steps in [1, rmse + 1]
                        ^
    at character 14: expected a number, a text, true or false, found `-rmse`
      steps in [1, -rmse]
                   ^
    at character 10: expected a digit after the point, found the end
      rmse < 2.
               ^
    at character 10: expected the digits of an exponent, found the end
      rmse < 2e
               ^
    at character 9: expected an operator or a space after the number, found `p`
      rmse < 2px
              ^
    at character 9: expected a number of 64 bits, found `9223372036854775808`
      steps < 9223372036854775808
              ^
    at character 8: expected a number of 64 bits, found `1e999`
      rmse < 1e999
             ^
    at character 10: expected a name, a value or an operator, found `;`
      rmse < 2 ; drop table trial
               ^
    "#);
}

#[test]
fn mistakes_in_names_and_kinds_show_their_place() {
    let texts = [
        "rmse < 2 and kernal_size = 3",
        "step = 3",
        "zebra = 3",
        "steps in [1, zebra]",
        "activation in [relu, state]",
        "kernel_size = 'three'",
        "steps = true",
        "steps in [1, 'two']",
        "rmse + state > 1",
        "rmse < 2 and steps + 1",
        "not state",
        "steps",
        "batch_norm > false",
        "tag",
        "tag > keep",
        "tag = 3",
        "tag = dropout",
        "dropout = tag",
        "tag + 1 = 2",
    ];
    assert_snapshot!(refusals(&texts), @r#"
    at character 14: expected a known name, found `kernal_size`; did you mean `kernel_size`?
      rmse < 2 and kernal_size = 3
                   ^
    at character 1: expected a known name, found `step`; did you mean `steps`?
      step = 3
      ^
    at character 1: expected a known name, found `zebra`; known are `activation`, `batch_norm`, `best_step`, `dropout`, `filters`, `is_over`, `kernel_size`, `rmse`, `state`, `steps`, `tag` and `weights`
      zebra = 3
      ^
    at character 14: expected a known name, found `zebra`; known are `activation`, `batch_norm`, `best_step`, `dropout`, `filters`, `is_over`, `kernel_size`, `rmse`, `state`, `steps`, `tag` and `weights`
      steps in [1, zebra]
                   ^
    at character 22: expected a value in quotes, found `state` (a field)
      activation in [relu, state]
                           ^
    at character 15: expected a number, found `'three'` (a text)
      kernel_size = 'three'
                    ^
    at character 9: expected a number, found `true` (true or false)
      steps = true
              ^
    at character 14: expected a number, found `'two'` (a text)
      steps in [1, 'two']
                   ^
    at character 8: expected a number, found `state` (a text)
      rmse + state > 1
             ^
    at character 14: expected a condition, found `steps + 1` (a number)
      rmse < 2 and steps + 1
                   ^
    at character 5: expected a condition, found `state` (a text)
      not state
          ^
    at character 1: expected a condition, found `steps` (a number)
      steps
      ^
    at character 1: expected a number or a text, which have an order, found `batch_norm` (true or false)
      batch_norm > false
      ^
    at character 1: expected a condition, found `tag` (a set of words)
      tag
      ^
    at character 1: expected a number or a text, which have an order, found `tag` (a set of words)
      tag > keep
      ^
    at character 7: expected a text, found `3` (a number)
      tag = 3
            ^
    at character 7: expected a value in quotes, found `dropout` (a field)
      tag = dropout
            ^
    at character 11: expected a single value, found `tag` (a set of words)
      dropout = tag
                ^
    at character 1: expected a number, found `tag` (a set of words)
      tag + 1 = 2
      ^
    "#);
}

#[test]
fn the_caret_stands_under_the_place_whatever_is_around_it() {
    assert_snapshot!(refusals(&["state = 'é\t'\n  and rmse <\n 2 and zebra < 'ü'"]), @r#"
    at character 34: expected a known name, found `zebra`; known are `activation`, `batch_norm`, `best_step`, `dropout`, `filters`, `is_over`, `kernel_size`, `rmse`, `state`, `steps`, `tag` and `weights`
       2 and zebra < 'ü'
             ^
    "#);
    let long = format!(
        "{} and zebra < 1 and {}",
        vec!["steps = 1"; 40].join(" and "),
        vec!["rmse = 1"; 40].join(" or ")
    );
    assert_snapshot!(refusals(&[&long]), @r#"
    at character 561: expected a known name, found `zebra`; known are `activation`, `batch_norm`, `best_step`, `dropout`, `filters`, `is_over`, `kernel_size`, `rmse`, `state`, `steps`, `tag` and `weights`
      …= 1 and steps = 1 and steps = 1 and steps = 1 and zebra < 1 and rmse = 1 or rmse = 1 or rmse = 1 or …
                                                         ^
    "#);
    assert_eq!(Expr::parse(&long, &Sample).unwrap_err().at(), long.find("zebra").unwrap());
}

#[test]
fn long_and_deep_texts_are_refused() {
    let problem = |text: &str| Expr::parse(text, &Sample).unwrap_err().problem().clone();
    let long = format!("state = '{}é'", "x".repeat(LONGEST - 12));
    assert_eq!(problem(&format!("{long} ")), Problem::TooLong { bytes: LONGEST + 1 });
    assert!(Expr::parse(&long, &Sample).is_ok());
    let nested = |open: &str, n: usize, close: &str| format!("{}true{}", open.repeat(n), close.repeat(n));
    assert!(Expr::parse(&nested("(", DEEPEST, ")"), &Sample).is_ok());
    assert_eq!(problem(&nested("(", DEEPEST + 1, ")")), Problem::TooDeep);
    assert_eq!(problem(&nested("(", 2000, ")")), Problem::TooDeep);
    assert_eq!(problem(&nested("not ", 1000, "")), Problem::TooDeep);
    assert_eq!(problem(&format!("1 = {}rmse", "-".repeat(4000))), Problem::TooDeep);
    assert_eq!(problem(&format!("1 = rmse{}", "+1".repeat(1000))), Problem::TooDeep);
    assert!(Expr::parse(&format!("rmse = 1{}", " or true".repeat(500)), &Sample).is_ok());
}

proptest! {
    #[test]
    fn printed_expressions_read_back_as_themselves(text in condition()) {
        let expr = Expr::parse(&text, &Sample).unwrap();
        let canonical = expr.to_string();
        let back = Expr::parse(&canonical, &Sample);
        prop_assert_eq!(back.as_ref(), Ok(&expr), "{}", canonical);
        prop_assert_eq!(back.unwrap().to_string(), canonical);
    }

    #[test]
    fn printed_values_read_back_as_themselves(text in arithmetic()) {
        let expr = Expr::parse_value(&text, &Sample).unwrap();
        prop_assert_eq!(Expr::parse_value(&expr.to_string(), &Sample).unwrap(), expr);
    }

    #[test]
    fn no_text_is_too_strange_to_read(text in any::<String>()) {
        let _ = Expr::parse(&text, &Sample).map_err(|error| error.to_string());
    }

    #[test]
    fn no_mixture_of_tokens_is_too_strange_to_read(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "steps", "state", "zebra", "dropout", "batch_norm", "1", "2.5", "1e5", ".", "'a'", "\"", "'", "(", ")",
            "[", "]", ",", "in", "not", "and", "or", "is", "null", "true", "=", "<", ">=", "!=", "!", "+", "-",
            "*", "/", "é", "\n", "9223372036854775808",
        ]), 0..40),
        by in prop::sample::select(vec!["", " "]),
    ) {
        if let Ok(expr) = Expr::parse(&tokens.join(by), &Sample) {
            let back = Expr::parse(&expr.to_string(), &Sample);
            prop_assert_eq!(back, Ok(expr));
        }
    }
}
