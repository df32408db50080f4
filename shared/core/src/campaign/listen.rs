//! What a workflow listens for: the event or the condition that a step waits for, its goal, and what ends its runs early.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Campaign};
use crate::condition::{Condition, Facts};
use crate::event_name::EventName;
use crate::property::{Owner, Property, find};
use crate::span::Span;
use crate::task::TriggerEvent;
use crate::topic::{Subject, Topic, same};

/// An event that is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Awaited {
    /// The event. Names compare without case, spaces, underscores and dashes.
    #[schemars(schema_with = "super::schema::event_name")]
    pub event: EventName,
    /// Properties of the awaited event, each with what it must equal: `{cart_id: event.cart_id}`, where `event` is the
    /// trigger event. A property without a value equals nothing.
    #[serde(rename = "match", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub matching: BTreeMap<String, Property>,
    /// All of these must hold, where `event` is the awaited event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Condition>,
}

/// What of an event is not as that of the one that is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Misfit<'c> {
    /// A property that must match.
    Property {
        /// Where it is in the event.
        path: &'c str,
        /// What it must equal.
        wanted: &'c Property,
    },
    /// A filter that does not hold.
    Filter(&'c Condition),
}

/// Waiting for an event, with a time-out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitFor {
    /// The event. One that came after the trigger and before the step counts, too.
    pub wait_for: Awaited,
    /// How long at most.
    pub within: Span,
    /// The name by which later steps and templates see the event's properties: `journey.NAME.…`.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The step to go to when it happened; without it, the one that comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened: Option<String>,
    /// The step to go to when it did not; without it, the one that comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<String>,
}

/// Waiting until conditions hold, with a time-out. Asked when a call changes what they speak of, and at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitUntil {
    /// The conditions.
    pub wait_until: Vec<Condition>,
    /// How long at most.
    pub within: Span,
    /// The step to go to when they hold; without it, the one that comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened: Option<String>,
    /// The step to go to when they do not; without it, the one that comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<String>,
}

/// What ends a run early, asked before its steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exits {
    /// When the goal is reached. Without it, the goal is only recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub goal: bool,
    /// When one of these no longer holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<Condition>,
    /// When the person has unsubscribed from marketing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsubscribed: bool,
}

impl Exits {
    /// Whether nothing ends a run early.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Awaited {
    /// What a run must be told of.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let properties = self.matching.keys().cloned().collect();
        Subject::Event { event: self.event.key().to_owned(), properties }
    }

    /// What this very run must be told of; none where it waits for a value that it does not have.
    pub(crate) fn topic(&self, facts: &Facts<'_>) -> Option<Topic> {
        let value = |(path, property): (&String, &Property)| Some((path.clone(), facts.value(property)?.into_owned()));
        let values: BTreeMap<String, Value> = self.matching.iter().map(value).collect::<Option<_>>()?;
        self.subject().topic(|path| values.get(path))
    }

    /// The first event of the person's past that is the one, of those for which `counts` holds.
    pub(crate) fn find<'f>(
        &self,
        facts: &Facts<'f>,
        counts: impl Fn(&TriggerEvent) -> bool,
    ) -> Option<&'f TriggerEvent> {
        let is_it = |event: &&TriggerEvent| {
            self.is_called(event, facts) && counts(event) && self.misfit(event, facts).is_none()
        };
        facts.past.iter().find(is_it)
    }

    /// Whether an event has the name that is waited for. The trigger never is the one.
    pub(crate) fn is_called(&self, event: &TriggerEvent, facts: &Facts<'_>) -> bool {
        event.name == self.event && event.id != facts.event.id
    }

    /// What of an event that has the name does not fit; none where it is the one.
    pub(crate) fn misfit<'c>(&'c self, event: &TriggerEvent, facts: &Facts<'_>) -> Option<Misfit<'c>> {
        let differs = |(path, wanted): &(&String, &Property)| {
            let found = find(path, |name| event.data.get(name)).and_then(same);
            found.is_none() || found != facts.value(wanted).as_deref().and_then(same)
        };
        if let Some((path, wanted)) = self.matching.iter().find(differs) {
            return Some(Misfit::Property { path, wanted });
        }
        let facts = &Facts { event, ..*facts };
        self.filters.iter().find(|filter| !filter.holds(facts)).map(Misfit::Filter)
    }
}

impl Action {
    /// How long a step that listens waits at most.
    #[must_use]
    pub fn listens(&self) -> Option<Span> {
        match self {
            Self::WaitFor(wait) => Some(wait.within),
            Self::WaitUntil(wait) => Some(wait.within),
            _ => None,
        }
    }

    /// Where a step that waits for something leads, each with its key: when it came, when it did not.
    pub(crate) fn exits(&self) -> [(&'static str, Option<&str>); 2] {
        match self {
            Self::WaitFor(WaitFor { happened, timed_out, .. })
            | Self::WaitUntil(WaitUntil { happened, timed_out, .. }) => {
                [("happened", happened.as_deref()), ("timed_out", timed_out.as_deref())]
            }
            Self::Webhook { failed, .. } => [("", None), ("failed", failed.as_deref())],
            _ => [("", None), ("", None)],
        }
    }

    /// Whether no call can change what it listens for.
    pub(super) fn hears_nothing(&self) -> bool {
        self.subjects().is_empty()
    }

    fn subjects(&self) -> BTreeSet<Subject> {
        match self {
            Self::WaitFor(wait) => BTreeSet::from([wait.wait_for.subject()]),
            Self::WaitUntil(wait) => mentioned(&wait.wait_until),
            _ => BTreeSet::new(),
        }
    }

    /// What a run at this step must be told of.
    pub(crate) fn topics(&self, facts: &Facts<'_>) -> BTreeSet<Topic> {
        match self {
            Self::WaitFor(wait) => wait.wait_for.topic(facts).into_iter().collect(),
            Self::WaitUntil(wait) => {
                mentioned(&wait.wait_until).iter().filter_map(|subject| subject.topic(|_| None)).collect()
            }
            _ => BTreeSet::new(),
        }
    }
}

/// What of a person's conditions calls can change.
fn mentioned<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> BTreeSet<Subject> {
    let mut subjects = BTreeSet::new();
    for condition in conditions {
        match condition {
            Condition::Property(of) if of.property.owner() == Owner::User => {
                let whole = of.property.path();
                let names = [whole, whole.split('.').next().unwrap_or(whole)];
                subjects.extend(names.map(|name| Subject::Property { property: name.to_owned() }));
            }
            Condition::Tag { tag } | Condition::NoTag { no_tag: tag } => {
                subjects.insert(Subject::Tag { tag: tag.clone() });
            }
            Condition::Triggered(history) => {
                subjects.insert(Subject::event(&history.triggered));
            }
            _ => {}
        }
        subjects.extend(mentioned(condition.children()));
    }
    subjects
}

impl Campaign {
    /// What its runs may have to be told of while they wait.
    #[must_use]
    pub fn subjects(&self) -> BTreeSet<Subject> {
        self.steps.iter().flat_map(|step| step.action.subjects()).collect()
    }

    /// The events whose past its runs ask for: those that steps wait for, and the goal.
    pub fn sought(&self) -> impl Iterator<Item = &EventName> {
        let awaited = self.steps.iter().filter_map(|step| match &step.action {
            Action::WaitFor(wait) => Some(&wait.wait_for.event),
            _ => None,
        });
        awaited.chain(self.goal.iter().map(|goal| &goal.event))
    }
}
