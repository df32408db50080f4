//! Waiting until a date that is in a property, some time before it or after it.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::LocalTime;
use super::{Ends, Start, intent};
use crate::limits::WAIT;
use crate::property::Property;
use crate::span::Span;

/// Years around the start in which an anniversary, shifted by at most ten years, may be the next.
const YEARS: std::ops::RangeInclusive<i16> = -12..=12;

/// Until a date in a property of the person or of the trigger event: `{date: user.renewal_at, before: 3 days}`. At once
/// where that is over. A date without a time is midnight in the person's zone; a date and time without an offset is local
/// time there; with an offset or `Z` it is an instant. Seen in this order: the local day (and time) of the date; `at` in
/// place of its time of day; days before or after, on the calendar; hours, minutes and seconds before or after, exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateWait {
    /// `user.…` or `event.…`.
    pub date: Property,
    /// How long before the date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Span>,
    /// How long after the date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
    /// The local time on that day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<LocalTime>,
    /// Every year: until the next time from the start on that month and day, `at`, `before` and `after` lead to. What is
    /// over today counts for next year; 29 February is 28 February in other years.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yearly: bool,
    /// The step to go to when the property is not a date; without it the run ends.
    #[serde(rename = "else", default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// A property's value is not a date. As text `user.renewal_at is not a date: missing`; never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property} is not a date: {found}")]
pub struct NotADate {
    /// The property.
    pub property: String,
    /// What was there.
    pub found: NotDate,
}

/// What was there in place of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDate {
    /// Nothing, or null.
    Missing,
    /// A number, a list or another value that is not a text.
    NotText,
    /// A text that is not a date in ISO-8601.
    Unreadable,
    /// A date at which the wait would end after more than [`WAIT`]: `9999-12-31`, say, for "never".
    TooFar,
}

/// A date as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// With an offset: an instant.
    Instant(Timestamp),
    /// Without one: what a clock shows. Midnight where it has no time.
    Local(DateTime),
}

impl Moment {
    /// Reads a date in ISO-8601.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.starts_with(|c: char| c.is_ascii_digit()) || text.len() < "2027-01-31".len() {
            return None;
        }
        let local = || text.parse().or_else(|_| text.parse().map(|date: Date| date.at(0, 0, 0, 0))).ok();
        text.parse().ok().map(Self::Instant).or_else(|| local().map(Self::Local))
    }
}

impl fmt::Display for DateWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("until ")?;
        for (shift, word) in [(self.before, "before"), (self.after, "after")] {
            if let Some(shift) = shift {
                write!(f, "{shift} {word} ")?;
            }
        }
        write!(f, "{}", self.date)?;
        if let Some(at) = self.at {
            write!(f, " at {at}")?;
        }
        if self.yearly { f.write_str(", each year") } else { Ok(()) }
    }
}

impl DateWait {
    pub(super) fn ends(&self, start: &Start<'_>) -> Result<Ends, NotADate> {
        let ends = read(start.value)
            .map(|moment| self.ends_of(moment, start))
            .and_then(|ends| if ends.at.duration_since(start.at) > WAIT { Err(NotDate::TooFar) } else { Ok(ends) });
        ends.map_err(|found| NotADate { property: self.date.to_string(), found })
    }

    /// The moment that it is for, even before the start. None of what comes each year: the next one is never over.
    pub(super) fn was(&self, start: &Start<'_>) -> Option<Timestamp> {
        let moment = read(start.value).ok().filter(|_| !self.yearly)?;
        Some(self.ends_of(moment, &Start { at: Timestamp::MIN, ..*start }).at)
    }

    fn ends_of(&self, moment: Moment, start: &Start<'_>) -> Ends {
        let wall = match moment {
            Moment::Instant(at) => start.zone.local(at),
            Moment::Local(wall) => wall,
        };
        let wall = self.at.map_or(wall, |time| wall.date().to_datetime(time.time()));
        if self.yearly {
            return self.anniversary(wall, start);
        }
        match moment {
            Moment::Instant(at) if self.at.is_none() && self.days() == 0 => {
                Ends { at: intent::shift(at, self.exact()).max(start.at), intent: None }
            }
            _ => self.shifted(wall, start),
        }
    }

    /// The next anniversary of `wall`, shifted.
    fn anniversary(&self, wall: DateTime, start: &Start<'_>) -> Ends {
        let this_year = start.zone.local(start.at).year();
        let walls = YEARS.filter_map(|years| in_year(wall, this_year.checked_add(years)?));
        let mut ends = walls.map(|wall| self.shifted(wall, start));
        // Without an intent it is over.
        ends.find(|ends| ends.intent.is_some()).unwrap_or(Ends { at: start.at, intent: None })
    }

    fn shifted(&self, wall: DateTime, start: &Start<'_>) -> Ends {
        intent::end(intent::days_after(wall, self.days()), self.exact(), start.zone, true, start.at)
    }

    /// Calendar days after the date; negative before it.
    fn days(&self) -> i64 {
        self.after.map_or(0, Span::days) - self.before.map_or(0, Span::days)
    }

    /// What is added to them, counted exactly.
    fn exact(&self) -> SignedDuration {
        let exact = |span: Option<Span>| span.map_or(SignedDuration::ZERO, Span::exact);
        exact(self.after) - exact(self.before)
    }
}

fn in_year(wall: DateTime, year: i16) -> Option<DateTime> {
    let day = Date::new(year, wall.month(), wall.day()).or_else(|_| Date::new(year, wall.month(), wall.day() - 1));
    day.ok().map(|day| day.to_datetime(wall.time()))
}

fn read(value: Option<&Value>) -> Result<Moment, NotDate> {
    match value {
        None | Some(Value::Null) => Err(NotDate::Missing),
        Some(Value::String(text)) => Moment::parse(text).ok_or(NotDate::Unreadable),
        Some(_) => Err(NotDate::NotText),
    }
}

impl fmt::Display for NotDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::NotText => "not a text",
            Self::Unreadable => "unreadable",
            Self::TooFar => "more than ten years ahead",
        })
    }
}
