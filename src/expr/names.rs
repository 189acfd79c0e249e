//! What an expression may speak of. The caller knows; the language asks.

use std::fmt;

/// The names that are known where an expression stands.
pub trait Names {
    /// The field of that name.
    fn field(&self, name: &str) -> Option<Field>;

    /// Every name, for messages.
    fn all(&self) -> Vec<String>;
}

/// What stands behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// What it can hold.
    pub kind: Kind,
    /// Where SQL finds it.
    pub place: Place,
}

/// What a field holds or a part of an expression amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number or one with a fraction.
    Number,
    /// A text.
    Text,
    /// `true` or `false`. SQLite keeps them as 1 and 0.
    Flag,
    /// A set of words, such as tags: a column that holds their list as JSON, or null for none.
    Words,
    /// Any of them; it is known only when a trial is looked at.
    Any,
}

/// Where SQL finds a field, in a statement whose `from` names the table `trial`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A column: `trial.steps`, or another SQL expression that can stand as an operand as it is. It comes
    /// from the program, never from a user, and its values are of the field's kind.
    Column(&'static str),
    /// The trial's parameter of that name, which may hold anything, whatever kind is promised.
    Param,
}

impl Kind {
    /// Whether values of the two kinds can be compared.
    pub(super) fn fits(self, other: Self) -> bool {
        // A set is no single value, whatever that may be.
        let is_any = self == Self::Any || other == Self::Any;
        self == other || (is_any && self != Self::Words && other != Self::Words)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Flag => "true or false",
            Self::Words => "a set of words",
            Self::Any => "anything",
        })
    }
}
