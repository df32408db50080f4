//! What people call times: `9:00` on the clock on the wall, and the days of the week.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::{self, Date, Time};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A local time of day: `9:00`, `18:30` or `23:59:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalTime(Time);

/// Why a text is not a local time. The text says what is wrong and how to write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalTimeError {
    /// The end of a day, which is the beginning of the next.
    #[error("`{0}` is not a time of day; write `0:00`, the midnight at which a day begins, or `23:59`")]
    Midnight(String),
    /// Nothing we can read.
    #[error("`{0}` is not a time of day; write hours and minutes in quotes, as in `\"9:00\"` or `\"18:30\"`")]
    Unreadable(String),
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say all")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl LocalTime {
    /// Midnight, at which a day begins.
    pub const MIDNIGHT: Self = Self(Time::midnight());

    /// Reads a local time from outside: hours of a 24-hour clock, minutes, and seconds if wanted.
    ///
    /// # Errors
    /// When it is no such time, or `24:00`.
    pub fn parse(text: &str) -> Result<Self, LocalTimeError> {
        let text = text.trim();
        let shown = || text.chars().take(60).collect::<String>();
        let plain = text.chars().all(|c| c.is_ascii_digit() || c == ':');
        // jiff would take a leap second for the one before.
        let whole = text.split(':').skip(1).all(|part| part.len() == 2 && part != "60");
        if !plain || !whole {
            return Err(LocalTimeError::Unreadable(shown()));
        }
        if ["24:00", "24:00:00"].contains(&text) {
            return Err(LocalTimeError::Midnight(shown()));
        }
        let read = Time::strptime("%H:%M", text).or_else(|_| Time::strptime("%H:%M:%S", text));
        read.map(Self).map_err(|_| LocalTimeError::Unreadable(shown()))
    }

    /// The time on the clock.
    #[must_use]
    pub fn time(self) -> Time {
        self.0
    }
}

impl Weekday {
    /// Whether `day` is one of `list`; every day is, of an empty one.
    pub(super) fn listed(list: &[Self], day: Date) -> bool {
        list.is_empty() || list.contains(&Self::of(day))
    }

    /// The days of a list as a text reads on: ` on mon, fri`; nothing for every day.
    pub(super) fn on(list: &[Self]) -> String {
        let short = |day: &Self| format!("{day:?}").to_lowercase().chars().take(3).collect();
        let words: Vec<String> = list.iter().map(short).collect();
        if words.is_empty() { String::new() } else { format!(" on {}", words.join(", ")) }
    }

    fn of(day: Date) -> Self {
        match day.weekday() {
            civil::Weekday::Monday => Self::Monday,
            civil::Weekday::Tuesday => Self::Tuesday,
            civil::Weekday::Wednesday => Self::Wednesday,
            civil::Weekday::Thursday => Self::Thursday,
            civil::Weekday::Friday => Self::Friday,
            civil::Weekday::Saturday => Self::Saturday,
            civil::Weekday::Sunday => Self::Sunday,
        }
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:02}", self.0.hour(), self.0.minute())?;
        if self.0.second() > 0 { write!(f, ":{:02}", self.0.second()) } else { Ok(()) }
    }
}

impl From<LocalTime> for String {
    fn from(time: LocalTime) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for LocalTime {
    type Error = LocalTimeError;
    fn try_from(text: String) -> Result<Self, LocalTimeError> {
        Self::parse(&text)
    }
}

impl JsonSchema for LocalTime {
    fn schema_name() -> Cow<'static, str> {
        "LocalTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A local time of day on a 24-hour clock, in quotes, seconds if wanted.",
            "type": "string",
            "format": "local-time",
            "examples": ["9:00", "18:30", "23:59:59"],
        })
    }
}
