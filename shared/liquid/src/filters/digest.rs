//! Digests, in hexadecimal.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::Args;
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Value, show};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// Hashing reads a byte about as slowly as other filters read eight.
const COST: usize = 8;

fn hex<'a>(bytes: &[u8], env: &mut Env) -> Result<'a> {
    env.make(bytes.len() * 2)?;
    Ok(Value::made(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn digest<'a, D: Digest>(input: &Value<'a>, env: &mut Env) -> Result<'a> {
    let text = show(input, env)?;
    env.read(text.as_str().len().saturating_mul(COST))?;
    hex(&D::digest(text.as_str().as_bytes()), env)
}

fn mac<'a, M: Mac + KeyInit>(input: &Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let (text, key) = (show(input, env)?, show(&args.one(), env)?);
    env.read(text.as_str().len().saturating_add(key.as_str().len()).saturating_mul(COST))?;
    // HMAC takes keys of any length; the error cannot happen.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_str().as_bytes()) else {
        return Ok(Value::Nil);
    };
    mac.update(text.as_str().as_bytes());
    hex(&mac.finalize().into_bytes(), env)
}

pub(super) fn md5<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    digest::<Md5>(&input, env)
}

pub(super) fn sha1<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    digest::<Sha1>(&input, env)
}

pub(super) fn sha256<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    digest::<Sha256>(&input, env)
}

pub(super) fn hmac_sha1<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    mac::<Hmac<Sha1>>(&input, args, env)
}

pub(super) fn hmac_sha256<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    mac::<Hmac<Sha256>>(&input, args, env)
}
