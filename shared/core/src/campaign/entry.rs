//! Who enters a campaign: what starts it, and how often the same person may begin it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;
use crate::condition::Condition;
use crate::event_name::EventName;
use crate::property::Property;
use crate::span::Span;
use crate::wait::DateWait;

/// What starts a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct Trigger {
    /// What.
    #[serde(flatten)]
    pub on: On,
    /// All of these must hold then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Condition>,
}

/// Exactly one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(transform = super::schema::exactly_one)]
pub enum On {
    /// An event.
    Event {
        /// Names compare without case, spaces, underscores and dashes.
        #[schemars(schema_with = "schema::event_name")]
        event: EventName,
    },
    /// A call after which all conditions hold, and before which they did not.
    Enters {
        /// The conditions.
        enters: Vec<Condition>,
    },
    /// A call after which the conditions no longer hold all, and before which they did.
    Leaves {
        /// The conditions.
        leaves: Vec<Condition>,
    },
    /// A date in a property of the person.
    Date(DateWait),
    /// Nothing but the API, and the `start` step of another campaign.
    Api {
        /// `true`.
        api: bool,
    },
}

impl Trigger {
    /// The event that starts it, if one does.
    #[must_use]
    pub fn event(&self) -> Option<&EventName> {
        match &self.on {
            On::Event { event } => Some(event),
            _ => None,
        }
    }
}

/// Conditions that must all hold, for people to read.
pub(crate) fn all(conditions: &[Condition]) -> String {
    conditions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { event } => event.fmt(f),
            Self::Enters { enters } => write!(f, "enters: {}", all(enters)),
            Self::Leaves { leaves } => write!(f, "leaves: {}", all(leaves)),
            Self::Date(date) => date.fmt(f),
            Self::Api { .. } => f.write_str("the API"),
        }
    }
}

/// How often the same person may enter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryRule {
    /// A property of the trigger event that tells one matter from another, a cart's id: `again` is then asked for each of its
    /// values, and an event without it does not enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Property>,
    /// Whether who entered before may enter again.
    #[serde(default, skip_serializing_if = "Again::is_always")]
    pub again: Again,
    /// Entries of one person within 24 hours, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub per_day: Option<u32>,
    /// Entries of all people, ever, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub total: Option<u64>,
}

/// Whether who entered before may enter again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// Every time.
    #[default]
    Always,
    /// Never: once ever, or once for each key.
    Never,
    /// When the run before is over: one at a time.
    WhenOver,
    /// So long after the entry before.
    After(Span),
}

impl Again {
    fn is_always(&self) -> bool {
        *self == Self::Always
    }
}

impl EntryRule {
    /// Whether everybody enters every time.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a profile must remember who entered.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.again != Again::Always || self.per_day.is_some()
    }
}

impl fmt::Display for EntryRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.key.as_ref().map(|key| format!("for each {key}"));
        match (self.again, &each) {
            (Again::Always, _) => f.write_str("every time")?,
            (Again::Never, None) => f.write_str("once ever")?,
            (Again::Never, Some(_)) => f.write_str("once")?,
            (Again::WhenOver, _) => f.write_str("one run at a time")?,
            (Again::After(span), _) => write!(f, "again after {span}")?,
        }
        if let Some(each) = each.filter(|_| self.again != Again::Always) {
            write!(f, " {each}")?;
        }
        if let Some(most) = self.per_day {
            write!(f, ", at most {most} within 24 hours")?;
        }
        if let Some(most) = self.total {
            write!(f, ", at most {most} of all people")?;
        }
        Ok(())
    }
}
