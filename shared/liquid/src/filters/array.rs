//! Filters on arrays. A single value is an array of one, an object too; nil is an empty array.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value as Json;

use super::{Args, wrong};
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Items, Value, key, show, strict_integer};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// The items of an input, arrays inside arrays flattened.
pub(super) fn flat<'a>(input: &Value<'a>, env: &mut Env) -> std::result::Result<Vec<Value<'a>>, Kind> {
    let mut items = Vec::new();
    match input {
        Value::Nil => {}
        Value::List(list) => flatten(list, &mut items, env)?,
        Value::Array(array) => {
            for item in array.iter() {
                // Arrays in made arrays are pairs or data: one level, then data.
                match item {
                    Value::Array(inner) => {
                        env.make_items(inner.len())?;
                        items.extend(inner.iter().cloned());
                    }
                    Value::List(list) => flatten(list, &mut items, env)?,
                    item => {
                        env.make_items(1)?;
                        items.push(item.clone());
                    }
                }
            }
        }
        Value::Range(..) => {
            let range = Items::of(input.clone(), env)?;
            env.make_items(range.len())?;
            items.extend((0..range.len()).map(|at| range.item(at)));
        }
        single => items.push(single.clone()),
    }
    Ok(items)
}

/// Flattens with a stack of its own, so that no depth of the data can exhaust ours.
fn flatten<'a>(list: &'a [Json], items: &mut Vec<Value<'a>>, env: &mut Env) -> std::result::Result<(), Kind> {
    let mut open = vec![list.iter()];
    while let Some(level) = open.last_mut() {
        match level.next() {
            None => {
                open.pop();
            }
            Some(Json::Array(inner)) => {
                env.make_items(1)?;
                open.push(inner.iter());
            }
            Some(item) => {
                env.make_items(1)?;
                items.push(Value::from_json(item));
            }
        }
    }
    Ok(())
}

fn array<'a>(items: Vec<Value<'a>>) -> Value<'a> {
    Value::Array(Rc::from(items))
}

pub(super) fn first<'a>(input: Value<'a>, _: &Args<'a>, _: &mut Env) -> Result<'a> {
    Ok(input.first())
}

pub(super) fn last<'a>(input: Value<'a>, _: &Args<'a>, _: &mut Env) -> Result<'a> {
    Ok(input.last())
}

pub(super) fn size<'a>(input: Value<'a>, _: &Args<'a>, _: &mut Env) -> Result<'a> {
    Ok(Value::count(input.size().unwrap_or(0)))
}

pub(super) fn join<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let between = match args.first() {
        Some(between) => show(between, env)?,
        None => crate::value::Text::borrowed(" "),
    };
    let mut text = String::new();
    for (at, item) in flat(&input, env)?.iter().enumerate() {
        if at > 0 {
            env.push(&mut text, between.as_str())?;
        }
        let item = show(item, env)?;
        env.push(&mut text, item.as_str())?;
    }
    Ok(Value::made(text))
}

pub(super) fn reverse<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let mut items = flat(&input, env)?;
    items.reverse();
    Ok(array(items))
}

pub(super) fn concat<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let other = args.one();
    if !matches!(other, Value::List(_) | Value::Array(_) | Value::Range(..)) {
        return Err(wrong("concat", "an array", &other));
    }
    let mut items = flat(&input, env)?;
    items.extend(flat(&other, env)?);
    Ok(array(items))
}

/// The value of an item that a filter with a property looks at.
pub(super) fn property<'a>(item: &Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    match args.first() {
        None | Some(Value::Nil) => Ok(item.clone()),
        Some(property) => item.look(property, env),
    }
}

pub(super) fn compact<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let mut kept = Vec::new();
    for item in flat(&input, env)? {
        if !matches!(property(&item, args, env)?, Value::Nil) {
            kept.push(item);
        }
    }
    Ok(array(kept))
}

pub(super) fn uniq<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for item in flat(&input, env)? {
        let property = property(&item, args, env)?;
        if seen.insert(key(&property, env)?) {
            kept.push(item);
        }
    }
    Ok(array(kept))
}

/// A part of an array, or of the characters of a text.
pub(super) fn slice<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let whole = |value: &Value<'a>| strict_integer(value).ok_or_else(|| wrong("slice", "a whole number", value));
    let start = whole(&args.one())?;
    let length = match args.second() {
        None | Some(Value::Nil) => 1,
        Some(length) => whole(length)?,
    };
    let is_array = matches!(input, Value::List(_) | Value::Array(_) | Value::Range(..));
    if is_array {
        let items = Items::of(input, env)?;
        let (from, to) = bounds(start, length, items.len());
        env.make_items(to - from)?;
        return Ok(array((from..to).map(|at| items.item(at)).collect()));
    }
    let text = show(&input, env)?;
    let text = text.as_str();
    let (from, to) = bounds(start, length, text.chars().count());
    env.make(text.len())?;
    Ok(Value::made(text.chars().skip(from).take(to - from).collect()))
}

/// Where a slice starts and ends; a negative start counts from the end.
fn bounds(start: i64, length: i64, size: usize) -> (usize, usize) {
    let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    let from = if start < 0 { size.checked_sub(distance) } else { Some(distance) };
    let length = usize::try_from(length).unwrap_or(0);
    match from.filter(|from| *from <= size) {
        Some(from) => (from, from.saturating_add(length).min(size)),
        None => (0, 0),
    }
}
