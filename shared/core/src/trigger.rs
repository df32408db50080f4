//! Which campaigns an event enters.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::campaign::Campaign;
use crate::condition::{Decision, Facts, Reason, decide};
use crate::event_name::EventName;
use crate::task::TriggerEvent;

/// A campaign as it is live: its newest version, and whether it takes entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The newest version's content.
    pub campaign: Arc<Campaign>,
    /// The newest version's number.
    pub version: u32,
    /// When the campaign's *first* version was published. (Not the newest's: an event accepted just before a new
    /// version came out still enters.)
    pub published_at: Timestamp,
    /// A paused campaign takes no entries; its runs hold where they wait, and go on when it is resumed.
    pub paused: bool,
}

/// The published campaigns of one project, by the event that starts them.
#[derive(Clone, Debug, Default)]
pub struct Campaigns {
    by_event: BTreeMap<String, Vec<Published>>,
}

/// A campaign that an event asks for, and whether it enters.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'c> {
    /// The campaign.
    pub published: &'c Published,
    /// Whether a run starts; else why not.
    pub decision: Decision,
}

impl Campaigns {
    /// The campaigns of one project.
    #[must_use]
    pub fn new(campaigns: impl IntoIterator<Item = Published>) -> Self {
        let mut by_event: BTreeMap<String, Vec<Published>> = BTreeMap::new();
        for published in campaigns {
            let key = published.campaign.trigger.event.key().to_owned();
            by_event.entry(key).or_default().push(published);
        }
        for list in by_event.values_mut() {
            list.sort_by(|a, b| a.campaign.id.cmp(&b.campaign.id));
        }
        Self { by_event }
    }

    /// Those that the event starts, in the order of their ids.
    #[must_use]
    pub fn asking_for(&self, event: &EventName) -> &[Published] {
        self.by_event.get(event.key()).map_or(&[], Vec::as_slice)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Published> {
        self.by_event.values().flatten()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_event.is_empty()
    }
}

/// The campaigns that ask for this event, each with its decision, in the order of their ids. Empty for an event nobody asks for.
#[must_use]
pub fn entries<'c>(
    event: &TriggerEvent,
    accepted_at: Timestamp,
    facts: &Facts<'_>,
    campaigns: &'c Campaigns,
) -> Vec<Entry<'c>> {
    let asking = campaigns.asking_for(&event.name).iter();
    asking.map(|published| Entry { published, decision: enters(published, accepted_at, facts) }).collect()
}

fn enters(published: &Published, accepted_at: Timestamp, facts: &Facts<'_>) -> Decision {
    if published.paused {
        return Decision::Fail(Reason::new("the campaign is paused"));
    }
    if accepted_at < published.published_at {
        return Decision::Fail(Reason::new("the event came before the campaign was published"));
    }
    decide(&published.campaign.trigger.filters, facts)
}

#[cfg(test)]
mod tests;
