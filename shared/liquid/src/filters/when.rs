//! `date` and `time_zone`.

use std::rc::Rc;

use super::Args;
use crate::date;
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Value, show};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// Prints a date with a `strftime` format; what is no date, or an empty format, changes nothing.
pub(super) fn date<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let format = show(&args.one(), env)?;
    if format.as_str().is_empty() {
        return Ok(input);
    }
    match date::read(&input, env)? {
        Some(date) => Ok(Value::made(date::format(&date, format.as_str(), env)?)),
        None => Ok(input),
    }
}

/// The same moment in another zone, for a `date` that follows; what is no date, or an unknown
/// zone, changes nothing.
pub(super) fn time_zone<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let name = show(&args.one(), env)?;
    let found = date::read(&input, env)?.zip(date::zone(name.as_str()));
    Ok(found.map_or(input, |(date, zone)| Value::Date(Rc::new(date.with_time_zone(zone)))))
}
