//! stub
use crate::domain::Value;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    Text,
    Flag,
    Any,
}
#[derive(Debug, Clone, Copy)]
pub enum Place {
    Column(&'static str),
    Param,
}
#[derive(Debug, Clone)]
pub struct Field {
    pub kind: Kind,
    pub place: Place,
}
pub trait Names {
    fn field(&self, name: &str) -> Option<Field>;
    fn all(&self) -> Vec<String>;
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ExprError;
#[derive(Debug, Clone, PartialEq)]
pub struct Sql {
    t: String,
    b: Vec<Value>,
}
impl Sql {
    pub fn text(&self) -> &str {
        &self.t
    }
    pub fn binds(&self) -> &[Value] {
        &self.b
    }
}
pub struct Expr;
impl Expr {
    pub fn parse(_: &str, _: &dyn Names) -> Result<Self, ExprError> {
        Err(ExprError)
    }
    pub fn parse_value(_: &str, _: &dyn Names) -> Result<Self, ExprError> {
        Err(ExprError)
    }
    pub fn to_sql(&self) -> Sql {
        Sql { t: String::new(), b: vec![] }
    }
}
