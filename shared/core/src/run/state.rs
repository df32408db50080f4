//! Where a run is, and why it ended.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::waiting::Meant;
use crate::condition::Reason;
use crate::ids::EventId;
use crate::task::TriggerEvent;

/// A goal that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The event that reached it; none where only the person's counts still know of it, and not the activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// When it happened.
    pub at: Timestamp,
}

/// What a step that waits for events has heard: by the latest of their times, and those of that very time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Last {
    /// When they happened.
    pub at: Timestamp,
    /// Which they were: an import stamps many with the same second. As many as a run moves at most
    /// ([`crate::limits::MOVES`]), some 30 bytes each.
    pub events: BTreeSet<EventId>,
}

/// What a row has: an old one only the time.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    At(Timestamp),
    Whole { at: Timestamp, events: BTreeSet<EventId> },
}

impl From<Written> for Last {
    fn from(written: Written) -> Self {
        match written {
            Written::At(at) => Self { at, events: BTreeSet::new() },
            Written::Whole { at, events } => Self { at, events },
        }
    }
}

impl Last {
    /// Whether an event is still to be heard. Of a row that does not say which were heard, all of that time were.
    #[must_use]
    pub fn is_before(&self, event: &TriggerEvent) -> bool {
        let is_beside = event.at == self.at && !self.events.is_empty();
        event.at > self.at || is_beside && !self.events.contains(&event.id)
    }

    /// What was heard last, by now; `before` was until now.
    #[must_use]
    pub fn heard(before: Option<Self>, event: &TriggerEvent) -> Self {
        let beside = before.filter(|before| before.at == event.at).map(|before| before.events);
        let mut events = beside.unwrap_or_default();
        events.insert(event.id.clone());
        Self { at: event.at, events }
    }
}

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunState {
    /// In a step that waits.
    Waiting {
        /// The step.
        step: String,
        /// When the wait is over.
        due_at: Timestamp,
        /// What it means, where the clock on the wall or something else than time decides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meant: Option<Box<Meant>>,
    },
    /// It has not begun: it is expected to, at a date of the person.
    Expected {
        /// When.
        due_at: Timestamp,
        /// What the date is known by ([`super::date_of`]).
        date: String,
        /// What it means, to compute it again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meant: Option<Box<Meant>>,
    },
    /// Before a step, which it takes as soon as it is woken: an operator has moved it there.
    Placed {
        /// The step.
        step: String,
        /// From when on the step counts, if it takes time.
        since: Timestamp,
        /// When that was.
        at: Timestamp,
    },
    /// Over.
    Ended {
        /// When.
        at: Timestamp,
        /// Why.
        reason: EndReason,
    },
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndReason {
    /// After the last step.
    Completed,
    /// At an `exit` step.
    Exited {
        /// The step.
        step: String,
        /// Its text.
        why: String,
    },
    /// At a `filter` step.
    Filtered {
        /// The step.
        step: String,
        /// The condition that did not hold.
        why: Reason,
    },
    /// At a `wait` step for a date: the property is none.
    NotADate {
        /// The step.
        step: String,
        /// Which property, and what was there; never its value.
        why: String,
    },
    /// At a `hold_out` step: the person is in the group that is held out.
    HeldOut {
        /// The step.
        step: String,
    },
    /// Its goal was reached.
    Goal,
    /// A condition under which the campaign goes on no longer holds.
    NoLonger {
        /// The condition.
        why: Reason,
    },
    /// The person has unsubscribed from marketing.
    Unsubscribed,
    /// Of a run that was expected: the date is another by now, or the campaign asks for none.
    Superseded,
    /// Its campaign was deleted.
    Withdrawn,
    /// The person was deleted; what the event said is erased with them.
    Deleted,
    /// An operator ended it, where it was, when runs were moved to another version.
    Migrated {
        /// The step at which it was.
        step: String,
        /// The version that others went to.
        to_version: u32,
    },
    /// A step leads to one that is not there; a checked campaign has none.
    Lost {
        /// The step that is not there.
        step: String,
    },
    /// Too many steps without a wait between (a checked campaign has no such loop; nothing of that move was sent), or too
    /// many moves ([`crate::limits::MOVES`]).
    Looping {
        /// The step at which it was stopped.
        step: String,
    },
}

/// When a run in this state wants to be woken.
pub(super) fn wakes_at(state: &RunState) -> Option<Timestamp> {
    match state {
        RunState::Waiting { due_at, meant, .. } | RunState::Expected { due_at, meant, .. } => {
            Some(meant.as_ref().and_then(|meant| meant.look_at).unwrap_or(*due_at))
        }
        RunState::Placed { at, .. } => Some(*at),
        RunState::Ended { .. } => None,
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("after the last step"),
            Self::Exited { step, why } | Self::NotADate { step, why } => write!(f, "at `{step}`, {why}"),
            Self::Filtered { step, why } => write!(f, "at `{step}`, {why}"),
            Self::HeldOut { step } => write!(f, "at `{step}`, held out"),
            Self::Goal => f.write_str("the goal is reached"),
            Self::NoLonger { why } => write!(f, "it goes on no longer, {why}"),
            Self::Unsubscribed => f.write_str("the person has unsubscribed"),
            Self::Superseded => f.write_str("the date is another one by now"),
            Self::Withdrawn => f.write_str("the campaign is deleted"),
            Self::Deleted => f.write_str("the person is deleted"),
            Self::Migrated { step, to_version } => {
                write!(f, "an operator ended it at `{step}`, when others went to version {to_version}")
            }
            Self::Lost { step } => write!(f, "there is no step `{step}`"),
            Self::Looping { step } => write!(f, "it loops for ever at `{step}`"),
        }
    }
}
