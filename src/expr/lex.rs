//! From text to tokens.

use super::error::quoted;
use super::{ExprError, LONGEST, Problem};
use std::ops::Range;

/// The smallest part that means something.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// A name, or a word that is taken for a text.
    Word(&'a str),
    /// A keyword, in whatever case it was written.
    Key(Key),
    /// A whole number without its sign: one more than the largest `i64` is still the smallest one's.
    Int(u64),
    /// A number with a point or an exponent.
    Float(f64),
    /// A quoted text, without its quotes.
    Text(String),
    /// An operator, bracket or comma in its usual spelling.
    Sign(&'static str),
    /// After the last one.
    End,
}

/// A word with a meaning of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    And,
    Or,
    Not,
    In,
    Is,
    Null,
    True,
    False,
}

/// A token and the bytes of the text that it stands on.
#[derive(Debug, Clone)]
pub(super) struct Lexeme<'a> {
    pub(super) token: Token<'a>,
    pub(super) at: Range<usize>,
}

const KEYS: [(&str, Key); 8] = [
    ("and", Key::And),
    ("or", Key::Or),
    ("not", Key::Not),
    ("in", Key::In),
    ("is", Key::Is),
    ("null", Key::Null),
    ("true", Key::True),
    ("false", Key::False),
];

/// Every sign as it may be written and its usual spelling; longer ones before their beginnings.
const SIGNS: [(&str, &str); 17] = [
    ("==", "="),
    ("!=", "!="),
    ("<>", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("(", "("),
    (")", ")"),
    ("[", "["),
    ("]", "]"),
    (",", ","),
];

/// Cuts a text into tokens; the last one is [`Token::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Lexeme<'_>>, ExprError> {
    if text.len() > LONGEST {
        return Err(ExprError::new(text, LONGEST, Problem::TooLong { bytes: text.len() }));
    }
    let mut lexemes = Vec::new();
    let mut start = 0;
    loop {
        start += text[start..].len() - text[start..].trim_start().len();
        let Some(first) = text[start..].chars().next() else { break };
        let (token, length) = match first {
            'A'..='Z' | 'a'..='z' | '_' => word(&text[start..]),
            '0'..='9' | '.' => number(text, start)?,
            '\'' | '"' => quoted_text(text, start, first)?,
            _ => sign(text, start, first)?,
        };
        lexemes.push(Lexeme { token, at: start..start + length });
        start += length;
    }
    lexemes.push(Lexeme { token: Token::End, at: text.len()..text.len() });
    Ok(lexemes)
}

fn word(rest: &str) -> (Token<'_>, usize) {
    let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let word = &rest[..length];
    let key = KEYS.iter().find(|(spelling, _)| word.eq_ignore_ascii_case(spelling));
    (key.map_or(Token::Word(word), |(_, key)| Token::Key(*key)), length)
}

fn number(text: &str, start: usize) -> Result<(Token<'_>, usize), ExprError> {
    let bytes = &text.as_bytes()[start..];
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let expected = |what: &str, length: usize| {
        let found = text[start + length..].chars().next().map(String::from).unwrap_or_default();
        ExprError::expected(text, start + length, what, quoted(&found))
    };
    let mut length = digits(0);
    let mut is_whole = true;
    if bytes.get(length) == Some(&b'.') {
        is_whole = false;
        length += 1;
        match digits(length) {
            0 => return Err(expected("a digit after the point", length)),
            decimals => length += decimals,
        }
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        is_whole = false;
        length += 1 + usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        match digits(length) {
            0 => return Err(expected("the digits of an exponent", length)),
            exponent => length += exponent,
        }
    }
    if bytes.get(length).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')) {
        return Err(expected("an operator or a space after the number", length));
    }
    let written = &text[start..start + length];
    let token = if is_whole {
        written.parse().ok().map(Token::Int)
    } else {
        written.parse().ok().filter(|x: &f64| x.is_finite()).map(Token::Float)
    };
    token.map(|token| (token, length)).ok_or_else(|| too_large(text, start, written))
}

/// A number that no value can hold.
pub(super) fn too_large(text: &str, at: usize, written: &str) -> ExprError {
    ExprError::expected(text, at, "a number of 64 bits", quoted(written))
}

fn quoted_text(text: &str, start: usize, quote: char) -> Result<(Token<'_>, usize), ExprError> {
    let mut content = String::new();
    let mut chars = text[start + 1..].char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if c != quote {
            content.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((Token::Text(content), i + 2));
        }
    }
    Err(ExprError::new(text, start, Problem::Unclosed { quote }))
}

fn sign(text: &str, start: usize, first: char) -> Result<(Token<'_>, usize), ExprError> {
    if let Some((spelling, usual)) = SIGNS.iter().find(|(sign, _)| text[start..].starts_with(sign)) {
        return Ok((Token::Sign(usual), spelling.len()));
    }
    let expected = match first {
        '&' => "`and`",
        '|' => "`or`",
        '!' => "`not` or `!=`",
        _ => "a name, a value or an operator",
    };
    Err(ExprError::expected(text, start, expected, quoted(first.encode_utf8(&mut [0; 4]))))
}
