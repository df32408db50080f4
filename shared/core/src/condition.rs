//! Conditions: questions about a person, their history and the trigger event, asked just before sending (and by
//! `filter` steps, and by a trigger).

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::Properties;
use crate::event_name::EventName;
use crate::filter::Test;
use crate::hook::Answer;
use crate::profile::Profile;
use crate::property::{Owner, Property};
use crate::span::Span;
use crate::task::TriggerEvent;
use crate::trigger::CONDITION;

/// What conditions are asked about.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The person, as known now.
    pub profile: &'a Profile,
    /// The event that started it all.
    pub event: &'a TriggerEvent,
    /// The present.
    pub now: Timestamp,
    /// What the run has gathered on its way, by name.
    pub journey: &'a Properties,
    /// The person's events since the trigger, as far as whoever asks has loaded them, oldest first.
    pub past: &'a [TriggerEvent],
    /// The answer of the webhook that the run waits for, if it has come.
    pub answer: Option<&'a Answer>,
}

/// What a run has gathered that has just begun.
static NOTHING: LazyLock<Properties> = LazyLock::new(Properties::new);

/// The answer, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Pass,
    /// Do not, because of this.
    Fail(Reason),
}

/// Why not: names the condition that failed, never a person's value. Stable enough to be grouped by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(String);

/// One question. A list of conditions holds when all of them hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Condition {
    /// A property of the person or of the trigger event.
    Property(PropertyCondition),
    /// The person carries this tag.
    #[schemars(extend("additionalProperties" = false))]
    Tag {
        /// The tag.
        tag: String,
    },
    /// The person does not carry this tag.
    #[schemars(extend("additionalProperties" = false))]
    NoTag {
        /// The tag.
        no_tag: String,
    },
    /// How often an event happened to the person.
    Triggered(History),
    /// All of them hold.
    #[schemars(extend("additionalProperties" = false))]
    All {
        /// The conditions.
        all: Vec<Condition>,
    },
    /// At least one of them holds.
    #[schemars(extend("additionalProperties" = false))]
    Any {
        /// The conditions.
        any: Vec<Condition>,
    },
    /// It does not hold.
    #[schemars(extend("additionalProperties" = false))]
    Not {
        /// The condition.
        not: Box<Condition>,
    },
}

/// A property and what is asked of it: `{property: user.plan, equals: pro}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct PropertyCondition {
    /// `user.…` or `event.…`.
    pub property: Property,
    /// What is asked.
    #[serde(flatten)]
    pub test: Test,
}

/// How often an event happened: `{triggered: Purchased item, at_least: 2, within: 30 days}`. Without a count: at
/// least once. Every bound given must hold. `Identified` is counted like any event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The event.
    #[schemars(schema_with = "crate::campaign::schema::event_name")]
    pub triggered: EventName,
    /// This often or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// This often or less; `0` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// This often; `0` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exactly: Option<u64>,
    /// Only events not longer ago than this (counted by UTC day).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// `trigger`: only events after the trigger event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// From when on events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// From the trigger event on, which itself does not count.
    Trigger,
}

impl<'a> Facts<'a> {
    /// What is true of a person and an event, where no run has gathered anything and no other event is known.
    #[must_use]
    pub fn new(profile: &'a Profile, event: &'a TriggerEvent, now: Timestamp) -> Self {
        Self { profile, event, now, journey: &NOTHING, past: &[], answer: None }
    }

    /// The value of a property; `None` where it is unset.
    pub(crate) fn value(&self, property: &Property) -> Option<std::borrow::Cow<'_, Value>> {
        use std::borrow::Cow::{Borrowed, Owned};
        let found = match property.owner() {
            Owner::User => property.find(|name| self.profile.property(name)),
            Owner::Event => property.find(|name| self.event.data.get(name)),
            Owner::Journey => property.find(|name| self.journey.get(name)),
        };
        if let Some(value) = found {
            return Some(Borrowed(value));
        }
        match (property.owner(), property.path()) {
            (Owner::User, "id") => Some(Owned(self.profile.id.as_str().into())),
            (Owner::User, "email") => self.profile.email().map(|email| Owned(email.as_str().into())),
            _ => None,
        }
    }
}

/// Asks all conditions, in order; the first that does not hold is the reason.
#[must_use]
pub fn decide<'c>(conditions: impl IntoIterator<Item = &'c Condition>, facts: &Facts<'_>) -> Decision {
    match conditions.into_iter().find(|condition| !condition.holds(facts)) {
        Some(failed) => Decision::Fail(failed.reason(facts)),
        None => Decision::Pass,
    }
}

impl Decision {
    /// Whether to go on.
    #[must_use]
    pub fn passed(&self) -> bool {
        matches!(self, Self::Pass)
    }
}

impl Reason {
    /// A reason of our own.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The reason as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Condition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Property(PropertyCondition { property, test }) => {
                test.passes(facts.value(property).as_deref(), facts.now)
            }
            Self::Tag { tag } => facts.profile.has_tag(tag),
            Self::NoTag { no_tag } => !facts.profile.has_tag(no_tag),
            Self::Triggered(history) => history.holds(facts),
            Self::All { all } => all.iter().all(|condition| condition.holds(facts)),
            Self::Any { any } => any.iter().any(|condition| condition.holds(facts)),
            Self::Not { not } => !not.holds(facts),
        }
    }

    /// Why it does not hold: of a group `all`, the member that failed.
    fn reason(&self, facts: &Facts<'_>) -> Reason {
        match self {
            Self::All { all } => match all.iter().find(|condition| !condition.holds(facts)) {
                Some(failed) => failed.reason(facts),
                None => Reason(format!("not met: {self}")),
            },
            _ => Reason(format!("not met: {self}")),
        }
    }

    /// The conditions directly inside.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let inside: &[Self] = match self {
            Self::All { all } => all,
            Self::Any { any } => any,
            Self::Not { not } => std::slice::from_ref(not),
            Self::Property(_) | Self::Tag { .. } | Self::NoTag { .. } | Self::Triggered(_) => &[],
        };
        inside.iter()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, word: &str, conditions: &[Self]| {
            write!(f, "{word} of (")?;
            for (index, condition) in conditions.iter().enumerate() {
                let comma = if index == 0 { "" } else { "; " };
                write!(f, "{comma}{condition}")?;
            }
            f.write_str(")")
        };
        match self {
            Self::Property(PropertyCondition { property, test }) => write!(f, "{property} {test}"),
            Self::Tag { tag } => write!(f, "has the tag \"{tag}\""),
            Self::NoTag { no_tag } => write!(f, "does not have the tag \"{no_tag}\""),
            Self::Triggered(history) => history.fmt(f),
            Self::All { all } => list(f, "all", all),
            Self::Any { any } => list(f, "any", any),
            Self::Not { not } => write!(f, "not ({not})"),
        }
    }
}

impl History {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        let count = self.count(facts);
        let least = self.at_least.or(self.unbounded().then_some(1));
        least.is_none_or(|least| count >= least)
            && self.at_most.is_none_or(|most| count <= most)
            && self.exactly.is_none_or(|exactly| count == exactly)
    }

    fn unbounded(&self) -> bool {
        self.at_least.is_none() && self.at_most.is_none() && self.exactly.is_none()
    }

    /// Events in the window. A trigger event is not counted as having happened since itself: where it bears the
    /// name asked for, only what came after its own millisecond counts, and the day's count, which has it, less one. What
    /// led into a condition may bear any name.
    fn count(&self, facts: &Facts<'_>) -> u64 {
        let within = self.within.map(|span| span.before(facts.now));
        let Some(Since::Trigger) = self.since else {
            return facts.profile.count(&self.triggered, within);
        };
        let trigger = Timestamp::from_millisecond(facts.event.at.as_millisecond()).unwrap_or(facts.event.at);
        if within.is_some_and(|within| within > trigger) {
            return facts.profile.count(&self.triggered, within);
        }
        let is_crossing = facts.event.name.as_str() == CONDITION;
        if self.triggered != facts.event.name && !is_crossing {
            return facts.profile.count(&self.triggered, Some(trigger));
        }
        let after = trigger.checked_add(jiff::SignedDuration::from_millis(1)).unwrap_or(trigger);
        let count = facts.profile.count(&self.triggered, Some(after));
        // Whether there was one at all is exact, however old the trigger's day.
        if is_crossing { count } else { count.saturating_sub(1).max(count.min(1)) }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "triggered \"{}\"", self.triggered)?;
        let bounds = [("at least", self.at_least), ("at most", self.at_most), ("exactly", self.exactly)];
        for (word, count) in bounds {
            if let Some(count) = count {
                let plural = if count == 1 { "" } else { "s" };
                write!(f, " {word} {count} time{plural}")?;
            }
        }
        if let Some(within) = self.within {
            write!(f, " within {within}")?;
        }
        if self.since.is_some() {
            f.write_str(" since the trigger")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
