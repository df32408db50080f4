//! Filters on numbers. What is no number is zero.

use super::Args;
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Number, Value, integer, number};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

pub(super) fn abs<'a>(input: Value<'a>, _: &Args<'a>, _: &mut Env) -> Result<'a> {
    match number(&input) {
        Number::Int(int) => int.checked_abs().map(Value::Int).ok_or(Kind::NumberTooLarge),
        Number::Float(float) => Ok(Value::Float(float.abs())),
    }
}

pub(super) fn at_least<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    let (input, least) = (number(&input), number(&args.one()));
    if input.float() < least.float() { least.value() } else { input.value() }
}

pub(super) fn at_most<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    let (input, most) = (number(&input), number(&args.one()));
    if input.float() > most.float() { most.value() } else { input.value() }
}

pub(super) fn ceil<'a>(input: Value<'a>, _: &Args<'a>, _: &mut Env) -> Result<'a> {
    match number(&input) {
        Number::Float(float) => Number::whole(float.ceil())?.value(),
        whole => whole.value(),
    }
}

pub(super) fn floor<'a>(input: Value<'a>, _: &Args<'a>, _: &mut Env) -> Result<'a> {
    match number(&input) {
        Number::Float(float) => Number::whole(float.floor())?.value(),
        whole => whole.value(),
    }
}

pub(super) fn round<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    let digits = integer(&args.one()).clamp(-40, 40);
    number(&input).round(i32::try_from(digits).unwrap_or(0))?.value()
}

pub(super) fn plus<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    number(&input).add(number(&args.one()))?.value()
}

pub(super) fn minus<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    number(&input).subtract(number(&args.one()))?.value()
}

pub(super) fn times<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    number(&input).multiply(number(&args.one()))?.value()
}

pub(super) fn divided_by<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    number(&input).divide(number(&args.one()))?.value()
}

pub(super) fn modulo<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    number(&input).modulo(number(&args.one()))?.value()
}
