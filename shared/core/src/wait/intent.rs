//! When a wait ends, and what it means: an instant, and the clock on the wall behind it.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Zone;

/// When a wait ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The instant; never before the wait's start.
    pub at: Timestamp,
    /// What it was computed from, where it depends on the clock on the wall. `None`: the instant stands.
    pub intent: Option<Intent>,
}

/// What a run keeps beside the instant, to compute it again when the database of zones or the person's zone changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What the clock on the wall shows.
    pub wall: DateTime,
    /// The zone's name in which it was computed first.
    pub zone: String,
    /// Seconds after that moment (negative: before it), counted exactly.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seconds: i64,
    /// Whether it follows the person into another zone. What was said as a time of day or a date does; a plain delay of
    /// days ends in the zone in which it began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moves: bool,
}

fn is_zero(seconds: &i64) -> bool {
    *seconds == 0
}

impl Intent {
    /// The instant meant, by the database of today. `person` is the zone that the person's profile gives now, if it
    /// gives one ([`super::zone::Found::of_person`]): who loses it stays in the zone of the beginning. `stored` is the
    /// instant computed last; it stands where the zone is unknown by now. An instant in the past means: it is over.
    #[must_use]
    pub fn instant(&self, person: Option<&Zone>, stored: Timestamp) -> Timestamp {
        match person {
            Some(zone) if self.moves => self.within(zone),
            _ => Zone::parse(&self.zone).map_or(stored, |zone| self.within(&zone)),
        }
    }

    fn within(&self, zone: &Zone) -> Timestamp {
        shift(zone.instant(self.wall), SignedDuration::from_secs(self.seconds))
    }
}

/// The moment `exact` after the clock shows `wall`, but never before `start`.
pub(super) fn end(wall: DateTime, exact: SignedDuration, zone: &Zone, moves: bool, start: Timestamp) -> Ends {
    let intent = Intent { wall, zone: zone.name().to_owned(), seconds: exact.as_secs(), moves };
    let at = intent.within(zone);
    if at < start { Ends { at: start, intent: None } } else { Ends { at, intent: Some(intent) } }
}

/// The moment `exact` after `at`, or where time begins or ends.
pub(super) fn shift(at: Timestamp, exact: SignedDuration) -> Timestamp {
    let beyond = if exact.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    at.checked_add(exact).unwrap_or(beyond)
}

/// The same time of day `days` later on the calendar, or where the calendar begins or ends.
pub(super) fn days_after(wall: DateTime, days: i64) -> DateTime {
    let beyond = if days < 0 { DateTime::MIN } else { DateTime::MAX };
    let span = jiff::Span::new().try_days(days);
    span.and_then(|span| wall.checked_add(span)).unwrap_or(beyond)
}
