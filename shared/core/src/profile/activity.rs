//! What happened to a person lately, in the words an operator reads. It rides in the profile's item until
//! there is enough of it for a chunk of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counts_as;
use crate::call::{Action, Call, Properties};
use crate::event_name::EventName;
use crate::ids::{CampaignId, EventId};
use crate::task::TriggerEvent;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The call it came with.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// When it was accepted, where that is another moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// What it was: `identified`, `edited`, `tagged`, `unsubscribed`, `resubscribed`, `renamed`, an event's name, or
    /// that a campaign was not started.
    pub what: String,
    /// Whether it is no event, whatever it is called: an update, or a note of ours.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub no_event: bool,
    /// The properties, changes or tags it came with.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub data: Properties,
}

impl Activity {
    /// What a call leaves in the activity; a delete leaves nothing.
    #[must_use]
    pub fn of(call: &Call) -> Option<Self> {
        let (what, data) = match &call.action {
            Action::Identify { properties, .. } => ("identified".to_owned(), properties.clone()),
            Action::Edit { changes } => ("edited".to_owned(), changes.clone()),
            Action::Tags { add, remove } => ("tagged".to_owned(), tags(add, remove)),
            Action::Unsubscribe => ("unsubscribed".to_owned(), Properties::new()),
            Action::Resubscribe => ("resubscribed".to_owned(), Properties::new()),
            Action::Reidentify { .. } => ("renamed".to_owned(), Properties::new()),
            Action::Track { name, data, .. } => (name.as_str().to_owned(), data.clone()),
            Action::Enter { campaign, data, .. } => (format!("asked to enter {campaign}"), data.clone()),
            Action::Delete => return None,
        };
        let accepted_at = (call.accepted_at != call.at).then_some(call.accepted_at);
        let no_event = counts_as(call).is_none();
        Some(Self { id: call.id.clone(), at: call.at, accepted_at, what, no_event, data })
    }

    /// What a call leaves that did not start a campaign, and why.
    pub(super) fn not_started(call: &Call, campaign: &CampaignId, why: &str) -> Self {
        let id = EventId::derive(&["not started", call.id.as_str(), campaign.as_str()]);
        let accepted_at = (call.accepted_at != call.at).then_some(call.accepted_at);
        let data = Properties::from_iter([("campaign".to_owned(), campaign.as_str().into())]);
        let what = format!("campaign not started: {why}");
        Self { id, at: call.at, accepted_at, what, no_event: true, data }
    }

    /// The event that it was, if it was one.
    #[must_use]
    pub fn event(&self) -> Option<TriggerEvent> {
        let name = EventName::parse(&self.what).ok().filter(|_| !self.no_event)?;
        Some(TriggerEvent { id: self.id.clone(), name, at: self.at, data: self.data.clone() })
    }

    /// The events among what happened at `since` or later, oldest first, each once.
    #[must_use]
    pub fn events<'a>(activity: impl IntoIterator<Item = &'a Self>, since: Timestamp) -> Vec<TriggerEvent> {
        let later = activity.into_iter().filter(|one| one.at >= since);
        let mut events: Vec<TriggerEvent> = later.filter_map(Self::event).collect();
        events.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        events.dedup_by(|a, b| a.id == b.id);
        events
    }

    /// When the call was accepted.
    #[must_use]
    pub fn accepted_at(&self) -> Timestamp {
        self.accepted_at.unwrap_or(self.at)
    }
}

fn tags(add: &[String], remove: &[String]) -> Properties {
    [("add", add), ("remove", remove)]
        .into_iter()
        .filter(|(_, tags)| !tags.is_empty())
        .map(|(key, tags)| (key.to_owned(), tags.iter().cloned().collect()))
        .collect()
}
