//! Filters on HTML, and those that join texts.
//!
//! When outputs are escaped, safe text is HTML already. `escape` leaves it alone, and joining it
//! with other text escapes the other first, so that nothing is escaped twice or not at all.

use super::Args;
use crate::Escape;
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Text, Value, escape_into, show};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// HTML: the text as it is if it is safe, escaped if not.
fn to_html<'a>(text: Text<'a>, env: &mut Env) -> std::result::Result<Text<'a>, Kind> {
    if text.safe {
        return Ok(text);
    }
    let mut html = String::new();
    escape_into(&mut html, text.as_str());
    env.make(html.len())?;
    Ok(Text::made(html).with_safe(true))
}

/// The text that counts as HTML when outputs are escaped, and as itself when they are not.
fn for_output<'a>(input: &Value<'a>, env: &mut Env) -> std::result::Result<Text<'a>, Kind> {
    let text = show(input, env)?;
    match env.escape {
        Escape::Html => to_html(text, env),
        Escape::None => Ok(text),
    }
}

pub(super) fn escape<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    if matches!(input, Value::Nil) {
        return Ok(Value::Nil);
    }
    let mut text = show(&input, env)?;
    // Without the mode, a capture is plain text and must be escaped.
    text.safe &= env.escape == Escape::Html;
    Ok(Value::Text(to_html(text, env)?))
}

pub(super) fn escape_once<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let text = show(&input, env)?;
    let mut html = String::new();
    let mut rest = text.as_str();
    env.make(rest.len())?;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        escape_into(&mut html, before);
        let length = entity(from).unwrap_or(1);
        let (found, after) = from.split_at(length);
        html.push_str(if length == 1 { "&amp;" } else { found });
        rest = after;
    }
    escape_into(&mut html, rest);
    env.make(html.len())?;
    Ok(Value::Text(Text::made(html).with_safe(true)))
}

/// The length of the entity a text starts with: `&name;`, `&#10;` or `&#x0a;`
fn entity(text: &str) -> Option<usize> {
    let end = text.bytes().take(40).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let is_entity = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
        },
        None => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    };
    is_entity.then_some(end + 1)
}

/// Marks the value as HTML that is not to be escaped.
pub(super) fn raw<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    match (input, env.escape) {
        (Value::Nil, _) => Ok(Value::Nil),
        (input, Escape::None) => Ok(input),
        (input, Escape::Html) => Ok(Value::Text(show(&input, env)?.with_safe(true))),
    }
}

pub(super) fn append<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    join_two(&input, &args.one(), env)
}

pub(super) fn prepend<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    join_two(&args.one(), &input, env)
}

fn join_two<'a>(left: &Value<'a>, right: &Value<'a>, env: &mut Env) -> Result<'a> {
    let (mut left, mut right) = (show(left, env)?, show(right, env)?);
    let safe = env.escape == Escape::Html && (left.safe || right.safe);
    if safe {
        left = to_html(left, env)?;
        right = to_html(right, env)?;
    }
    env.make(left.as_str().len() + right.as_str().len())?;
    let joined = [left.as_str(), right.as_str()].concat();
    Ok(Value::Text(Text::made(joined).with_safe(safe)))
}

/// Adds `<br />` before every line break; what else is in the text is escaped if outputs are.
pub(super) fn newline_to_br<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let text = for_output(&input, env)?;
    let lines = text.as_str().bytes().filter(|byte| *byte == b'\n').count();
    env.make(text.as_str().len() + lines.saturating_mul("<br />".len()))?;
    let html = text.as_str().replace("\r\n", "\n").replace('\n', "<br />\n");
    Ok(Value::Text(Text::made(html).with_safe(env.escape == Escape::Html)))
}

/// Removes scripts, styles, comments and tags. The result is plain text, and escaped as such.
pub(super) fn strip_html<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let text = show(&input, env)?;
    env.make(text.as_str().len().saturating_mul(2))?;
    let blocks = [("<script", "</script>"), ("<!--", "-->"), ("<style", "</style>")];
    let without_blocks = without(text.as_str(), &blocks);
    Ok(Value::made(without(&without_blocks, &[("<", ">")])))
}

/// The text without the parts from an opening to its next closing.
fn without(text: &str, blocks: &[(&str, &str)]) -> String {
    let mut result = String::with_capacity(text.len());
    // A closing that was not found once is not searched again: the time stays linear.
    let mut blocks: Vec<_> = blocks.iter().map(|(open, close)| (*open, *close, true)).collect();
    let mut rest = text;
    'search: while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        for (open, close, exists) in &mut blocks {
            if !*exists || !from.starts_with(*open) {
                continue;
            }
            let inside = from.get(open.len()..).unwrap_or_default();
            if let Some(end) = inside.find(*close) {
                rest = inside.get(end + close.len()..).unwrap_or_default();
                continue 'search;
            }
            *exists = false;
        }
        result.push('<');
        rest = from.get(1..).unwrap_or_default();
    }
    result.push_str(rest);
    result
}
