//! From an expression to SQL for SQLite, over a statement that has the table `trial` and the tables of
//! [`Joins`] in its `from`.
//!
//! SQLite turns texts into numbers and back where it sees a use for it (`'relu' + 1` is 1, and a text
//! column compared with a parameter 5 is compared with `'5'`), and says that any text is larger than any
//! number. The language does neither, so what may hold anything is asked for its numbers or for its texts.

use super::term::{Comparison, Operator, Term};
use super::{Expr, Field, Kind, Place};
use crate::domain::Value;

/// SQL text with a `?` for each value. It only comes from [`Expr::to_sql`], so it holds nothing that a user
/// wrote, and can be put into a statement as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sql {
    text: String,
    binds: Vec<Value>,
}

impl Sql {
    /// The SQL expression: one operand, in parentheses where it needs them.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values of its `?`, in order: flags, numbers and texts, never a list. A flag is bound as 1 or 0.
    #[must_use]
    pub fn binds(&self) -> &[Value] {
        &self.binds
    }
}

/// The most parameters that are joined; SQLite joins at most 64 tables.
const MOST_JOINS: usize = 48;

/// The parameters that expressions of one statement name, each joined once: it costs half as much as a subquery
/// wherever one is named.
#[derive(Debug, Clone)]
pub struct Joins {
    /// A table or alias that comes before, with the columns `sweep_id` and `trial_id`.
    of: &'static str,
    names: Vec<Value>,
}

impl Joins {
    /// No parameter yet; trials are those of the table or alias `of`.
    #[must_use]
    pub fn new(of: &'static str) -> Self {
        Self { of, names: Vec::new() }
    }

    /// The joins, to stand in `from` behind the table they are `of`.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { of, names } = self;
        // Without the + SQLite could see how to begin with the parameters of all trials.
        let join = |i: usize| {
            format!(
                " left join trial_param p{i} on p{i}.sweep_id = +{of}.sweep_id and p{i}.name = ? \
                 and p{i}.trial_id = {of}.trial_id"
            )
        };
        (0..names.len()).map(join).collect()
    }

    /// The values of their `?`, in order.
    #[must_use]
    pub fn binds(&self) -> &[Value] {
        &self.names
    }

    /// Which of the joined tables has a parameter; `None` where there are too many.
    fn place(&mut self, name: &str) -> Option<usize> {
        let known = self.names.iter().position(|known| known.as_str() == Some(name));
        known.or_else(|| {
            (self.names.len() < MOST_JOINS).then(|| {
                self.names.push(Value::Text(name.to_owned()));
                self.names.len() - 1
            })
        })
    }
}

impl Expr {
    /// The same expression in SQL. A condition gives 1, 0 or null (or, where it is a field alone, a number
    /// that counts as true unless it is zero). Parameters that it names are added to the joins.
    #[must_use]
    pub fn to_sql(&self, joins: &mut Joins) -> Sql {
        let mut writer = Writer { sql: Sql { text: String::new(), binds: Vec::new() }, joins };
        writer.term(&self.term, if self.is_condition { View::Number } else { View::All });
        writer.sql
    }
}

/// What of a field's values is wanted; the others are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    All,
    /// Numbers and flags.
    Number,
    /// Texts and lists.
    Text,
}

struct Writer<'a> {
    sql: Sql,
    joins: &'a mut Joins,
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.sql.text.push_str(text);
    }

    fn bind(&mut self, value: Value) {
        self.put("?");
        self.sql.binds.push(value);
    }

    fn list(&mut self, values: &[Value]) {
        for (i, value) in values.iter().enumerate() {
            self.put(if i == 0 { "" } else { ", " });
            self.bind(value.clone());
        }
    }

    fn term(&mut self, term: &Term, view: View) {
        match term {
            Term::Literal(value) => self.bind(value.clone()),
            Term::Field(name, field) => self.field(name, *field, view),
            Term::And(parts) => self.joined(parts, " and "),
            Term::Or(parts) => self.joined(parts, " or "),
            Term::Not(of) => {
                self.put("(not ");
                self.term(of, View::Number);
                self.put(")");
            }
            Term::Compare(left, how, right) if how.is_order() => self.ordered(left, *how, right),
            Term::Compare(left, how, right) => {
                self.put("(");
                let converts = may_convert(left) || may_convert(right);
                self.equated(left, converts);
                self.put(&format!(" {} ", how.sign()));
                self.equated(right, converts);
                self.put(")");
            }
            Term::In(of, list) => {
                self.put("(");
                self.equated(of, may_convert(of));
                self.put(" in (");
                self.list(list);
                self.put("))");
            }
            Term::Has(name, field, list) => {
                self.put("(exists (select 1 from json_each(");
                self.field(name, *field, View::All);
                self.put(") word where word.value in (");
                self.list(list);
                self.put(")))");
            }
            Term::IsNull(of) => {
                self.put("(");
                self.term(of, View::All);
                self.put(" is null)");
            }
            Term::Arithmetic(left, Operator::Divide, right) => {
                self.put("(cast(");
                self.term(left, View::Number);
                self.put(" as real) / nullif(");
                self.term(right, View::Number);
                self.put(", 0))");
            }
            Term::Arithmetic(left, operator, right) => {
                self.put("(");
                self.term(left, View::Number);
                self.put(&format!(" {} ", operator.sign()));
                self.term(right, View::Number);
                self.put(")");
            }
            // `0 - x` is what SQLite makes of `-x`; and two minus signs would begin a comment.
            Term::Negative(of) => {
                self.put("(0 - ");
                self.term(of, View::Number);
                self.put(")");
            }
        }
    }

    fn field(&mut self, name: &str, field: Field, view: View) {
        let wanted = match view {
            View::All => None,
            View::Number => Some("<> 'text'"),
            View::Text => Some("= 'text'"),
        };
        let column = match field.place {
            Place::Column(column) => column.to_owned(),
            Place::Param => match self.joins.place(name) {
                Some(place) => format!("p{place}.value"),
                None => return self.looked_up(name, wanted),
            },
        };
        let may_differ = field.place == Place::Param || field.kind == Kind::Any;
        match wanted.filter(|_| may_differ) {
            Some(wanted) => self.put(&format!("(case when typeof({column}) {wanted} then {column} end)")),
            None => self.put(&column),
        }
    }

    /// A parameter that is not joined.
    fn looked_up(&mut self, name: &str, wanted: Option<&str>) {
        let of = self.joins.of;
        self.put(&format!(
            "(select trial_param.value from trial_param where trial_param.sweep_id = {of}.sweep_id \
             and trial_param.trial_id = {of}.trial_id and trial_param.name = "
        ));
        self.bind(Value::Text(name.to_owned()));
        if let Some(wanted) = wanted {
            self.put(&format!(" and typeof(trial_param.value) {wanted}"));
        }
        self.put(")");
    }

    fn joined(&mut self, parts: &[Term], by: &str) {
        self.put("(");
        for (i, part) in parts.iter().enumerate() {
            self.put(if i == 0 { "" } else { by });
            self.term(part, View::Number);
        }
        self.put(")");
    }

    /// One side of `=`. The `+` keeps SQLite from converting the other side to the column's type; without
    /// need it would only keep SQLite from using an index.
    fn equated(&mut self, term: &Term, converts: bool) {
        if converts && matches!(term, Term::Field(_, Field { place: Place::Column(_), .. })) {
            self.put("+");
        }
        self.term(term, View::All);
    }

    /// Numbers with numbers, texts with texts. Where neither side says which, both are tried: at most one
    /// of the two comparisons has no null in it.
    fn ordered(&mut self, left: &Term, how: Comparison, right: &Term) {
        match known_view(left).or(known_view(right)) {
            Some(view) => self.pair(left, how, right, view),
            None => {
                self.put("coalesce(");
                self.pair(left, how, right, View::Number);
                self.put(", ");
                self.pair(left, how, right, View::Text);
                self.put(")");
            }
        }
    }

    fn pair(&mut self, left: &Term, how: Comparison, right: &Term, view: View) {
        self.put("(");
        self.term(left, view);
        self.put(&format!(" {} ", how.sign()));
        self.term(right, view);
        self.put(")");
    }
}

/// Whether a term may hold values of more than one kind, so that SQLite would convert between them.
fn may_convert(term: &Term) -> bool {
    matches!(term, Term::Field(_, Field { place: Place::Param, .. } | Field { kind: Kind::Any, .. }))
}

/// Whether a term is surely a number, or surely a text. Flags are not ordered.
fn known_view(term: &Term) -> Option<View> {
    match term {
        _ if may_convert(term) => None,
        Term::Field(_, Field { kind: Kind::Text, .. }) | Term::Literal(Value::Text(_)) => Some(View::Text),
        _ => Some(View::Number),
    }
}
