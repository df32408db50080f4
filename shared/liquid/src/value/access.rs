//! Looking into values: keys, indexes, items.

use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::{LoopState, Number, Text, Value, number};
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;

impl<'a> Value<'a> {
    /// The value under `key`, or nil. `size`, `first` and `last` exist on all collections.
    pub(crate) fn get(&self, key: &str) -> Value<'a> {
        if let Self::Map(map) = self
            && let Some(found) = map.get(key)
        {
            return Value::from_json(found);
        }
        match (self, key) {
            (Self::Loop(state), _) => state.get(key),
            (_, "size") => self.size().map_or(Value::Nil, Value::count),
            (_, "first") => self.first(),
            (_, "last") => self.last(),
            _ => Value::Nil,
        }
    }

    /// The value under an index that was computed.
    pub(crate) fn at(&self, index: &Value<'_>) -> Value<'a> {
        match (self, index) {
            (_, Value::Text(key)) => self.get(key.as_str()),
            (Self::Map(_), Value::Int(key)) => self.get(&key.to_string()),
            (_, Value::Int(_) | Value::Float(_)) => {
                let at = match number(index) {
                    Number::Int(at) => at,
                    Number::Float(_) => return Value::Nil,
                };
                let Some(length) = self.array_length() else {
                    return Value::Nil;
                };
                let at = match usize::try_from(at) {
                    Ok(at) => Some(at),
                    Err(_) => usize::try_from(at.unsigned_abs()).ok().and_then(|n| length.checked_sub(n)),
                };
                at.and_then(|at| self.item(at)).unwrap_or(Value::Nil)
            }
            _ => Value::Nil,
        }
    }

    /// As [`Value::at`], paid for: the size and the last of a text are found by reading it.
    pub(crate) fn look(&self, index: &Value<'_>, env: &mut Env) -> Result<Value<'a>, Kind> {
        env.work(1)?;
        if let Self::Text(text) = self {
            env.read(text.as_str().len())?;
        }
        Ok(self.at(index))
    }

    fn array_length(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(items.len()),
            Self::Array(items) => Some(items.len()),
            Self::Range(first, last) => Some(range_length(*first, *last)),
            _ => None,
        }
    }

    /// The item of an array or range.
    fn item(&self, at: usize) -> Option<Value<'a>> {
        match self {
            Self::List(items) => items.get(at).map(Value::from_json),
            Self::Array(items) => items.get(at).cloned(),
            Self::Range(first, last) => {
                let item = first.checked_add(i64::try_from(at).ok()?)?;
                (item <= *last).then_some(Value::Int(item))
            }
            _ => None,
        }
    }

    /// How many items or characters it has; `None` if it has neither.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.as_str().chars().count()),
            Self::Map(map) => Some(map.len()),
            _ => self.array_length(),
        }
    }

    /// The first item, character or pair; nil if there is none.
    pub(crate) fn first(&self) -> Value<'a> {
        match self {
            Self::Text(text) => {
                let end = |text: &str| text.chars().next().map_or(0, char::len_utf8);
                part(text, |text| 0..end(text))
            }
            Self::Map(map) => map.iter().next().map_or(Value::Nil, pair),
            _ => self.item(0).unwrap_or(Value::Nil),
        }
    }

    /// The last item or character; nil if there is none.
    pub(crate) fn last(&self) -> Value<'a> {
        match self {
            Self::Text(text) => part(text, |text| {
                let start = text.char_indices().next_back().map_or(0, |(at, _)| at);
                start..text.len()
            }),
            _ => {
                let last = self.array_length().and_then(|length| length.checked_sub(1));
                last.and_then(|at| self.item(at)).unwrap_or(Value::Nil)
            }
        }
    }
}

fn part<'a>(text: &Text<'a>, cut: impl FnOnce(&str) -> std::ops::Range<usize>) -> Value<'a> {
    Value::Text(text.part(cut).with_safe(false))
}

/// A key and its value, as an array of two.
fn pair<'a>((key, value): (&'a String, &'a Json)) -> Value<'a> {
    Value::Array(Rc::new([Value::text(key), Value::from_json(value)]))
}

fn range_length(first: i64, last: i64) -> usize {
    let length = i128::from(last) - i128::from(first) + 1;
    usize::try_from(length.max(0)).unwrap_or(usize::MAX)
}

impl<'a> LoopState<'a> {
    fn get(&self, key: &str) -> Value<'a> {
        let index = self.index.get();
        let left = self.length.saturating_sub(index);
        if let (Some(columns), Some(place)) = (self.columns, key.strip_prefix("col")) {
            let column = index % columns.max(1);
            return match place {
                "" => Value::count(column + 1),
                "0" => Value::count(column),
                "_first" => Value::Bool(column == 0),
                "_last" => Value::Bool(column + 1 == columns || left == 1),
                _ => Value::Nil,
            };
        }
        match key {
            "index" => Value::count(index + 1),
            "index0" => Value::count(index),
            "rindex" => Value::count(left),
            "rindex0" => Value::count(left.saturating_sub(1)),
            "first" => Value::Bool(index == 0),
            "last" => Value::Bool(left == 1),
            "length" => Value::count(self.length),
            "name" => Value::text(self.name),
            "row" => match self.columns {
                Some(columns) => Value::count(index / columns.max(1) + 1),
                None => Value::Nil,
            },
            "parentloop" => self.parent.clone().map_or(Value::Nil, Value::Loop),
            _ => Value::Nil,
        }
    }
}

/// The items a loop walks.
#[derive(Debug)]
pub(crate) struct Items<'a> {
    source: Value<'a>,
    length: usize,
}

impl<'a> Items<'a> {
    /// The items of a value: of an array or range its items, of an object its pairs, of a text
    /// itself; nothing else has any.
    pub(crate) fn of(value: Value<'a>, env: &mut Env) -> Result<Self, Kind> {
        let source = match value {
            Value::Map(map) => pairs(map, env)?,
            Value::Text(text) if !text.as_str().is_empty() => Value::Array(Rc::new([Value::Text(text)])),
            Value::Range(..) | Value::List(_) | Value::Array(_) => value,
            _ => Value::Array(Rc::new([])),
        };
        let length = source.array_length().unwrap_or(0);
        let limit = env.limits.range_items;
        if matches!(source, Value::Range(..)) && length > limit {
            return Err(Kind::RangeTooLong { limit });
        }
        Ok(Self { source, length })
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// One of them; nil past the end.
    pub(crate) fn item(&self, at: usize) -> Value<'a> {
        self.source.item(at).unwrap_or(Value::Nil)
    }
}

fn pairs<'a>(map: &'a Map<String, Json>, env: &mut Env) -> Result<Value<'a>, Kind> {
    env.make_items(map.len().saturating_mul(3))?;
    Ok(Value::Array(map.iter().map(pair).collect()))
}
