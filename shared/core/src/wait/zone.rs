//! The zone in which a person's clock on the wall is read.
//!
//! Zones come from the database that is built in, never from the machine: the same input gives the same instant
//! everywhere. Names of any case, aliases and names that were since renamed are in it.

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use serde_json::Value;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Transitions looked at to find the end of a gap: the first that changes the offset is one of the next few.
const TRANSITIONS: usize = 8;
/// Offsets in use: from 12 hours behind to 14 ahead of UTC, in quarters of an hour.
const QUARTERS: std::ops::RangeInclusive<f64> = -48.0..=56.0;
/// A quarter of an hour, in seconds.
const QUARTER: i32 = 900;

/// A zone: an IANA name such as `Europe/Berlin`, or an offset from UTC such as `+05:30`. As text, it is its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A text that is not a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone; write a name like `Europe/Berlin`, or an offset like `+05:30`")]
pub struct ZoneError(String);

/// Where a person's zone was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The profile's `ianaTimezone`.
    IanaTimezone,
    /// The profile's `timezone`.
    Timezone,
    /// The project: the profile has none that is understood.
    Project,
}

/// A property of the profile that was there and is no zone. As text `user.timezone: unknown_zone`; never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Misread {
    /// The property: `ianaTimezone` or `timezone`.
    pub property: &'static str,
    /// A code that stays: `unknown_zone` (a text that is neither a name in the database nor an offset),
    /// `unknown_offset` (a number that is no offset in use) or `wrong_type`.
    pub code: &'static str,
}

/// A person's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The zone.
    pub zone: Zone,
    /// Where it was found.
    pub source: Source,
    /// What was looked at before and not understood.
    pub misread: Vec<Misread>,
}

impl Found {
    /// The zone that the profile itself gives; `None` where the project's stands in.
    #[must_use]
    pub fn of_person(&self) -> Option<&Zone> {
        (self.source != Source::Project).then_some(&self.zone)
    }
}

/// The zone of a person: `ianaTimezone`, else `timezone`, else the project's. Either property may hold a name or an
/// offset: a number of hours (`5.5`), also as text, or `+05:30`, `UTC+5`. What is empty or null is not there.
#[must_use]
pub fn find(iana_timezone: Option<&Value>, timezone: Option<&Value>, project: &Zone) -> Found {
    let mut misread = Vec::new();
    let properties = [(Source::IanaTimezone, "ianaTimezone", iana_timezone), (Source::Timezone, "timezone", timezone)];
    for (source, property, value) in properties {
        let read = match value {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) if text.trim().is_empty() => continue,
            Some(Value::String(text)) => Zone::parse(text).map_err(|_| "unknown_zone"),
            Some(Value::Number(hours)) => hours.as_f64().and_then(Zone::hours).ok_or("unknown_offset"),
            Some(_) => Err("wrong_type"),
        };
        match read {
            Ok(zone) => return Found { zone, source, misread },
            Err(code) => misread.push(Misread { property, code }),
        }
    }
    Found { zone: project.clone(), source: Source::Project, misread }
}

impl Zone {
    /// Reads a zone from outside: a name of any case (spaces count as underscores), or an offset in use.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let text = text.trim();
        let error = || ZoneError(text.chars().take(80).collect());
        let known = ZONES.get(&text.replace(' ', "_")).ok().filter(|rules| !rules.is_unknown());
        if let Some(rules) = known {
            return Ok(Self { name: rules.iana_name().unwrap_or(text).to_owned(), rules });
        }
        let bare = text.get(..3).filter(|word| ["gmt", "utc"].contains(&word.to_ascii_lowercase().as_str()));
        let offset = text.get(bare.map_or(0, str::len)..).unwrap_or_default().trim();
        if let Some(zone) = offset.parse().ok().and_then(Self::hours) {
            return Ok(zone);
        }
        if !offset.starts_with(['+', '-']) {
            return Err(error());
        }
        let rules = DateTimeParser::new().parse_time_zone_with(&ZONES, offset).ok();
        let seconds = rules.and_then(|rules| rules.to_fixed_offset().ok()).map(Offset::seconds);
        seconds.and_then(|seconds| Self::hours(f64::from(seconds) / 3_600.0)).ok_or_else(error)
    }

    /// The zone that is this many hours ahead of UTC, if such an offset is in use.
    fn hours(hours: f64) -> Option<Self> {
        let quarters = hours * 4.0;
        if !QUARTERS.contains(&quarters) || quarters.fract() != 0.0 {
            return None;
        }
        let offset = Offset::from_seconds(quarters as i32 * QUARTER).ok()?;
        Some(Self { name: offset.to_string(), rules: TimeZone::fixed(offset) })
    }

    /// Its name, as the database writes it, or its offset: for keeping. It is read again with [`Zone::parse`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the clock on the wall shows at an instant.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.rules.to_datetime(at)
    }

    /// The instant at which the clock shows `wall`. Of two, the first. Where the clock is put forward over it, or the
    /// zone skipped that day, the first instant after: that of the change.
    #[must_use]
    pub fn instant(&self, wall: DateTime) -> Timestamp {
        let beyond = if wall.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let found = self.rules.to_ambiguous_timestamp(wall);
        let AmbiguousOffset::Gap { after, .. } = found.offset() else {
            return found.compatible().unwrap_or(beyond);
        };
        let change = after.to_timestamp(wall).ok().and_then(|earlier| {
            let mut next = self.rules.following(earlier).take(TRANSITIONS);
            next.find(|change| change.offset().to_datetime(change.timestamp()) > wall)
        });
        change.map(|change| change.timestamp()).or_else(|| found.compatible().ok()).unwrap_or(beyond)
    }
}

impl Default for Zone {
    /// UTC.
    fn default() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user.{}: {}", self.property, self.code)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;
    fn try_from(text: String) -> Result<Self, ZoneError> {
        Self::parse(&text)
    }
}
