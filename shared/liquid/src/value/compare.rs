//! Equality, order and `contains`.

use std::cmp::Ordering;

use super::{DATA_DEPTH, Value, show};
use crate::ast::Operator;
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;

/// Whether two values are equal. Numbers compare by size, other types only with themselves.
pub(crate) fn equal(left: &Value<'_>, right: &Value<'_>, env: &mut Env) -> Result<bool, Kind> {
    equal_within(left, right, env, DATA_DEPTH)
}

fn equal_within(left: &Value<'_>, right: &Value<'_>, env: &mut Env, depth: usize) -> Result<bool, Kind> {
    use Value as V;
    env.work(1)?;
    Ok(match (left, right) {
        (V::Nil, V::Nil) | (V::Blank, V::Blank) | (V::Empty, V::Empty) => true,
        (V::Blank, other) | (other, V::Blank) => {
            if let V::Text(text) = other {
                env.read(text.as_str().len())?;
            }
            is_blank(other)
        }
        (V::Empty, other) | (other, V::Empty) => is_empty(other),
        (V::Bool(a), V::Bool(b)) => a == b,
        (V::Int(a), V::Int(b)) => a == b,
        (V::Int(_) | V::Float(_), V::Int(_) | V::Float(_)) => {
            super::number(left).float() == super::number(right).float()
        }
        (V::Text(a), V::Text(b)) => {
            env.read(a.as_str().len().min(b.as_str().len()))?;
            a.as_str() == b.as_str()
        }
        (V::Range(a, b), V::Range(c, d)) => (a, b) == (c, d),
        (V::Date(a), V::Date(b)) => a.timestamp() == b.timestamp(),
        (V::Map(a), V::Map(b)) => {
            if a.len() != b.len() || depth == 0 {
                return Ok(false);
            }
            for (key, a) in a.iter() {
                let Some(b) = b.get(key) else {
                    return Ok(false);
                };
                if !equal_within(&V::from_json(a), &V::from_json(b), env, depth - 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (V::List(_) | V::Array(_), V::List(_) | V::Array(_)) => {
            if left.size() != right.size() || depth == 0 {
                return Ok(false);
            }
            for at in 0..left.size().unwrap_or(0) {
                let at = V::count(at);
                if !equal_within(&left.at(&at), &right.at(&at), env, depth - 1)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

/// Nil, false, nothing in it, or white space only.
fn is_blank(value: &Value<'_>) -> bool {
    match value {
        Value::Nil | Value::Bool(false) => true,
        Value::Text(text) => text.as_str().trim_ascii().is_empty(),
        other => is_empty(other),
    }
}

/// A text, array or object with nothing in it.
fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => text.as_str().is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// `<`, `<=`, `>`, `>=`: numbers with numbers, text with text, dates with dates. Text with a
/// number is an error; anything else is false.
pub(crate) fn order(operator: Operator, left: &Value<'_>, right: &Value<'_>, env: &mut Env) -> Result<bool, Kind> {
    use Value as V;
    let ordering = match (left, right) {
        (V::Int(a), V::Int(b)) => Some(a.cmp(b)),
        (V::Int(_) | V::Float(_), V::Int(_) | V::Float(_)) => {
            super::number(left).float().partial_cmp(&super::number(right).float())
        }
        (V::Text(a), V::Text(b)) => {
            env.read(a.as_str().len().min(b.as_str().len()))?;
            Some(a.as_str().cmp(b.as_str()))
        }
        (V::Date(a), V::Date(b)) => Some(a.timestamp().cmp(&b.timestamp())),
        (V::Text(_), V::Int(_) | V::Float(_)) | (V::Int(_) | V::Float(_), V::Text(_)) => {
            return Err(Kind::Incomparable { left: left.type_name(), right: right.type_name() });
        }
        _ => None,
    };
    Ok(ordering.is_some_and(|ordering| match operator {
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::Greater => ordering.is_gt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::Equal => ordering.is_eq(),
        Operator::NotEqual => ordering.is_ne(),
        Operator::Contains => false,
    }))
}

/// `contains`: a text its parts, an array its items, an object its keys.
pub(crate) fn contains(left: &Value<'_>, right: &Value<'_>, env: &mut Env) -> Result<bool, Kind> {
    if !right.is_truthy() {
        return Ok(false);
    }
    match left {
        Value::Text(text) => {
            let part = show(right, env)?;
            env.read(text.as_str().len())?;
            env.read(part.as_str().len())?;
            Ok(text.as_str().contains(part.as_str()))
        }
        Value::Map(map) => match right {
            Value::Text(key) => Ok(map.contains_key(key.as_str())),
            _ => Ok(false),
        },
        Value::Range(first, last) => match right {
            Value::Int(item) => Ok((first..=last).contains(&item)),
            _ => Ok(false),
        },
        Value::List(_) | Value::Array(_) => {
            for at in 0..left.size().unwrap_or(0) {
                if equal(&left.at(&Value::count(at)), right, env)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}

/// A text that is the same for equal values and only for them (`1` and `1.0` differ).
pub(crate) fn key(value: &Value<'_>, env: &mut Env) -> Result<String, Kind> {
    let tag = match value {
        Value::Text(_) => "t",
        Value::Int(_) => "i",
        Value::Float(_) => "f",
        Value::Bool(_) => "b",
        _ => "o",
    };
    let text = show(value, env)?;
    let mut key = String::new();
    env.push(&mut key, tag)?;
    env.push(&mut key, text.as_str())?;
    Ok(key)
}

/// What `sort` orders by. Between two keys of one list there is always an order: a sort with an
/// inconsistent one may panic.
#[derive(Debug, Clone)]
pub(crate) enum SortKey<'a> {
    Number(f64, Option<i64>),
    Text(super::Text<'a>),
    Bool(bool),
    Date(jiff::Timestamp),
    Nil,
}

impl SortKey<'_> {
    /// Nil last; numbers by size, and where two are equal as floats a float before the exact
    /// integers.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a, exact), Self::Number(b, other)) => a.total_cmp(b).then_with(|| exact.cmp(other)),
            (Self::Text(a), Self::Text(b)) => a.as_str().cmp(b.as_str()),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(..) => 0,
            Self::Text(_) => 1,
            Self::Bool(_) => 2,
            Self::Date(_) => 3,
            Self::Nil => 4,
        }
    }

    /// Whether both can be in one list to be sorted.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        matches!(self, Self::Nil) || matches!(other, Self::Nil) || self.rank() == other.rank()
    }
}

/// The key `sort` orders a value by; arrays and objects have none.
pub(crate) fn sort_key<'a>(value: &Value<'a>) -> Option<SortKey<'a>> {
    Some(match value {
        Value::Nil | Value::Blank | Value::Empty => SortKey::Nil,
        Value::Bool(value) => SortKey::Bool(*value),
        // `+ 0.0` makes minus zero zero.
        Value::Int(int) => SortKey::Number(super::number(value).float() + 0.0, Some(*int)),
        Value::Float(float) => SortKey::Number(*float + 0.0, None),
        Value::Text(text) => SortKey::Text(text.clone()),
        Value::Date(date) => SortKey::Date(date.timestamp()),
        _ => return None,
    })
}
