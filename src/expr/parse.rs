//! From tokens to a tree, by recursive descent: one function for each level of binding, loosest first.

use super::error::quoted;
use super::lex::{Key, Lexeme, Token, lex, too_large};
use super::syntax::{Node, Shape};
use super::term::{Comparison, Operator};
use super::{DEEPEST, ExprError, Problem};
use crate::domain::Value;
use std::ops::Range;

/// Reads a whole text as one expression.
pub(super) fn parse(text: &str) -> Result<Node, ExprError> {
    let mut parser = Parser { text, lexemes: lex(text)?, next: 0, level: 0 };
    let node = parser.disjunction()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.expected("an operator or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The last one is `End`, and never consumed.
    lexemes: Vec<Lexeme<'a>>,
    next: usize,
    /// How many recursions are open.
    level: usize,
}

impl<'a> Parser<'a> {
    fn disjunction(&mut self) -> Result<Node, ExprError> {
        self.joined(Key::Or, Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<Node, ExprError> {
        self.joined(Key::And, Self::negation)
    }

    /// Parts joined by `and` or `or`. Those that are joined the same way in parentheses become parts of
    /// the whole, for the order of joining means nothing.
    fn joined(
        &mut self,
        key: Key,
        part: fn(&mut Self) -> Result<Node, ExprError>,
    ) -> Result<Node, ExprError> {
        let first = part(self)?;
        if *self.peek() != Token::Key(key) {
            return Ok(first);
        }
        let mut at = first.at.clone();
        let mut parts = Vec::new();
        let mut add = |node: Node| match (node.shape, key) {
            (Shape::And(inner), Key::And) | (Shape::Or(inner), Key::Or) => parts.extend(inner),
            (shape, _) => parts.push(Node { shape, ..node }),
        };
        add(first);
        while self.take(&Token::Key(key)) {
            let node = part(self)?;
            at.end = node.at.end;
            add(node);
        }
        let shape = if key == Key::And { Shape::And(parts) } else { Shape::Or(parts) };
        self.node(shape, at)
    }

    fn negation(&mut self) -> Result<Node, ExprError> {
        let start = self.at().start;
        if !self.take(&Token::Key(Key::Not)) {
            return self.comparison();
        }
        let of = self.deeper(Self::negation)?;
        let at = start..of.at.end;
        self.node(Shape::Not(Box::new(of)), at)
    }

    /// At most one comparison: `a < b < c` would mean something else than it says.
    fn comparison(&mut self) -> Result<Node, ExprError> {
        let left = self.sum()?;
        let start = left.at.start;
        let is_negated = self.take(&Token::Key(Key::Not));
        let shape = match *self.peek() {
            Token::Key(Key::In) => {
                self.next += 1;
                Shape::In(Box::new(left), self.list()?)
            }
            _ if is_negated => return Err(self.expected("`in`")),
            Token::Key(Key::Is) => {
                self.next += 1;
                let is_not = self.take(&Token::Key(Key::Not));
                if !self.take(&Token::Key(Key::Null)) {
                    return Err(self.expected(if is_not { "`null`" } else { "`null` or `not null`" }));
                }
                let is_null = Shape::IsNull(Box::new(left));
                if is_not { self.negated(is_null, start)? } else { is_null }
            }
            Token::Sign(sign) => {
                let Some(comparison) = Comparison::from_sign(sign) else { return Ok(left) };
                self.next += 1;
                Shape::Compare(Box::new(left), comparison, Box::new(self.sum()?))
            }
            _ => return Ok(left),
        };
        let shape = if is_negated { self.negated(shape, start)? } else { shape };
        if self.is_comparison() {
            return Err(self.expected("`and`, `or` or the end (comparisons do not chain)"));
        }
        self.node(shape, start..self.end())
    }

    fn negated(&self, shape: Shape, start: usize) -> Result<Shape, ExprError> {
        Ok(Shape::Not(Box::new(self.node(shape, start..self.end())?)))
    }

    fn is_comparison(&self) -> bool {
        match self.peek() {
            Token::Sign(sign) => Comparison::from_sign(sign).is_some(),
            Token::Key(Key::In | Key::Is | Key::Not) => true,
            _ => false,
        }
    }

    /// `[1, 2]` or `(1, 2)`, with at least one value.
    fn list(&mut self) -> Result<Vec<Node>, ExprError> {
        let closing = match self.peek() {
            Token::Sign("[") => "]",
            Token::Sign("(") => ")",
            _ => return Err(self.expected("a list such as [1, 2]")),
        };
        self.next += 1;
        let mut items = vec![self.item()?];
        while self.take(&Token::Sign(",")) {
            items.push(self.item()?);
        }
        if self.take(&Token::Sign(closing)) {
            Ok(items)
        } else {
            Err(self.expected(format!("`,` or `{closing}`")))
        }
    }

    /// A literal or a word.
    fn item(&mut self) -> Result<Node, ExprError> {
        const EXPECTED: &str = "a number, a text, true or false";
        match self.peek() {
            Token::Int(_) | Token::Float(_) | Token::Text(_) | Token::Word(_) | Token::Sign("-") => {}
            Token::Key(Key::True | Key::False) => {}
            _ => return Err(self.expected(EXPECTED)),
        }
        let node = self.negative()?;
        match node.shape {
            Shape::Literal(_) | Shape::Name(_) => Ok(node),
            _ => {
                let found = quoted(&self.text[node.at.clone()]);
                Err(ExprError::expected(self.text, node.at.start, EXPECTED, found))
            }
        }
    }

    fn sum(&mut self) -> Result<Node, ExprError> {
        self.arithmetic(false, Self::product)
    }

    fn product(&mut self) -> Result<Node, ExprError> {
        self.arithmetic(true, Self::negative)
    }

    /// Operators of one level, from left to right.
    fn arithmetic(
        &mut self,
        is_product: bool,
        operand: fn(&mut Self) -> Result<Node, ExprError>,
    ) -> Result<Node, ExprError> {
        let mut left = operand(self)?;
        loop {
            let Token::Sign(sign) = *self.peek() else { return Ok(left) };
            let Some(operator) = Operator::from_sign(sign).filter(|o| o.is_product() == is_product) else {
                return Ok(left);
            };
            self.next += 1;
            let right = operand(self)?;
            let at = left.at.start..right.at.end;
            left = self.node(Shape::Arithmetic(Box::new(left), operator, Box::new(right)), at)?;
        }
    }

    /// A minus before a number is part of the number.
    fn negative(&mut self) -> Result<Node, ExprError> {
        let start = self.at().start;
        if !self.take(&Token::Sign("-")) {
            return self.primary();
        }
        if let Token::Int(magnitude) = *self.peek() {
            self.next += 1;
            let at = start..self.end();
            let value = 0_i64
                .checked_sub_unsigned(magnitude)
                .ok_or_else(|| too_large(self.text, start, &self.text[at.clone()]))?;
            return self.node(Shape::Literal(Value::Int(value)), at);
        }
        let of = self.deeper(Self::negative)?;
        let at = start..of.at.end;
        let shape = match of.shape {
            Shape::Literal(Value::Float(x)) => Shape::Literal(Value::Float(-x)),
            Shape::Literal(Value::Int(i)) if i != i64::MIN => Shape::Literal(Value::Int(-i)),
            _ => Shape::Negative(Box::new(of)),
        };
        self.node(shape, at)
    }

    fn primary(&mut self) -> Result<Node, ExprError> {
        let at = self.at();
        let shape = match self.peek().clone() {
            Token::Word(name) => Shape::Name(name.to_owned()),
            Token::Int(magnitude) => match i64::try_from(magnitude) {
                Ok(i) => Shape::Literal(Value::Int(i)),
                Err(_) => return Err(too_large(self.text, at.start, &self.text[at])),
            },
            Token::Float(x) => Shape::Literal(Value::Float(x)),
            Token::Text(text) => Shape::Literal(Value::Text(text)),
            Token::Key(Key::True) => Shape::Literal(Value::Bool(true)),
            Token::Key(Key::False) => Shape::Literal(Value::Bool(false)),
            Token::Sign("(") => return self.parenthesised(),
            Token::Sign("[") => return Err(self.expected("a value (a list stands only after `in`)")),
            Token::Key(Key::Null) => return Err(self.expected("a value (null stands only after `is`)")),
            _ => return Err(self.expected("a name or a value")),
        };
        self.next += 1;
        self.node(shape, at)
    }

    fn parenthesised(&mut self) -> Result<Node, ExprError> {
        let start = self.at().start;
        self.next += 1;
        let node = self.deeper(Self::disjunction)?;
        if self.take(&Token::Sign(")")) {
            // The parentheses are quoted with their content.
            Ok(Node { at: start..self.end(), ..node })
        } else {
            Err(self.expected("an operator or `)`"))
        }
    }

    /// Every recursion goes through here, so that no text can exhaust the stack.
    fn deeper(&mut self, part: fn(&mut Self) -> Result<Node, ExprError>) -> Result<Node, ExprError> {
        if self.level == DEEPEST {
            return Err(ExprError::new(self.text, self.at().start, Problem::TooDeep));
        }
        self.level += 1;
        let node = part(self);
        self.level -= 1;
        node
    }

    /// Every node comes from here, so that no tree is higher than it may be.
    fn node(&self, shape: Shape, at: Range<usize>) -> Result<Node, ExprError> {
        let node = Node::new(shape, at);
        if node.height > DEEPEST {
            return Err(ExprError::new(self.text, node.at.start, Problem::TooDeep));
        }
        Ok(node)
    }

    fn peek(&self) -> &Token<'a> {
        &self.lexemes[self.next].token
    }

    /// Where the next token is.
    fn at(&self) -> Range<usize> {
        self.lexemes[self.next].at.clone()
    }

    /// Where the last token ended.
    fn end(&self) -> usize {
        self.lexemes[self.next.saturating_sub(1)].at.end
    }

    /// Consumes the next token if it is that one.
    fn take(&mut self, token: &Token<'_>) -> bool {
        let is_it = self.peek() == token;
        self.next += usize::from(is_it);
        is_it
    }

    /// The next token is not what should stand there.
    fn expected(&self, what: impl Into<String>) -> ExprError {
        ExprError::expected(self.text, self.at().start, what, quoted(&self.text[self.at()]))
    }
}
