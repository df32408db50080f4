//! The values of a render: borrowed from the data where they come from there.

mod access;
mod compare;
mod decimal;
mod number;
mod show;

use std::cell::Cell;
use std::rc::Rc;

use jiff::Zoned;
use serde_json::{Map, Value as Json};

pub(crate) use self::access::Items;
pub(crate) use self::compare::{contains, equal, key, order, sort_key};
pub(crate) use self::number::{Number, integer, number, strict_integer};
pub(crate) use self::show::{escape_into, show, write_float};

/// Depth of arrays and objects that are looked into when comparing or printing. `serde_json`
/// itself stops at 128 when it parses.
pub(crate) const DATA_DEPTH: usize = 130;

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Nil,
    /// The word `blank`.
    Blank,
    /// The word `empty`.
    Empty,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text<'a>),
    /// An array of the data.
    List(&'a [Json]),
    /// An object of the data.
    Map(&'a Map<String, Json>),
    /// An array made by a filter.
    Array(Rc<[Value<'a>]>),
    /// `(first..last)`, both included.
    Range(i64, i64),
    /// `forloop` or `tablerowloop`
    Loop(Rc<LoopState<'a>>),
    /// A date with its zone.
    Date(Rc<Zoned>),
}

/// A text, and whether it is HTML that must not be escaped again.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    body: Body<'a>,
    pub(crate) safe: bool,
}

#[derive(Debug, Clone)]
enum Body<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

/// Where a loop is.
#[derive(Debug)]
pub(crate) struct LoopState<'a> {
    pub(crate) name: &'a str,
    pub(crate) length: usize,
    pub(crate) index: Cell<usize>,
    /// The `for` around this one.
    pub(crate) parent: Option<Rc<LoopState<'a>>>,
    /// Columns of a table row; `None` in `for`.
    pub(crate) columns: Option<usize>,
}

impl<'a> Text<'a> {
    /// Text of the data or the template.
    pub(crate) fn borrowed(text: &'a str) -> Self {
        Self { body: Body::Borrowed(text), safe: false }
    }

    /// Text made while rendering.
    pub(crate) fn made(text: String) -> Self {
        Self { body: Body::Shared(text.into()), safe: false }
    }

    /// The same text with another mark.
    pub(crate) fn with_safe(mut self, safe: bool) -> Self {
        self.safe = safe;
        self
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        match &self.body {
            Body::Borrowed(text) => text,
            Body::Shared(text) => text,
        }
    }

    /// A part of the text, `cut` from it: borrowed again if this was.
    pub(crate) fn part(&self, cut: impl FnOnce(&str) -> std::ops::Range<usize>) -> Self {
        let range = cut(self.as_str());
        let body = match &self.body {
            Body::Borrowed(text) => Body::Borrowed(text.get(range).unwrap_or_default()),
            Body::Shared(text) => Body::Shared(text.get(range).unwrap_or_default().into()),
        };
        Self { body, safe: self.safe }
    }
}

impl<'a> Value<'a> {
    /// Borrows from the data.
    pub(crate) fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Float(number.as_f64().unwrap_or(0.0)),
            },
            Json::String(text) => Self::Text(Text::borrowed(text)),
            Json::Array(items) => Self::List(items),
            Json::Object(map) => Self::Map(map),
        }
    }

    /// Borrows text.
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Text::borrowed(text))
    }

    /// Text made while rendering.
    pub(crate) fn made(text: String) -> Self {
        Self::Text(Text::made(text))
    }

    /// A count.
    pub(crate) fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Everything is true but nil and false.
    pub(crate) fn is_truthy(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    /// The name of its type in messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Blank => "blank",
            Self::Empty => "empty",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) | Self::Array(_) => "an array",
            Self::Map(_) => "an object",
            Self::Range(..) => "a range",
            Self::Loop(_) => "a loop",
            Self::Date(_) => "a date",
        }
    }
}
