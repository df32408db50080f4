//! Values as text.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::{DATA_DEPTH, Text, Value};
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;

/// The text of a value: arrays are their items' texts in a row, objects look like Ruby's.
pub(crate) fn show<'a>(value: &Value<'a>, env: &mut Env) -> Result<Text<'a>, Kind> {
    let mut text = String::new();
    match value {
        Value::Text(text) => return Ok(text.clone()),
        Value::Nil | Value::Blank | Value::Empty | Value::Loop(_) => return Ok(Text::borrowed("")),
        Value::Bool(true) => return Ok(Text::borrowed("true")),
        Value::Bool(false) => return Ok(Text::borrowed("false")),
        Value::Int(int) => env.push(&mut text, &int.to_string())?,
        Value::Float(float) => write_float(&mut text, *float),
        Value::Range(first, last) => env.push(&mut text, &format!("{first}..{last}"))?,
        Value::Date(date) => env.push(&mut text, &crate::date::show(date))?,
        Value::Array(items) => {
            for item in items.iter() {
                env.work(1)?;
                let item = show_item(item, env)?;
                env.push(&mut text, item.as_str())?;
            }
        }
        Value::List(items) => show_list(items, &mut text, env, DATA_DEPTH)?,
        Value::Map(_) => inspect(value, &mut text, env, DATA_DEPTH)?,
    }
    Ok(Text::made(text))
}

/// Items of a made array are scalars, data, or pairs of those: one more level at most.
fn show_item<'a>(item: &Value<'a>, env: &mut Env) -> Result<Text<'a>, Kind> {
    let Value::Array(items) = item else {
        return show(item, env);
    };
    let mut text = String::new();
    for item in items.iter() {
        env.work(1)?;
        if !matches!(item, Value::Array(_)) {
            let item = show(item, env)?;
            env.push(&mut text, item.as_str())?;
        }
    }
    Ok(Text::made(text))
}

fn show_list(items: &[Json], text: &mut String, env: &mut Env, depth: usize) -> Result<(), Kind> {
    for item in items {
        env.work(1)?;
        match item {
            Json::Array(items) if depth > 0 => show_list(items, text, env, depth - 1)?,
            Json::Array(_) => {}
            Json::Object(_) => inspect(&Value::from_json(item), text, env, depth)?,
            scalar => {
                let scalar = show(&Value::from_json(scalar), env)?;
                env.push(text, scalar.as_str())?;
            }
        }
    }
    Ok(())
}

/// A value inside an object: `{"a"=>[1, nil]}`
fn inspect(value: &Value<'_>, text: &mut String, env: &mut Env, depth: usize) -> Result<(), Kind> {
    env.work(1)?;
    match value {
        _ if depth == 0 => env.push(text, "…"),
        Value::Nil => env.push(text, "nil"),
        Value::Text(inner) => {
            env.make(inner.as_str().len())?;
            let quoted = format!("{:?}", inner.as_str());
            env.push(text, &quoted)
        }
        Value::List(items) => {
            env.push(text, "[")?;
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    env.push(text, ", ")?;
                }
                inspect(&Value::from_json(item), text, env, depth - 1)?;
            }
            env.push(text, "]")
        }
        Value::Map(map) => {
            env.push(text, "{")?;
            for (at, (key, item)) in map.iter().enumerate() {
                if at > 0 {
                    env.push(text, ", ")?;
                }
                inspect(&Value::text(key), text, env, depth - 1)?;
                env.push(text, "=>")?;
                inspect(&Value::from_json(item), text, env, depth - 1)?;
            }
            env.push(text, "}")
        }
        scalar => {
            let scalar = show(scalar, env)?;
            env.push(text, scalar.as_str())
        }
    }
}

/// A float as Ruby writes it: always with a point, with an exponent from 1e16 and below 1e-4.
pub(crate) fn write_float(text: &mut String, float: f64) {
    let size = float.abs();
    let written = if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let written = format!("{float:e}");
        let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        format!("{digits}{point}e{sign}{exponent:0>2}")
    } else {
        format!("{float:?}")
    };
    // Writing to a string cannot fail.
    let _ = text.write_str(&written);
}

/// Appends with `& < > " '` escaped.
pub(crate) fn escape_into(target: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (plain, special) = rest.split_at(at);
        target.push_str(plain);
        target.push_str(match special.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "&#39;",
        });
        rest = special.get(1..).unwrap_or_default();
    }
    target.push_str(rest);
}
