//! Filters that look at a property of each item: `where`, `reject`, `find`, `has`, `map`, `sum`.
//!
//! They follow what Shopify's Ruby does with items that are no objects: a text "has" a property
//! that is a part of it, a number has none and is an error, and nil ends the search with nil.

use std::rc::Rc;

use super::array::flat;
use super::{Args, wrong};
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Number, Value, equal, number};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// Whether an item matches; `None` if it cannot be looked into.
fn matches(
    filter: &'static str,
    item: &Value<'_>,
    args: &Args<'_>,
    env: &mut Env,
) -> std::result::Result<Option<bool>, Kind> {
    env.work(1)?;
    let property = args.one();
    let found = match (item, &property) {
        (Value::Map(_), _) => item.at(&property),
        (Value::Text(text), Value::Text(part)) => {
            env.read(text.as_str().len())?;
            env.read(part.as_str().len())?;
            let found = text.as_str().contains(part.as_str());
            if found { property.clone() } else { Value::Nil }
        }
        (Value::Text(_), Value::Nil) => Value::Bool(true),
        (Value::Text(text), Value::Int(at)) => {
            let at = usize::try_from(*at).ok();
            let found = at.and_then(|at| text.as_str().chars().nth(at));
            found.map_or(Value::Nil, |c| Value::made(c.to_string()))
        }
        (Value::Int(bits), Value::Int(at)) => {
            let at = u32::try_from(*at).unwrap_or(63).min(63);
            Value::Int((bits >> at) & 1)
        }
        (Value::Text(_) | Value::Int(_), other) => {
            return Err(wrong(filter, "the name of a property", other));
        }
        _ => return Ok(None),
    };
    match args.two() {
        Value::Nil => Ok(Some(found.is_truthy())),
        target => equal(&found, &target, env).map(Some),
    }
}

/// The items that match, or do not; nil if one cannot be looked into.
fn keep<'a>(filter: &'static str, input: &Value<'a>, args: &Args<'a>, env: &mut Env, wanted: bool) -> Result<'a> {
    let mut kept = Vec::new();
    for item in flat(input, env)? {
        match matches(filter, &item, args, env)? {
            Some(found) if found == wanted => kept.push(item),
            Some(_) => {}
            None => return Ok(Value::Nil),
        }
    }
    Ok(Value::Array(Rc::from(kept)))
}

pub(super) fn filter_where<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    keep("where", &input, args, env, true)
}

pub(super) fn reject<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    keep("reject", &input, args, env, false)
}

/// The first match and its index.
fn search<'a>(
    filter: &'static str,
    input: &Value<'a>,
    args: &Args<'a>,
    env: &mut Env,
) -> std::result::Result<Option<Option<(usize, Value<'a>)>>, Kind> {
    for (at, item) in flat(input, env)?.into_iter().enumerate() {
        match matches(filter, &item, args, env)? {
            Some(true) => return Ok(Some(Some((at, item)))),
            Some(false) => {}
            None => return Ok(None),
        }
    }
    Ok(Some(None))
}

pub(super) fn find<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let found = search("find", &input, args, env)?.flatten();
    Ok(found.map_or(Value::Nil, |(_, item)| item))
}

pub(super) fn find_index<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let found = search("find_index", &input, args, env)?.flatten();
    Ok(found.map_or(Value::Nil, |(at, _)| Value::count(at)))
}

pub(super) fn has<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let found = search("has", &input, args, env)?;
    Ok(found.map_or(Value::Nil, |found| Value::Bool(found.is_some())))
}

/// The property of an item; numbers have none.
fn property<'a>(filter: &'static str, item: &Value<'a>, property: &Value<'a>) -> Result<'a> {
    match item {
        Value::Int(_) | Value::Float(_) => Err(wrong(filter, "an array of objects", item)),
        Value::Map(_) => Ok(item.at(property)),
        _ => Ok(Value::Nil),
    }
}

pub(super) fn map<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let name = args.one();
    let items = flat(&input, env)?;
    let mapped: std::result::Result<Vec<_>, Kind> = items.iter().map(|item| property("map", item, &name)).collect();
    Ok(Value::Array(Rc::from(mapped?)))
}

pub(super) fn sum<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let mut total = Number::Int(0);
    for item in flat(&input, env)? {
        let value = match args.first() {
            None | Some(Value::Nil) => item,
            Some(name) => property("sum", &item, name)?,
        };
        for part in flat(&value, env)? {
            env.work(1)?;
            total = total.add(number(&part))?;
        }
    }
    total.value()
}
