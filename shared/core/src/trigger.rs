//! Which campaigns a call enters.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::{Action, Call};
use crate::campaign::{Campaign, On};
use crate::condition::{Condition, Decision, Facts, Reason, decide};
use crate::event_name::EventName;
use crate::ids::CampaignId;
use crate::profile::{Profile, counts_as};
use crate::task::TriggerEvent;
use crate::topic::same;

/// The name of the trigger event where no event started a run, but a condition that the person came into or out of.
pub(crate) const CONDITION: &str = "Condition";

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

/// The published campaigns of one project, by what starts them.
#[derive(Clone, Debug, Default)]
pub struct Campaigns {
    by_event: BTreeMap<String, Vec<CampaignId>>,
    crossed: Vec<CampaignId>,
    dated: Vec<CampaignId>,
    all: BTreeMap<CampaignId, Published>,
}

/// A campaign that a call asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking<'c> {
    /// The campaign.
    pub published: &'c Published,
    /// What it takes for its trigger event.
    pub event: TriggerEvent,
}

impl Campaigns {
    /// The campaigns of one project.
    #[must_use]
    pub fn new(campaigns: impl IntoIterator<Item = Published>) -> Self {
        let mut new = Self::default();
        for published in campaigns {
            let id = published.campaign.id.clone();
            match &published.campaign.trigger.on {
                On::Event { event } => new.by_event.entry(event.key().to_owned()).or_default().push(id.clone()),
                On::Enters { .. } | On::Leaves { .. } => new.crossed.push(id.clone()),
                On::Date(_) => new.dated.push(id.clone()),
                On::Api { .. } => {}
            }
            new.all.insert(id, published);
        }
        new.by_event.values_mut().for_each(|ids| ids.sort());
        new
    }

    /// Those that the event starts, in the order of their ids.
    fn asking_for(&self, event: &EventName) -> impl Iterator<Item = &Published> {
        self.found(self.by_event.get(event.key()).map_or(&[], Vec::as_slice))
    }

    /// Those that a date of the person starts.
    pub fn dated(&self) -> impl Iterator<Item = &Published> {
        self.found(&self.dated)
    }

    /// Whether a change of a person may start one.
    #[must_use]
    pub fn has_crossed(&self) -> bool {
        !self.crossed.is_empty()
    }

    /// The campaign of that id.
    #[must_use]
    pub fn get(&self, id: &CampaignId) -> Option<&Published> {
        self.all.get(id)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Published> {
        self.all.values()
    }

    fn found(&self, ids: &[CampaignId]) -> impl Iterator<Item = &Published> {
        ids.iter().filter_map(|id| self.all.get(id))
    }

    /// Those that a call asks for by its event, or by name; whose person is not erased. A passive event asks for none.
    #[must_use]
    pub fn asked_by(&self, call: &Call) -> Vec<Asking<'_>> {
        let (name, data) = match &call.action {
            Action::Enter { campaign, data, .. } => {
                let event = occasion(call, "Entry", data.clone());
                return self.get(campaign).map(|published| Asking { published, event }).into_iter().collect();
            }
            Action::Track { passive: true, .. } => return Vec::new(),
            Action::Track { data, .. } => (counts_as(call), data.clone()),
            Action::Identify { properties, .. } => (counts_as(call), properties.clone()),
            _ => return Vec::new(),
        };
        let Some(name) = name else { return Vec::new() };
        let asking = self.asking_for(&name);
        let event = TriggerEvent { id: call.id.clone(), name: name.clone(), at: call.at, data };
        asking.map(|published| Asking { published, event: event.clone() }).collect()
    }

    /// Those that a call may start by what it changes. A passive event starts none.
    #[must_use]
    pub fn crossed_by(&self, call: &Call) -> Vec<Asking<'_>> {
        if matches!(call.action, Action::Track { passive: true, .. }) {
            return Vec::new();
        }
        let asking = |published| Asking { published, event: occasion(call, CONDITION, Default::default()) };
        self.found(&self.crossed).map(asking).collect()
    }
}

impl Asking<'_> {
    /// Whether it enters, but for how often the person has entered.
    #[must_use]
    pub fn decide(&self, accepted_at: Timestamp, profile: &Profile) -> Decision {
        if self.published.paused {
            return Decision::Fail(Reason::new("the campaign is paused"));
        }
        if accepted_at < self.published.published_at {
            return Decision::Fail(Reason::new("the event came before the campaign was published"));
        }
        decide(&self.published.campaign.trigger.filters, &Facts::new(profile, &self.event, accepted_at))
    }

    /// Whether what a call changed of a person led into the campaign's condition, or out of it.
    #[must_use]
    pub fn is_crossed(&self, before: &Profile, after: &Profile, now: Timestamp) -> bool {
        // Who is not there, yet or any more, is in no condition.
        let holds = |profile: &Profile, conditions: &[Condition]| {
            profile.exists() && decide(conditions, &Facts::new(profile, &self.event, now)).passed()
        };
        match &self.published.campaign.trigger.on {
            On::Enters { enters } => !holds(before, enters) && holds(after, enters),
            On::Leaves { leaves } => holds(before, leaves) && !holds(after, leaves) && after.exists(),
            _ => false,
        }
    }

    /// The key of the matter that its rule names. An error where the rule has one, and the event has none.
    ///
    /// # Errors
    /// Why it does not enter.
    pub fn key(&self, profile: &Profile, now: Timestamp) -> Result<Option<String>, Reason> {
        let Some(property) = &self.published.campaign.entry.key else { return Ok(None) };
        let facts = Facts::new(profile, &self.event, now);
        let key = facts.value(property).and_then(|value| same(&value));
        let key = key.map(|key| crate::ids::digest(&[&key]).chars().take(16).collect());
        key.map(Some).ok_or_else(|| Reason::new(&format!("{property} has no value to tell it by")))
    }
}

/// The trigger event of what no event started.
fn occasion(call: &Call, name: &'static str, data: crate::call::Properties) -> TriggerEvent {
    TriggerEvent { id: call.id.clone(), name: EventName::known(name), at: call.at, data }
}

#[cfg(test)]
mod tests;
