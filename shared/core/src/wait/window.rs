//! Waiting until a window opens: business hours, or what quiet hours leave.

use std::fmt;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock::{LocalTime, Weekday};
use super::{Ends, Start, intent};

/// Days looked at for an open window: from two before (one that opened yesterday, on a clock that was put back) to a week
/// and one skipped day after.
const DAYS: std::ops::RangeInclusive<i64> = -2..=9;

/// Until a window opens: `{window: {from: "8:00", to: "18:00", on: [monday, tuesday]}}`. While it is open, at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowWait {
    /// When to go on.
    pub window: Window,
}

/// Local hours, each day or on some days: open from the instant of `from` up to that of `to`, which is not in it. Where
/// `from` is later than `to`, it goes over midnight, and `on` names the days on which it opens. Where they are equal, it
/// is open all day, from midnight to midnight. A window that the clock is put forward over opens and closes at the change.
/// Quiet hours are the window of the other hours: nothing from 22:00 to 8:00 is `{from: "8:00", to: "22:00"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it opens, in the person's zone.
    pub from: LocalTime,
    /// When it closes.
    pub to: LocalTime,
    /// The days of the week on which it opens; every day where it is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub on: Vec<Weekday>,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "between {} and {}{}", self.from, self.to, Weekday::on(&self.on))
    }
}

impl Window {
    pub(super) fn ends(&self, start: &Start<'_>) -> Ends {
        let at_once = Ends { at: start.at, intent: None };
        let (from, to) = (self.from.time(), self.to.time());
        let whole = from == to;
        let (from, to) = if whole { (LocalTime::MIDNIGHT.time(), LocalTime::MIDNIGHT.time()) } else { (from, to) };
        let days_open = i64::from(from >= to);
        let today = start.zone.local(start.at).date();
        for days in DAYS {
            let opens = intent::days_after(today.to_datetime(from), days);
            if !Weekday::listed(&self.on, opens.date()) {
                continue;
            }
            if start.zone.instant(opens) >= start.at {
                return intent::end(opens, SignedDuration::ZERO, start.zone, true, start.at);
            }
            let closes = intent::days_after(today.to_datetime(to), days + days_open);
            if start.zone.instant(closes) > start.at {
                return at_once;
            }
        }
        at_once
    }
}
