//! Waits: how long a run stands still, by the person's own clock. A function of what is given: no clock, no chance.
//!
//! A local time becomes an instant in one way everywhere ([`Zone::instant`]): of two such moments the first, and where the
//! clock is put forward over it, the moment at which that happens.

mod between;
mod clock;
mod date;
mod intent;
mod until;
mod window;
pub mod zone;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use between::Between;
pub use clock::{LocalTime, LocalTimeError, Weekday};
pub use date::{DateWait, NotADate, NotDate};
pub use intent::{Ends, Intent};
pub use until::{IfPassed, Until};
pub use window::{Window, WindowWait};
pub use zone::Zone;

pub(crate) use date::Moment;

use crate::campaign::Problem;
use crate::property::Property;
use crate::span::Span;

/// How long to wait: a span, or one of `until`, `date`, `window` and `between`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(transform = crate::campaign::schema::exactly_one)]
pub enum Wait {
    /// A plain delay.
    Span(Span),
    /// Until a local time of day.
    Until(Until),
    /// Until a date in a property.
    Date(DateWait),
    /// Until a window opens.
    Window(WindowWait),
    /// A random time.
    Between(Between),
}

/// What a wait counts from.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The instant.
    pub at: Timestamp,
    /// The person's zone.
    pub zone: &'a Zone,
    /// The value of the property that [`Wait::property`] names, if it has one.
    pub value: Option<&'a Value>,
    /// What makes the passage unlike any other: the run, the step, the moves.
    pub seed: &'a [&'a str],
}

impl Wait {
    /// When a wait from `start` ends.
    ///
    /// # Errors
    /// Of a wait for a date: when the property's value is not a date.
    pub fn ends(&self, start: &Start<'_>) -> Result<Ends, NotADate> {
        match self {
            Self::Span(span) => Ok(span_ends(*span, start.at, start.zone)),
            Self::Until(until) => Ok(until.ends(start)),
            Self::Date(date) => date.ends(start),
            Self::Window(wait) => Ok(wait.window.ends(start)),
            Self::Between(between) => Ok(between.ends(start)),
        }
    }

    /// The moment that a wait was for which is over at `start`: a date, be it long ago.
    #[must_use]
    pub fn was(&self, start: &Start<'_>) -> Timestamp {
        match self {
            Self::Date(date) => date.was(start).unwrap_or(start.at),
            _ => start.at,
        }
    }

    /// How long it takes at least, where it surely takes time: a plain delay. What waits for a time of day, a date or a
    /// window may be over at once.
    #[must_use]
    pub fn length(&self) -> Option<SignedDuration> {
        match self {
            Self::Span(span) => Some(span.length()),
            Self::Until(until) => until.delay.map(Span::length),
            Self::Between(Between { between: [shorter, _] }) => Some(shorter.length()),
            Self::Date(_) | Self::Window(_) => None,
        }
    }

    /// Whether the person's zone has a say in it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Span(span) => span.days() > 0,
            Self::Between(Between { between }) => between.iter().any(|span| span.days() > 0),
            Self::Until(_) | Self::Date(_) | Self::Window(_) => true,
        }
    }

    /// The property whose value it needs.
    #[must_use]
    pub fn property(&self) -> Option<&Property> {
        match self {
            Self::Date(wait) => Some(&wait.date),
            _ => None,
        }
    }

    /// Whether it is for a day that comes each year.
    #[must_use]
    pub fn is_yearly(&self) -> bool {
        matches!(self, Self::Date(wait) if wait.yearly)
    }

    /// The step to go to when that is not a date.
    #[must_use]
    pub fn otherwise(&self) -> Option<&str> {
        match self {
            Self::Date(wait) => wait.otherwise.as_deref(),
            _ => None,
        }
    }

    /// What is wrong with it beyond its form. Paths begin below the wait.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Between(Between { between: [first, second] }) if first.length() > second.length() => {
                let what = format!("{first} is longer than {second}");
                vec![Problem::error("between", what, "write the shorter one first")]
            }
            Self::Date(DateWait { before: Some(_), after: Some(_), .. }) => {
                vec![Problem::error("after", "has both `before` and `after`", "keep one of them")]
            }
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) => span.fmt(f),
            Self::Until(until) => until.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::Window(wait) => wait.window.fmt(f),
            Self::Between(Between { between: [first, second] }) => write!(f, "{first} to {second}"),
        }
    }
}

/// Days on the calendar of the zone, then the rest exactly.
pub(crate) fn span_ends(span: Span, start: Timestamp, zone: &Zone) -> Ends {
    if span.days() == 0 {
        return Ends { at: span.after(start), intent: None };
    }
    let wall = intent::days_after(zone.local(start), span.days());
    intent::end(wall, span.exact(), zone, false, start)
}

#[cfg(test)]
mod tests;
