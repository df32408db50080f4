//! Dunlin's own filters: `fallback`, `precision`, `format`, `humanize`, `delimiter`.

use super::Args;
use crate::date;
use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::{Number, Value, integer, number, show};

type Result<'a> = std::result::Result<Value<'a>, Kind>;

/// Most digits after the point that `precision` and `format` print.
const DIGITS: usize = 20;
/// Widest field of `format`.
const WIDTH: usize = 64;

/// `default` and `fallback`: the argument in place of nil, false and what is empty.
pub(super) fn fallback<'a>(input: Value<'a>, args: &Args<'a>, _: &mut Env) -> Result<'a> {
    let missing = match &input {
        Value::Nil => true,
        Value::Bool(false) => !args.allow_false,
        Value::Text(text) => text.as_str().is_empty(),
        Value::List(_) | Value::Array(_) | Value::Map(_) => input.size() == Some(0),
        _ => false,
    };
    Ok(if missing { args.one() } else { input })
}

/// The number a value is, as itself or written as text; nothing else.
fn as_number(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Int(_) | Value::Float(_) => Some(number(value)),
        Value::Text(text) => {
            let text = text.as_str().trim_ascii();
            let is_number =
                text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok_and(f64::is_finite);
            is_number.then(|| number(value))
        }
        _ => None,
    }
}

/// The digits of a number, rounded half away from zero.
fn fixed(number: Number, digits: usize) -> String {
    let rounded = i32::try_from(digits).ok().and_then(|digits| number.round(digits).ok());
    match rounded.unwrap_or(number) {
        Number::Int(int) if digits == 0 => int.to_string(),
        Number::Int(int) => format!("{int}.{:0<digits$}", ""),
        Number::Float(float) => format!("{float:.digits$}"),
    }
}

/// A number with that many digits after the point, two if no argument; other values unchanged.
pub(super) fn precision<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let digits = args.first().map_or(2, integer);
    let digits = usize::try_from(digits).unwrap_or(0).min(DIGITS);
    let Some(number) = as_number(&input) else {
        return Ok(input);
    };
    let text = fixed(number, digits);
    env.make(text.len())?;
    Ok(Value::made(text))
}

/// Thousands separated: by `,` or the first argument, the point being `.` or the second.
pub(super) fn delimiter<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    if as_number(&input).is_none() {
        return Ok(input);
    }
    let argument = |value: Option<&Value<'a>>, usual: &str, env: &mut Env| match value {
        Some(value) => show(value, env).map(|text| text.as_str().to_owned()),
        None => Ok(usual.to_owned()),
    };
    let between = argument(args.first(), ",", env)?;
    let point = argument(args.second(), ".", env)?;
    let text = show(&input, env)?;
    let text = text.as_str().trim_ascii();
    let digits = text.trim_start_matches(['-', '+']);
    let sign = text.strip_suffix(digits).unwrap_or_default();
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut result = String::new();
    env.push(&mut result, sign)?;
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            env.push(&mut result, &between)?;
        }
        result.push(digit);
    }
    if !fraction.is_empty() {
        env.push(&mut result, &point)?;
        env.push(&mut result, fraction)?;
    }
    Ok(Value::made(result))
}

/// `first_name` and `first-name` as `First name`.
pub(super) fn humanize<'a>(input: Value<'a>, _: &Args<'a>, env: &mut Env) -> Result<'a> {
    let text = show(&input, env)?;
    env.make(text.as_str().len().saturating_mul(3))?;
    let spaced = text.as_str().replace(['_', '-'], " ");
    let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = joined.chars();
    let first = chars.next().map(char::to_uppercase);
    Ok(Value::made(first.into_iter().flatten().chain(chars).collect()))
}

/// A number with a `printf` format (`%.2f`, `%05d`, `%x`), a date with a `strftime` format, and
/// any other value in place of `%s`.
pub(super) fn format<'a>(input: Value<'a>, args: &Args<'a>, env: &mut Env) -> Result<'a> {
    let format = show(&args.one(), env)?;
    let number = as_number(&input);
    if number.is_none()
        && let Some(date) = date::read(&input, env)?
    {
        return Ok(Value::made(date::format(&date, format.as_str(), env)?));
    }
    let text = show(&input, env)?;
    let mut result = String::new();
    let mut rest = format.as_str();
    while let Some(at) = rest.find('%') {
        env.work(1)?;
        let (before, from) = rest.split_at(at);
        env.push(&mut result, before)?;
        let (printed, used) = match field(from, number, text.as_str()) {
            Some((printed, used)) => (printed, used),
            None => ("%".to_owned(), 1),
        };
        env.push(&mut result, &printed)?;
        rest = from.get(used..).unwrap_or_default();
    }
    env.push(&mut result, rest)?;
    Ok(Value::made(result))
}

/// Prints the field at the start of `format` and gives its length; `None` if it is none.
fn field(format: &str, number: Option<Number>, text: &str) -> Option<(String, usize)> {
    let inside = format.get(1..)?;
    if inside.starts_with('%') {
        return Some(("%".to_owned(), 2));
    }
    let flags = inside.bytes().take_while(|byte| b"-+0 ".contains(byte)).count();
    let (flags, after) = inside.split_at(flags);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (width, after) = after.split_at(digits(after));
    let (precision, after) = match after.strip_prefix('.') {
        Some(after) => {
            let (precision, after) = after.split_at(digits(after));
            (Some(precision.parse().unwrap_or(0).min(DIGITS)), after)
        }
        None => (None, after),
    };
    let whole = || match number?.round(0) {
        Ok(Number::Int(int)) => Some(int),
        _ => None,
    };
    let letter = after.chars().next()?;
    let mut printed = match letter {
        's' => text.to_owned(),
        'd' | 'i' | 'u' => whole()?.to_string(),
        'f' => fixed(number?, precision.unwrap_or(6)),
        'x' => format!("{:x}", whole()?),
        'X' => format!("{:X}", whole()?),
        'o' => format!("{:o}", whole()?),
        'b' => format!("{:b}", whole()?),
        'e' => format!("{:.*e}", precision.unwrap_or(6), number?.float()),
        _ => return None,
    };
    if letter != 's' && flags.contains('+') && !printed.starts_with('-') {
        printed.insert(0, '+');
    }
    let width = width.parse().unwrap_or(0).min(WIDTH);
    let missing = width.saturating_sub(printed.chars().count());
    if flags.contains('-') {
        printed.push_str(&" ".repeat(missing));
    } else if flags.contains('0') && letter != 's' {
        let sign = usize::from(printed.starts_with(['-', '+']));
        printed.insert_str(sign, &"0".repeat(missing));
    } else {
        printed.insert_str(0, &" ".repeat(missing));
    }
    Some((printed, format.len() - after.len() + letter.len_utf8()))
}
