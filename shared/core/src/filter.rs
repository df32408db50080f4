//! Asking one property one thing: the operators of the Track API's product, with their rules for null.
//!
//! Values are compared by type: the text `"5"` is not the number `5`. Texts are case-sensitive.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::span::Span;
use crate::wait::Moment;

/// What is asked of a property's value. Null and absent are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// `true`: there is a value. `false`: there is none.
    IsSet(bool),
    /// The same value. False if null.
    Equals(Scalar),
    /// Another value. True if null.
    NotEquals(Scalar),
    /// The text contains this one. False if null or not text.
    Contains(String),
    /// The text does not contain this one. True if empty; false if null or not text.
    DoesNotContain(String),
    /// A greater number, or a later date. False if null or of another type.
    GreaterThan(Threshold),
    /// A smaller number, or an earlier date. False if null or of another type.
    LessThan(Threshold),
    /// A date not longer ago than this, and not in the future. False if null or not a date.
    InTheLast(Span),
    /// A date ahead by no more than this, and not in the past. False if null or not a date.
    InTheNext(Span),
}

/// A value that can be equal to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Flag(bool),
    /// A number; `1` equals `1.0`.
    Number(Number),
    /// A text, case-sensitive.
    Text(String),
}

/// What a number or a date is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Scalar", into = "Scalar")]
pub enum Threshold {
    /// Compared with numbers only.
    Number(Number),
    /// Compared with dates only: ISO-8601, UTC where no offset is given.
    Date(Timestamp),
}

/// A threshold that is neither a number nor a date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a number nor a date; write a number without quotes, or a date like `2027-01-31`")]
pub struct ThresholdError(String);

impl Test {
    /// Whether `value` passes; `None` is a property that is not there.
    #[must_use]
    pub fn passes(&self, value: Option<&Value>, now: Timestamp) -> bool {
        let value = value.filter(|value| !value.is_null());
        let text = value.and_then(Value::as_str);
        let date = || text.and_then(instant);
        match self {
            Self::IsSet(expected) => value.is_some() == *expected,
            Self::Equals(other) => value.is_some_and(|value| other.equals(value)),
            Self::NotEquals(other) => value.is_none_or(|value| !other.equals(value)),
            Self::Contains(part) => text.is_some_and(|text| text.contains(part.as_str())),
            Self::DoesNotContain(part) => text.is_some_and(|text| text.is_empty() || !text.contains(part.as_str())),
            Self::GreaterThan(threshold) => {
                value.is_some_and(|value| threshold.order(value).is_some_and(std::cmp::Ordering::is_gt))
            }
            Self::LessThan(threshold) => {
                value.is_some_and(|value| threshold.order(value).is_some_and(std::cmp::Ordering::is_lt))
            }
            Self::InTheLast(span) => date().is_some_and(|at| at <= now && at >= span.before(now)),
            Self::InTheNext(span) => date().is_some_and(|at| at >= now && at <= span.after(now)),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsSet(true) => write!(f, "is set"),
            Self::IsSet(false) => write!(f, "is not set"),
            Self::Equals(other) => write!(f, "equals {other}"),
            Self::NotEquals(other) => write!(f, "does not equal {other}"),
            Self::Contains(part) => write!(f, "contains \"{part}\""),
            Self::DoesNotContain(part) => write!(f, "does not contain \"{part}\""),
            Self::GreaterThan(threshold) => write!(f, "is greater than {threshold}"),
            Self::LessThan(threshold) => write!(f, "is less than {threshold}"),
            Self::InTheLast(span) => write!(f, "is in the last {span}"),
            Self::InTheNext(span) => write!(f, "is in the next {span}"),
        }
    }
}

impl Scalar {
    fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Flag(left), Value::Bool(right)) => left == right,
            (Self::Number(left), Value::Number(right)) => compare(right, left).is_some_and(std::cmp::Ordering::is_eq),
            (Self::Text(left), Value::String(right)) => left == right,
            _ => false,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

impl Threshold {
    /// How `value` stands to the threshold; `None` where they cannot be compared.
    fn order(&self, value: &Value) -> Option<std::cmp::Ordering> {
        match (self, value) {
            (Self::Number(threshold), Value::Number(number)) => compare(number, threshold),
            (Self::Date(threshold), Value::String(text)) => instant(text).map(|at| at.cmp(threshold)),
            _ => None,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Date(at) => write!(f, "{at}"),
        }
    }
}

impl TryFrom<Scalar> for Threshold {
    type Error = ThresholdError;
    fn try_from(scalar: Scalar) -> Result<Self, ThresholdError> {
        match scalar {
            Scalar::Number(number) => Ok(Self::Number(number)),
            Scalar::Text(text) => instant(&text).map(Self::Date).ok_or(ThresholdError(text)),
            Scalar::Flag(flag) => Err(ThresholdError(flag.to_string())),
        }
    }
}

impl From<Threshold> for Scalar {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::Number(number) => Self::Number(number),
            Threshold::Date(at) => Self::Text(at.to_string()),
        }
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or a date in ISO-8601 (UTC where it has no offset).",
            "type": ["number", "string"],
            "format": "threshold",
            "examples": [100, "2027-01-31", "2027-01-31T09:00:00+01:00"],
        })
    }
}

/// Numbers in their order: exact between whole numbers, else as 64-bit floats.
fn compare(left: &Number, right: &Number) -> Option<std::cmp::Ordering> {
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        return Some(left.cmp(&right));
    }
    left.as_f64()?.partial_cmp(&right.as_f64()?)
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Reads a date: ISO-8601 with an offset; without one, or without a time, it is read as UTC.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    match Moment::parse(text)? {
        Moment::Instant(at) => Some(at),
        Moment::Local(wall) => wall.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
    }
}

#[cfg(test)]
mod tests;
