//! Base64 and URLs.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Args, wrong};
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Value, show};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// What stays as it is in a URL (RFC 3986, "unreserved").
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

pub(super) fn base64_encode<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    encode_with(&general_purpose::STANDARD, &input, env)
}

pub(super) fn base64_url_safe_encode<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    encode_with(&general_purpose::URL_SAFE, &input, env)
}

fn encode_with<'a>(engine: &GeneralPurpose, input: &Value<'a>, env: &mut Env) -> Result<'a> {
    let text = show(input, env)?;
    env.make(text.as_str().len().saturating_mul(2))?;
    Ok(Value::made(engine.encode(text.as_str())))
}

pub(super) fn base64_decode<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    decode_with("base64_decode", &STANDARD, &input, env)
}

pub(super) fn base64_url_safe_decode<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    decode_with("base64_url_safe_decode", &URL_SAFE, &input, env)
}

fn decode_with<'a>(filter: &'static str, engine: &GeneralPurpose, input: &Value<'a>, env: &mut Env) -> Result<'a> {
    let text = show(input, env)?;
    env.make(text.as_str().len())?;
    let bytes = engine.decode(text.as_str().trim_ascii());
    let decoded = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.map(Value::made).ok_or_else(|| wrong(filter, "base64 of text", input))
}

/// For the query of a URL: a space is `+`.
pub(super) fn url_encode<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let text = show(&input, env)?;
    env.make(text.as_str().len().saturating_mul(3))?;
    let encoded = utf8_percent_encode(text.as_str(), RESERVED).to_string();
    Ok(Value::made(encoded.replace("%20", "+")))
}

/// For any part of a URL: a space is `%20`.
pub(super) fn encode<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let text = show(&input, env)?;
    env.make(text.as_str().len().saturating_mul(3))?;
    Ok(Value::made(utf8_percent_encode(text.as_str(), RESERVED).to_string()))
}

/// The reverse of `url_encode`; bytes that are no text become `�`.
pub(super) fn url_decode<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let text = show(&input, env)?;
    env.make(text.as_str().len().saturating_mul(2))?;
    let spaced = text.as_str().replace('+', " ");
    Ok(Value::made(percent_decode_str(&spaced).decode_utf8_lossy().into_owned()))
}
