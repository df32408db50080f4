//! What happened to a person lately, in the words an operator reads. It rides in the profile's item until
//! there is enough of it for a chunk of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::{Action, Call, Properties};
use crate::ids::{CampaignId, EventId};

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
            Action::Delete => return None,
        };
        let accepted_at = (call.accepted_at != call.at).then_some(call.accepted_at);
        Some(Self { id: call.id.clone(), at: call.at, accepted_at, what, data })
    }

    /// What a call leaves that did not start a campaign, since it starts too often for this person.
    pub(super) fn not_started(call: &Call, campaign: &CampaignId) -> Self {
        let id = EventId::derive(&["not started", call.id.as_str(), campaign.as_str()]);
        let accepted_at = (call.accepted_at != call.at).then_some(call.accepted_at);
        let data = Properties::from_iter([("campaign".to_owned(), campaign.as_str().into())]);
        Self { id, at: call.at, accepted_at, what: "campaign not started: too often within an hour".to_owned(), data }
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
