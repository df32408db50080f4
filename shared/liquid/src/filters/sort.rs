//! `sort` and `sort_natural`.

use std::rc::Rc;

use super::Args;
use super::array::{flat, property};
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Value, show, sort_key};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// By size or by code points; nil last; different types are an error.
pub(super) fn sort<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let items = flat(&input, env)?;
    if items.len() < 2 {
        return Ok(Value::Array(Rc::from(items)));
    }
    let rounds = pay(items.len(), env)?;
    let mut keyed = Vec::with_capacity(items.len());
    let mut example: Option<Value<'a>> = None;
    for item in items {
        let subject = property(&item, args, env)?;
        if let Value::Text(text) = &subject {
            env.read(text.as_str().len().saturating_mul(rounds))?;
        }
        let key = sort_key(&subject);
        let other = example.as_ref().unwrap_or(&subject);
        let like = key.as_ref().zip(sort_key(other)).is_some_and(|(a, b)| a.is_like(&b));
        let Some(key) = key.filter(|_| like) else {
            let (left, right) = (other.type_name(), subject.type_name());
            return Err(Kind::Incomparable { left, right });
        };
        if !matches!(subject, Value::Nil) {
            example = Some(subject);
        }
        keyed.push((key, item));
    }
    keyed.sort_by(|(a, _), (b, _)| a.order(b));
    Ok(Value::Array(keyed.into_iter().map(|(_, item)| item).collect()))
}

/// By text without regard to case; nil last.
pub(super) fn sort_natural<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let items = flat(&input, env)?;
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = match property(&item, args, env)? {
            Value::Nil => (true, String::new()),
            subject => {
                let text = show(&subject, env)?;
                env.make(text.as_str().len().saturating_mul(3))?;
                (false, text.as_str().to_lowercase())
            }
        };
        keyed.push((key, item));
    }
    pay(keyed.len(), env)?;
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Value::Array(keyed.into_iter().map(|(_, item)| item).collect()))
}

/// A sort compares each item about log2(n) times: pays for that, and gives how often.
fn pay(count: usize, env: &mut Env) -> std::result::Result<usize, Kind> {
    let rounds = usize::try_from(count.checked_ilog2().unwrap_or(0)).unwrap_or(0) + 1;
    env.work(count.saturating_mul(rounds))?;
    Ok(rounds)
}
