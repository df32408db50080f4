//! Dates: reading them, moving them to a zone, printing them with `strftime`.

use std::rc::Rc;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::Value;

/// Longest text that is tried as a date; the longest real one has about 60 bytes.
const DATE_BYTES: usize = 80;
/// Widest field a format may ask for (as in jiff).
const FIELD_WIDTH: u32 = 20;
/// Steps that reading, moving or printing a date costs.
const SHORT_WORK: usize = 10;
/// Steps that trying all ways of `from_words` costs.
const LONG_WORK: usize = 300;
/// How a date prints by itself.
const DEFAULT_FORMAT: &str = "%Y-%m-%d %H:%M:%S %z";

/// The bundled tz database, never the one of the machine: the same mail everywhere.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The time zone of a name such as `Europe/Berlin`.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    ZONES.get(name.trim_ascii()).ok()
}

/// A date by itself.
pub(crate) fn show(date: &Zoned) -> String {
    format_with(date, DEFAULT_FORMAT).unwrap_or_default()
}

/// The date a value stands for: a date, seconds since 1970 (a number or digits), `now`, `today`,
/// or text in ISO 8601, RFC 2822 or plain English. Without an offset it is UTC.
pub(crate) fn read(value: &Value<'_>, env: &mut Env) -> Result<Option<Rc<Zoned>>, Kind> {
    env.work(SHORT_WORK)?;
    match value {
        Value::Date(date) => Ok(Some(Rc::clone(date))),
        Value::Int(seconds) => Ok(from_seconds(*seconds)),
        Value::Text(text) => from_text(text.as_str(), env),
        _ => Ok(None),
    }
}

fn from_seconds(seconds: i64) -> Option<Rc<Zoned>> {
    let instant = Timestamp::from_second(seconds).ok()?;
    Some(Rc::new(instant.to_zoned(TimeZone::UTC)))
}

fn from_text(text: &str, env: &mut Env) -> Result<Option<Rc<Zoned>>, Kind> {
    let text = text.trim_ascii();
    if text.is_empty() || text.len() > DATE_BYTES {
        return Ok(None);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.parse().ok().and_then(from_seconds));
    }
    if text.eq_ignore_ascii_case("now") || text.eq_ignore_ascii_case("today") {
        return Ok(Some(Rc::new(env.now.to_zoned(TimeZone::UTC))));
    }
    // No date is written without digits.
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    if let Some(date) = from_iso(text) {
        return Ok(Some(Rc::new(date)));
    }
    env.work(LONG_WORK)?;
    Ok(from_words(text).map(Rc::new))
}

/// ISO 8601 with or without an offset, and RFC 2822.
fn from_iso(text: &str) -> Option<Zoned> {
    let zoned = || text.parse::<Zoned>().ok();
    let instant = || {
        let instant = text.parse::<Timestamp>().ok()?;
        let pieces = jiff::fmt::temporal::DateTimeParser::new().parse_pieces(text).ok()?;
        let zone = match pieces.to_numeric_offset() {
            Some(offset) if !offset.is_zero() => offset.to_time_zone(),
            _ => TimeZone::UTC,
        };
        Some(instant.to_zoned(zone))
    };
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let mail = || jiff::fmt::rfc2822::parse(text).ok();
    instant().or_else(zoned).or_else(civil).or_else(mail)
}

/// `March 14, 2016`, `14 Mar 2016 10:30`, `2016-03-14 10:30:00 +0100` and their like.
fn from_words(text: &str) -> Option<Zoned> {
    const DAYS: &[&str] = &[
        "%B %d, %Y",
        "%b %d, %Y",
        "%B %d %Y",
        "%b %d %Y",
        "%d %B %Y",
        "%d %b %Y",
        "%d %B, %Y",
        "%A, %B %d, %Y",
        "%a, %b %d, %Y",
        "%Y/%m/%d",
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%a %b %d %Y",
    ];
    const TIMES: &[&str] = &["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M%p"];
    const OFFSETS: &[&str] = &["", " %z", " %:z", " UTC", " GMT"];
    let squeezed = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    for time in TIMES {
        for offset in OFFSETS.iter().filter(|offset| offset.is_empty() || !time.is_empty()) {
            for day in DAYS {
                let format = format!("{day}{time}{offset}");
                let Ok(parts) = jiff::fmt::strtime::parse(&format, &squeezed) else {
                    continue;
                };
                return assemble(&parts);
            }
        }
    }
    None
}

fn assemble(parts: &jiff::fmt::strtime::BrokenDownTime) -> Option<Zoned> {
    let date: Date = parts.to_date().ok()?;
    let time = parts.to_time().unwrap_or(Time::midnight());
    let zone = parts.offset().map_or(TimeZone::UTC, |offset| offset.to_time_zone());
    date.to_datetime(time).to_zoned(zone).ok()
}

/// Formats like Ruby's `strftime`. Widths are capped; what is no directive stays as it is.
pub(crate) fn format(date: &Zoned, format: &str, env: &mut Env) -> Result<String, Kind> {
    // A directive of three bytes prints at most 72: pay before it is made.
    env.make(format.len().saturating_mul(24))?;
    env.work(SHORT_WORK.saturating_add(format.len()))?;
    Ok(format_with(date, format).unwrap_or_else(|| format.to_owned()))
}

fn format_with(date: &Zoned, format: &str) -> Option<String> {
    jiff::fmt::strtime::format(clean(format), date).ok()
}

/// Rewrites a format into directives jiff knows, since it stops at those it does not.
fn clean(format: &str) -> String {
    let mut clean = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (plain, from) = rest.split_at(at);
        clean.push_str(plain);
        let used = directive(from, &mut clean).unwrap_or_else(|| {
            clean.push_str("%%");
            1
        });
        rest = from.get(used..).unwrap_or_default();
    }
    clean.push_str(rest);
    clean
}

/// Rewrites the directive at the start of `text` and gives its length; `None` if it is none.
fn directive(text: &str, clean: &mut String) -> Option<usize> {
    let mut chars = text.char_indices().skip(1).peekable();
    let mut flag = None;
    while let Some((_, found)) = chars.next_if(|(_, c)| matches!(c, '-' | '_' | '0' | '^' | '#')) {
        flag = Some(found);
    }
    let mut width: Option<u32> = None;
    while let Some((_, digit)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
        let digit = digit.to_digit(10).unwrap_or(0);
        width = Some((width.unwrap_or(0) * 10 + digit).min(FIELD_WIDTH));
    }
    let mut colons = 0_usize;
    while chars.next_if(|(_, c)| *c == ':').is_some() {
        colons += 1;
    }
    let (at, letter) = chars.next()?;
    if colons > 3 || (colons > 0 && letter != 'z') {
        return None;
    }
    let whole = match letter {
        'c' => "%a %b %e %H:%M:%S %Y",
        'x' => "%m/%d/%y",
        'X' => "%H:%M:%S",
        'r' => "%I:%M:%S %p",
        'v' => "%e-%^b-%Y",
        '+' => "%a %b %e %H:%M:%S %Z %Y",
        '%' => "%%",
        _ => "",
    };
    if !whole.is_empty() {
        clean.push_str(whole);
        return Some(at + 1);
    }
    if !"AaBbCDdeFGgHhIjklLMmNnPpRSsTtUuVWwYyZz".contains(letter) {
        return None;
    }
    clean.push('%');
    if matches!(letter, 'L' | 'N') {
        let digits = width.unwrap_or(if letter == 'L' { 3 } else { 9 }).clamp(1, 9);
        clean.push_str(&format!("{digits}f"));
        return Some(at + 1);
    }
    clean.extend(flag);
    if let Some(width) = width {
        clean.push_str(&width.to_string());
    }
    clean.extend(std::iter::repeat_n(':', colons));
    clean.push(letter);
    Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(format: &str) -> String {
        let date = "2016-03-04T05:06:07.089+01:00[Europe/Berlin]".parse().unwrap();
        format_with(&date, format).unwrap()
    }

    #[test]
    fn formats_follow_ruby() {
        assert_eq!(print("%a, %-d %b %Y %l:%M%P"), "Fri, 4 Mar 2016  5:06am");
        assert_eq!(print("%^a %10Y|%L|%3N|%:z|%Z"), "FRI 0000002016|089|089|+01:00|CET");
        assert_eq!(print("%c"), "Fri Mar  4 05:06:07 2016");
    }

    #[test]
    fn what_is_no_directive_stays() {
        assert_eq!(print("100% %! %"), "100% %! %");
        assert_eq!(print("%-"), "%-");
        assert_eq!(print("%:"), "%:");
    }

    #[test]
    fn a_huge_width_is_capped() {
        assert_eq!(print("%99999999999d").len(), 20);
    }

    #[test]
    fn many_ways_to_write_a_date_are_read() {
        for text in [
            "March 14, 2016",
            "Mar 14 2016",
            "14 March 2016",
            "2016-03-14",
            "2016-03-14 00:00",
            "2016-03-14T00:00:00Z",
            "2016-03-14T01:00:00+01:00",
            "2016-03-14 01:00:00 +0100",
            "2016-03-14 00:00:00 UTC",
            "Mon, 14 Mar 2016 00:00:00 +0000",
            "2016/03/14",
            "14.03.2016",
        ] {
            let mut env = Env::new(crate::Escape::None, Timestamp::UNIX_EPOCH, crate::Limits::default(), 0);
            let date = from_text(text, &mut env).unwrap().unwrap_or_else(|| panic!("not read: {text}"));
            assert_eq!(date.timestamp().as_second(), 1_457_913_600, "{text}");
        }
    }
}
