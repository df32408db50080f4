//! Waiting until a local time of day.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock::{LocalTime, Weekday};
use super::{Ends, Start, intent};
use crate::span::Span;

/// Days looked at for one that is listed: a week, the day itself twice, and one that the zone skips.
const DAYS: i64 = 9;

/// Until a local time of day: `{until: "9:00"}`. First the plain delay, `for`, if there is one. Then, on the local day on
/// which that ends: where the time of day is not over, until it; where it is over (or, twice on the clock that day, was
/// there once), `if_passed` says. With `on`: where that day is not one of them, until the time on the next that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// The time of day, in the person's zone.
    pub until: LocalTime,
    /// A plain delay before.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// Only on these days of the week; on every day where it is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub on: Vec<Weekday>,
    /// What to do where the time is over on the day; `go_on` where it is missing.
    #[serde(default, skip_serializing_if = "IfPassed::goes_on")]
    pub if_passed: IfPassed,
}

/// What to do where a time of day is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfPassed {
    /// Go on at once, after the plain delay.
    #[default]
    GoOn,
    /// Until that time on the next day; with `on`, on the next day that is one of them.
    NextDay,
}

impl IfPassed {
    fn goes_on(&self) -> bool {
        *self == Self::GoOn
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(delay) = self.delay {
            write!(f, "{delay}, then ")?;
        }
        write!(f, "until {}{}", self.until, Weekday::on(&self.on))
    }
}

impl Until {
    pub(super) fn ends(&self, start: &Start<'_>) -> Ends {
        let delayed = match self.delay {
            Some(delay) => super::span_ends(delay, start.at, start.zone),
            None => Ends { at: start.at, intent: None },
        };
        let today = start.zone.local(delayed.at).date().to_datetime(self.until.time());
        for days in 0..=DAYS {
            let wall = intent::days_after(today, days);
            if !Weekday::listed(&self.on, wall.date()) {
                continue;
            }
            if start.zone.instant(wall) >= delayed.at {
                return intent::end(wall, jiff::SignedDuration::ZERO, start.zone, true, delayed.at);
            }
            if days == 0 && self.if_passed == IfPassed::GoOn {
                return delayed;
            }
        }
        delayed
    }
}
