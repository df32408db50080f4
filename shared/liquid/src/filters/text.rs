//! Filters on text. What is no text is its printed form.
//!
//! Filters that only cut white space or change case keep the mark of safe HTML; all others make
//! text that is escaped again, since cutting HTML elsewhere can change what it means.

use std::rc::Rc;

use super::{Args, wrong};
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Text, Value, show, strict_integer};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// A part of the input, as safe as it.
fn part<'a>(input: &Value<'a>, env: &mut Env, cut: impl FnOnce(&str) -> std::ops::Range<usize>) -> Result<'a> {
    let text = show(input, env)?;
    env.make(text.as_str().len())?;
    Ok(Value::Text(text.part(cut)))
}

/// A new text from the input, as safe as it.
fn remade<'a>(input: &Value<'a>, env: &mut Env, make: impl FnOnce(&str) -> String) -> Result<'a> {
    let text = show(input, env)?;
    // Changing case can at most triple the bytes of a character.
    env.make(text.as_str().len().saturating_mul(3))?;
    Ok(Value::Text(Text::made(make(text.as_str())).with_safe(text.safe)))
}

pub(super) fn strip<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    part(&input, env, |text| {
        let start = text.len() - text.trim_start().len();
        start..start + text.trim().len()
    })
}

pub(super) fn lstrip<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    part(&input, env, |text| text.len() - text.trim_start().len()..text.len())
}

pub(super) fn rstrip<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    part(&input, env, |text| 0..text.trim_end().len())
}

pub(super) fn strip_newlines<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    remade(&input, env, |text| text.replace("\r\n", "").replace('\n', ""))
}

pub(super) fn upcase<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    remade(&input, env, str::to_uppercase)
}

pub(super) fn downcase<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    remade(&input, env, str::to_lowercase)
}

pub(super) fn capitalize<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    remade(&input, env, |text| {
        let mut chars = text.chars();
        let first = chars.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(chars.as_str().to_lowercase().chars()).collect()
    })
}

pub(super) fn remove<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    replace_all(&input, &args.one(), &Value::Nil, env)
}

pub(super) fn replace<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    replace_all(&input, &args.one(), &args.two(), env)
}

fn replace_all<'a>(input: &Value<'a>, old: &Value<'a>, new: &Value<'a>, env: &mut Env) -> Result<'a> {
    let (text, old, new) = (show(input, env)?, show(old, env)?, show(new, env)?);
    let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
    let mut result = String::new();
    let mut end = 0;
    for (at, found) in text.match_indices(old) {
        env.work(1)?;
        env.push(&mut result, text.get(end..at).unwrap_or_default())?;
        env.push(&mut result, new)?;
        end = at + found.len();
    }
    env.push(&mut result, text.get(end..).unwrap_or_default())?;
    Ok(Value::made(result))
}

pub(super) fn replace_first<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    replace_one(&input, &args.one(), &args.two(), env, |text, old| text.find(old))
}

pub(super) fn replace_last<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    replace_one(&input, &args.one(), &args.two(), env, |text, old| text.rfind(old))
}

pub(super) fn remove_first<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    replace_one(&input, &args.one(), &Value::Nil, env, |text, old| text.find(old))
}

pub(super) fn remove_last<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    replace_one(&input, &args.one(), &Value::Nil, env, |text, old| text.rfind(old))
}

fn replace_one<'a>(
    input: &Value<'a>,
    old: &Value<'a>,
    new: &Value<'a>,
    env: &mut Env,
    search: impl FnOnce(&str, &str) -> Option<usize>,
) -> Result<'a> {
    let (text, old, new) = (show(input, env)?, show(old, env)?, show(new, env)?);
    let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
    let Some(at) = search(text, old) else {
        return unsafe_text(input, env);
    };
    env.make(text.len() + new.len())?;
    let before = text.get(..at).unwrap_or_default();
    let after = text.get(at + old.len()..).unwrap_or_default();
    Ok(Value::made([before, new, after].concat()))
}

/// The text of the input, to be escaped.
fn unsafe_text<'a>(input: &Value<'a>, env: &mut Env) -> Result<'a> {
    Ok(Value::Text(show(input, env)?.with_safe(false)))
}

/// Like Ruby: one space splits at any white space, nothing splits into characters, and empty
/// parts at the end are dropped.
pub(super) fn split<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let (text, pattern) = (show(&input, env)?, show(&args.one(), env)?);
    let (text, pattern) = (text.as_str(), pattern.as_str());
    env.make(text.len())?;
    let mut parts = Vec::new();
    let mut keep = |part: &str| {
        env.make_items(1)?;
        parts.push(Value::made(part.to_owned()));
        Ok(())
    };
    match pattern {
        " " => text.split_ascii_whitespace().try_for_each(&mut keep)?,
        "" => text.chars().try_for_each(|c| keep(c.encode_utf8(&mut [0; 4])))?,
        _ => text.split(pattern).try_for_each(&mut keep)?,
    }
    while matches!(parts.last(), Some(Value::Text(part)) if part.as_str().is_empty()) {
        parts.pop();
    }
    Ok(Value::Array(Rc::from(parts)))
}

/// A length given as argument: a whole number, `usual` if none is written.
fn length(filter: &'static str, args: &Args<'_>, usual: usize) -> std::result::Result<usize, Kind> {
    let Some(value) = args.first() else {
        return Ok(usual);
    };
    let length = match value {
        Value::Float(_) => Some(crate::value::integer(value)),
        _ => strict_integer(value),
    };
    let length = length.ok_or_else(|| wrong(filter, "a whole number", value))?;
    Ok(usize::try_from(length.max(0)).unwrap_or(usize::MAX))
}

/// What marks a cut: `...` if none is written.
fn ending<'a>(args: &Args<'a>, env: &mut Env) -> std::result::Result<Text<'a>, Kind> {
    args.second().map_or(Ok(Text::borrowed("...")), |ending| show(ending, env))
}

pub(super) fn truncate<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    if matches!(input, Value::Nil) {
        return Ok(Value::Nil);
    }
    let length = length("truncate", args, 50)?;
    let (text, ending) = (show(&input, env)?, ending(args, env)?);
    let (text, ending) = (text.as_str(), ending.as_str());
    if text.chars().nth(length).is_none() {
        return unsafe_text(&input, env);
    }
    let kept = length.saturating_sub(ending.chars().count());
    let cut = text.char_indices().nth(kept).map_or(text.len(), |(at, _)| at);
    env.make(cut + ending.len())?;
    Ok(Value::made([text.get(..cut).unwrap_or_default(), ending].concat()))
}

pub(super) fn truncatewords<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    if matches!(input, Value::Nil) {
        return Ok(Value::Nil);
    }
    let count = length("truncatewords", args, 15)?.max(1);
    let (text, ending) = (show(&input, env)?, ending(args, env)?);
    let (text, ending) = (text.as_str(), ending.as_str());
    env.make(text.len() + ending.len())?;
    let mut words = text.split_ascii_whitespace();
    let mut kept = String::new();
    for word in words.by_ref().take(count) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    if words.next().is_none() {
        return unsafe_text(&input, env);
    }
    kept.push_str(ending);
    Ok(Value::made(kept))
}
