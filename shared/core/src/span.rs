//! A span of time as people write it: `20 minutes`, `31 days`, `1 day 2 hours`, `P3DT2H`.
//!
//! A bare number is refused: it has no unit. A week is 7 days, a year 365 days; a month has no fixed length and is
//! refused. `1 day` and `24 hours` are two things: in a wait, a day is one on the calendar in the person's zone (the same
//! local time on the next day, be it 23 or 25 hours later), and 24 hours are 24 hours. Conditions, which look back, take
//! a day for 24 hours.

use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::limits::WAIT;
use crate::wait::{Zone, span_ends};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Days of a year.
const YEAR: i64 = 365;

/// One second to ten years: days, and whole seconds beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    days: i64,
    seconds: i64,
}

/// Why a text is not a span. The text says what is wrong and how to write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Digits only.
    #[error("`{0}` has no unit; write `{0} minutes`, `{0} hours` or `{0} days`")]
    NoUnit(String),
    /// Nothing we can read.
    #[error("`{0}` is not a duration; write one like `20 minutes`, `31 days` or `1 day 2 hours`")]
    Unreadable(String),
    /// Months.
    #[error("`{0}` counts months, which have no fixed length; count days, as in `30 days`")]
    Months(String),
    /// Shorter than a second, or negative.
    #[error("`{0}` is shorter than one second; write at least `1 second`")]
    TooShort(String),
    /// Longer than the limit.
    #[error("`{0}` is longer than ten years, the longest there is; write at most `10 years`")]
    TooLong(String),
}

impl Span {
    /// Reads a span from outside.
    ///
    /// # Errors
    /// When it has no unit, does not parse, counts months, or is not between one second and ten years.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let text = text.trim();
        let shown = || text.chars().take(60).collect::<String>();
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
            return Err(SpanError::NoUnit(shown()));
        }
        let iso = text.starts_with(['P', '+', '-']);
        let span: jiff::Span =
            if iso { text.parse() } else { text.to_lowercase().parse() }.map_err(|_| SpanError::Unreadable(shown()))?;
        if span.get_months() != 0 {
            return Err(SpanError::Months(shown()));
        }
        let days = [(span.get_years().into(), YEAR), (i64::from(span.get_weeks()), 7), (span.get_days().into(), 1)];
        let times = [(span.get_hours().into(), HOUR), (span.get_minutes(), MINUTE), (span.get_seconds(), 1)];
        let sum = |counts: &[(i64, i64)]| {
            let add = |sum: i64, (count, length): &(i64, i64)| sum.checked_add(count.checked_mul(*length)?);
            counts.iter().try_fold(0, add)
        };
        let whole = |days: i64, seconds: i64| days.checked_mul(DAY)?.checked_add(seconds);
        let (days, seconds) = sum(&days).zip(sum(&times)).ok_or_else(|| SpanError::TooLong(shown()))?;
        match whole(days, seconds) {
            Some(length) if length < 1 => Err(SpanError::TooShort(shown())),
            Some(length) if length <= WAIT.as_secs() => Ok(Self { days, seconds }),
            _ => Err(SpanError::TooLong(shown())),
        }
    }

    /// Its length, with days of 24 hours.
    #[must_use]
    pub fn length(self) -> SignedDuration {
        SignedDuration::from_secs(self.days * DAY + self.seconds)
    }

    /// Its days, weeks and years in days.
    #[must_use]
    pub fn days(self) -> i64 {
        self.days
    }

    /// What it has beside its days.
    #[must_use]
    pub fn exact(self) -> SignedDuration {
        SignedDuration::from_secs(self.seconds)
    }

    /// The instant this long after `start` for who lives in `zone`: first the same local time so many days later, then the
    /// rest exactly. Never before `start`; the last instant there is, where that is too far.
    #[must_use]
    pub fn after_in(self, start: Timestamp, zone: &Zone) -> Timestamp {
        span_ends(self, start, zone).at
    }

    /// The instant [`length`](Self::length) after `start`; the last instant there is, where that is too far.
    #[must_use]
    pub fn after(self, start: Timestamp) -> Timestamp {
        start.checked_add(self.length()).unwrap_or(Timestamp::MAX)
    }

    /// The instant [`length`](Self::length) before `end`; the first instant there is, where that is too far.
    #[must_use]
    pub fn before(self, end: Timestamp) -> Timestamp {
        end.checked_sub(self.length()).unwrap_or(Timestamp::MIN)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (years, days) = (self.days / YEAR, self.days % YEAR);
        let (hours, minutes, seconds) = (self.seconds / HOUR, self.seconds % HOUR / MINUTE, self.seconds % MINUTE);
        let units = [(years, "year"), (days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")];
        let mut space = "";
        for (count, unit) in units {
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                write!(f, "{space}{count} {unit}{plural}")?;
                space = " ";
            }
        }
        Ok(())
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;
    fn try_from(text: String) -> Result<Self, SpanError> {
        Self::parse(&text)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration with its unit, one second to ten years. A wait's days are those on the person's calendar (`1 day` may be 23 or 25 hours, `24 hours` may not); a year is 365 days.",
            "type": "string",
            "format": "span",
            "examples": ["20 minutes", "31 days", "1 day 2 hours", "10 years", "P3DT2H"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_span_reads_as_people_write_it() {
        let table = [
            ("20 minutes", 1_200),
            ("31 days", 31 * DAY),
            ("1 day 2 hours", 26 * HOUR),
            ("1 day, 2 hours", 26 * HOUR),
            ("2 Weeks", 14 * DAY),
            ("1 year", YEAR * DAY),
            ("10 years", 10 * YEAR * DAY),
            ("90s", 90),
            ("1.5 hours", 5_400),
            ("P3DT2H", 3 * DAY + 2 * HOUR),
            (" 1 second ", 1),
        ];
        for (text, seconds) in table {
            assert_eq!(Span::parse(text).map(|span| span.length().as_secs()), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn a_refused_span_says_how_to_mend_it() {
        let table = [
            ("3", "`3` has no unit; write `3 minutes`, `3 hours` or `3 days`"),
            ("", "`` is not a duration"),
            ("ten days", "`ten days` is not a duration; write one like `20 minutes`"),
            ("1 month", "count days, as in `30 days`"),
            ("0 days", "shorter than one second"),
            ("500ms", "shorter than one second"),
            ("-2 days", "shorter than one second"),
            ("2 days ago", "shorter than one second"),
            ("11 years", "write at most `10 years`"),
            ("9999999999 days", "is not a duration"),
        ];
        for (text, expected) in table {
            let error = Span::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_day_is_not_24_hours() {
        let table = [("1 day", 1, 0), ("24 hours", 0, DAY), ("1 day 26 hours", 1, 26 * HOUR), ("1 week 3 min", 7, 180)];
        for (text, days, seconds) in table {
            let span = Span::parse(text).expect(text);
            assert_eq!(span, Span { days, seconds }, "{text}");
            assert_eq!(Span::parse(&span.to_string()), Ok(span), "{text}");
        }
        assert_eq!(Span { days: 366, seconds: DAY + 61 }.to_string(), "1 year 1 day 24 hours 1 minute 1 second");
    }

    #[test]
    fn a_span_beyond_the_end_of_time_stops_there() {
        let long = Span::parse("10 years").expect("a span");
        assert_eq!(long.after(Timestamp::MAX), Timestamp::MAX);
        assert_eq!(long.before(Timestamp::MIN), Timestamp::MIN);
    }

    proptest! {
        #[test]
        fn every_span_is_written_as_it_is_read(days in 0..=3_000_i64, seconds in 1..=WAIT.as_secs() - 3_000 * DAY) {
            let span = Span { days, seconds };
            prop_assert_eq!(Span::parse(&span.to_string()), Ok(span));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = Span::parse(&text);
        }
    }
}
