//! Topics: what a run that waits can hear of. A call touches few of them, a waiting run listens to few, and both are found
//! by key: so a call costs by what it touches, however many runs wait.
//!
//! A campaign knows the [`Subject`]s of its waits when it is published (an event of this name, with these properties); a
//! run and a call know the values, too, and both make the same [`Topic`] of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Action, Call, Properties};
use crate::event_name::EventName;
use crate::ids::digest;
use crate::profile::counts_as;
use crate::property::find;

/// What the runs of a campaign may wait for, before any value is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum Subject {
    /// An event.
    Event {
        /// Its name, as [`EventName::key`] has it.
        event: String,
        /// The properties whose values must be known ones.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        properties: BTreeSet<String>,
    },
    /// A change of a person's property.
    Property {
        /// Its name, without what dots lead to.
        property: String,
    },
    /// A tag that comes or goes.
    Tag {
        /// The tag.
        tag: String,
    },
}

/// A subject with its values: 32 hexadecimal digits, the same for who waits and for what comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topic(String);

impl Topic {
    /// The topic as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Subject {
    /// An event of this name, whatever its properties.
    #[must_use]
    pub fn event(name: &EventName) -> Self {
        Self::Event { event: name.key().to_owned(), properties: BTreeSet::new() }
    }

    /// The topic of a subject whose properties have the values that `value` finds; none where one has no value that can
    /// be the same as another.
    pub(crate) fn topic<'v>(&self, value: impl Fn(&str) -> Option<&'v Value>) -> Option<Topic> {
        let mut parts = match self {
            Self::Event { event, .. } => vec!["event".to_owned(), event.clone()],
            Self::Property { property } => vec!["property".to_owned(), property.clone()],
            Self::Tag { tag } => vec!["tag".to_owned(), tag.clone()],
        };
        if let Self::Event { properties, .. } = self {
            for property in properties {
                parts.extend([property.clone(), same(value(property)?)?]);
            }
        }
        Some(Topic(digest(&parts.iter().map(String::as_str).collect::<Vec<_>>())))
    }
}

/// The topics that a call touches, among these subjects.
#[must_use]
pub fn touched<'s>(call: &Call, subjects: impl IntoIterator<Item = &'s Subject>) -> BTreeSet<Topic> {
    let nothing = Properties::new();
    let (event, set) = (counts_as(call), properties(call));
    let data = match &call.action {
        Action::Track { data, .. } => data,
        Action::Identify { properties, .. } => properties,
        _ => &nothing,
    };
    let is_touched = |subject: &&Subject| match subject {
        Subject::Event { event: key, .. } => event.as_ref().is_some_and(|event| event.key() == key),
        Subject::Property { property } => set.contains(property.as_str()),
        Subject::Tag { tag } => {
            matches!(&call.action, Action::Tags { add, remove } if add.contains(tag) || remove.contains(tag))
        }
    };
    let touched = subjects.into_iter().filter(is_touched);
    touched.filter_map(|subject| subject.topic(|path| find(path, |name| data.get(name)))).collect()
}

/// The names of the person's properties that a call sets.
fn properties(call: &Call) -> BTreeSet<&str> {
    let (set, email) = match &call.action {
        Action::Identify { properties, email, .. } | Action::Track { properties, email, .. } => {
            (Some(properties), email.is_some())
        }
        Action::Edit { changes } => (Some(changes), false),
        _ => (None, false),
    };
    set.into_iter().flat_map(|set| set.keys().map(String::as_str)).chain(email.then_some("email")).collect()
}

/// A value as a text that two values share when a filter finds them equal (`1` equals `1.0`, and not `"1"`); none for
/// what equals nothing: null, lists and objects.
pub(crate) fn same(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(format!("flag {flag}")),
        Value::String(text) => Some(format!("text {text}")),
        Value::Number(number) => Some(match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => format!("number {whole}"),
            (_, Some(whole), _) => format!("number {whole}"),
            (.., Some(float)) => format!("number {float}"),
            _ => format!("number {number}"),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{EventId, ProjectId, UserId};
    use jiff::Timestamp;
    use serde_json::json;

    fn call(action: Value) -> Call {
        Call {
            id: EventId::derive(&["c"]),
            project: ProjectId::derive(&["p"]),
            user: UserId::parse("ann").expect("an id"),
            at: Timestamp::UNIX_EPOCH,
            accepted_at: Timestamp::UNIX_EPOCH,
            action: serde_json::from_value(action).expect("an action"),
        }
    }

    fn order(properties: &[&str]) -> Subject {
        let properties = properties.iter().map(|name| (*name).to_owned()).collect();
        Subject::Event { event: EventName::parse("Order completed").expect("a name").key().to_owned(), properties }
    }

    #[test]
    fn who_waits_and_what_comes_make_the_same_topic_of_the_same_values() {
        let came = call(json!({"kind": "track", "name": "order_completed", "data": {"cart": {"id": 7.0}, "total": 3}}));
        let wanted = json!(7);
        let waits = order(&["cart.id"]).topic(|_| Some(&wanted)).expect("a topic");
        assert_eq!(touched(&came, &[order(&["cart.id"])]), BTreeSet::from([waits]));
        let other = json!("7");
        assert_ne!(order(&["cart.id"]).topic(|_| Some(&other)), order(&["cart.id"]).topic(|_| Some(&wanted)));
        assert!(touched(&came, &[order(&["cart.key"])]).is_empty(), "a property that is not there is no value");
        assert_eq!(touched(&came, &[order(&[]), order(&["total"])]).len(), 2);
    }

    #[test]
    fn a_call_touches_the_properties_and_tags_that_it_changes_and_no_others() {
        let subjects = [
            Subject::Property { property: "plan".to_owned() },
            Subject::Property { property: "email".to_owned() },
            Subject::Tag { tag: "vip".to_owned() },
            order(&[]),
        ];
        let table = [
            (json!({"kind": "edit", "changes": {"plan": null, "x": 1}}), vec![0]),
            (json!({"kind": "identify", "email": "ann@example.com", "properties": {"plan": 1}}), vec![0, 1]),
            (json!({"kind": "tags", "remove": ["vip"]}), vec![2]),
            (json!({"kind": "tags", "add": ["new"]}), vec![]),
            (json!({"kind": "track", "name": "Order Completed", "properties": {"plan": 2}}), vec![0, 3]),
            (json!({"kind": "unsubscribe"}), vec![]),
        ];
        for (action, expected) in table {
            let expected: BTreeSet<Topic> =
                expected.into_iter().filter_map(|at: usize| subjects[at].topic(|_| None)).collect();
            assert_eq!(touched(&call(action.clone()), &subjects), expected, "{action}");
        }
    }
}
