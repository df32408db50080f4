//! A profile: what we know of one person, as the fold of every call that concerned them.
//!
//! # The rule
//!
//! The state depends on the *set* of calls, not on their order or number. Each property, tag and the subscription
//! is a register in which the update with the latest [`Stamp`] wins: the call's own time, ties broken by its id.
//! Events are counted once each. What creates (`identify`, `track`) makes the profile exist from its own time on; what
//! only updates (`edit`, tags) is kept, and shows once the profile exists, unless it happened before that.
//! A delete erases everything up to its own time, whenever it arrives. An unsubscribe always counts.
//! Renames are in [`rename`].

mod activity;
mod bounds;
mod entering;
mod entries;
pub mod rename;
mod seen;
mod stamp;
mod starts;
mod statistics;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use activity::Activity;
use entries::Entries;
pub use entries::{Admission, Entry};
pub use seen::Seen;
pub use stamp::{Register, Stamp};
pub use starts::{Start, Starts};
pub use statistics::Statistics;

use crate::call::{Action, Call, Channel, Properties};
use crate::email::Email;
use crate::event_name::EventName;
use crate::ids::UserId;
use crate::limits;

/// The property that holds the address.
const EMAIL: &str = "email";
/// The tag that unsubscribes (Track API).
const UNSUBSCRIBED_TAG: &str = "unsubscribed";
/// The event that every identify counts as (Track API).
const IDENTIFIED: &str = "Identified";

/// One person, as the calls accepted so far describe them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// What the client calls them now.
    pub id: UserId,
    /// From when on the profile exists.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    created: Option<Stamp>,
    /// The latest call that would have created it.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    touched: Option<Stamp>,
    /// Everything up to here is erased.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    erased: Option<Stamp>,
    /// Properties; `None` is unset.
    #[serde(rename = "p", default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, Register<Value>>,
    /// Tags; `false` is removed.
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, Register<bool>>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    subscription: Option<Register<bool>>,
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    channels: Vec<Register<Channel>>,
    #[serde(rename = "e", default, skip_serializing_if = "BTreeMap::is_empty")]
    events: BTreeMap<String, Statistics>,
    #[serde(rename = "r", default)]
    seen: Seen,
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    riding: Vec<Activity>,
    /// Ids that were renamed to this one.
    #[serde(rename = "o", default, skip_serializing_if = "BTreeSet::is_empty")]
    former: BTreeSet<UserId>,
    /// The latest rename among them.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    renamed: Option<Stamp>,
    /// What has started campaigns lately.
    #[serde(rename = "l", default, skip_serializing_if = "Starts::is_empty")]
    starts: Starts,
    /// Which campaigns were entered, and which dates are waited for.
    #[serde(rename = "n", default, skip_serializing_if = "Entries::is_empty")]
    entries: Entries,
}

impl Profile {
    /// Nobody yet.
    #[must_use]
    pub fn new(id: UserId) -> Self {
        Self {
            id,
            created: None,
            touched: None,
            erased: None,
            properties: BTreeMap::new(),
            tags: BTreeMap::new(),
            subscription: None,
            channels: Vec::new(),
            events: BTreeMap::new(),
            seen: Seen::default(),
            riding: Vec::new(),
            former: BTreeSet::new(),
            renamed: None,
            starts: Starts::default(),
            entries: Entries::default(),
        }
    }

    /// Takes one call that was not taken before (see [`Profile::seen`]). A rename is the business of [`rename::rename`].
    pub fn apply(&mut self, call: &Call) {
        let stamp = Stamp::of(call);
        let event = counts_as(call);
        self.seen.remember(call, event.clone());
        if matches!(call.action, Action::Delete) {
            self.erase(stamp);
        }
        if self.erased.is_some_and(|erased| stamp <= erased) {
            return;
        }
        if let Some(name) = event {
            // What counts as an event is what creates: identify and track.
            self.created = Some(self.created.map_or(stamp, |first| first.min(stamp)));
            self.touched = self.touched.max(Some(stamp));
            self.count_event(Statistics::one(name, stamp));
        }
        self.update(&call.action, stamp);
        self.riding.extend(Activity::of(call));
        self.shrink();
    }

    fn update(&mut self, action: &Action, stamp: Stamp) {
        match action {
            Action::Identify { email, properties, channels, .. } => {
                self.set(properties, stamp);
                self.set_email(email.as_ref(), stamp);
                for channel in channels {
                    merge_channel(&mut self.channels, Register(channel.clone(), stamp));
                }
            }
            Action::Track { email, properties, .. } => {
                self.set(properties, stamp);
                self.set_email(email.as_ref(), stamp);
            }
            Action::Edit { changes } => self.set(changes, stamp),
            Action::Tags { add, remove } => {
                for (tags, present) in [(remove, false), (add, true)] {
                    for tag in tags {
                        merge_register(&mut self.tags, tag.clone(), Register(present, stamp));
                    }
                }
                if add.iter().any(|tag| tag == UNSUBSCRIBED_TAG) {
                    self.subscribe(false, stamp);
                }
            }
            Action::Unsubscribe => self.subscribe(false, stamp),
            Action::Resubscribe => self.subscribe(true, stamp),
            Action::Delete | Action::Reidentify { .. } | Action::Enter { .. } => {}
        }
    }

    fn set(&mut self, properties: &Properties, stamp: Stamp) {
        for (name, value) in properties {
            merge_register(&mut self.properties, name.clone(), Register(value.clone(), stamp));
        }
    }

    fn set_email(&mut self, email: Option<&Email>, stamp: Stamp) {
        if let Some(email) = email {
            merge_register(&mut self.properties, EMAIL.to_owned(), Register(email.as_str().into(), stamp));
        }
    }

    fn subscribe(&mut self, subscribed: bool, stamp: Stamp) {
        let update = Register(subscribed, stamp);
        match &mut self.subscription {
            Some(register) => register.merge(update),
            None => self.subscription = Some(update),
        }
    }

    fn count_event(&mut self, more: Statistics) {
        match self.events.get_mut(more.name.key()) {
            Some(statistics) => statistics.add(more),
            None => {
                self.events.insert(more.name.key().to_owned(), more);
            }
        }
    }

    fn erase(&mut self, upto: Stamp) {
        if self.erased.is_some_and(|erased| erased >= upto) {
            return;
        }
        self.erased = Some(upto);
        self.properties.retain(|_, register| register.1 > upto);
        self.tags.retain(|_, register| register.1 > upto);
        self.subscription.take_if(|register| register.1 <= upto);
        self.channels.retain(|register| register.1 > upto);
        self.riding.retain(|activity| activity.at > upto.at());
        self.starts.erase(upto);
        self.entries.erase(upto);
        self.touched.take_if(|last| *last <= upto);
        if self.created.is_some_and(|first| first <= upto) {
            self.created = self.seen.created_after(upto).or(self.touched);
        }
        let events = std::mem::take(&mut self.events);
        for (key, statistics) in events {
            let (first, last) = statistics.ends();
            let kept = if first > upto {
                Some(statistics)
            } else if last > upto {
                self.seen.counted_after(upto, &statistics.name)
            } else {
                None
            };
            if let Some(kept) = kept {
                self.events.insert(key, kept);
            }
        }
    }

    /// Takes the activity out of the item when there is enough for a chunk of its own; forgets what is older than
    /// [`limits::ACTIVITY_DAYS`]. Of a profile as it is stored, before it takes a call: what is in a chunk counts as taken.
    pub fn unload_activity(&mut self, now: Timestamp) -> Option<Vec<Activity>> {
        let oldest = now - SignedDuration::from_hours(24 * i64::from(limits::ACTIVITY_DAYS));
        self.riding.retain(|activity| activity.accepted_at() > oldest);
        let bytes: usize =
            self.riding.iter().map(|activity| serde_json::to_string(activity).map_or(0, |text| text.len())).sum();
        (bytes > limits::RIDING_ACTIVITY_BYTES).then(|| std::mem::take(&mut self.riding))
    }
}

/// What others ask of a profile.
impl Profile {
    /// Whether there is such a profile; else only traces of one that was deleted or never created.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.created.is_some()
    }

    /// From when on it exists.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created.map(Stamp::at)
    }

    /// The calls it has taken lately.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Up to when everything is erased.
    #[must_use]
    pub fn erased_at(&self) -> Option<Timestamp> {
        self.erased.map(Stamp::at)
    }

    /// Whether this is still the person to whom something happened at `at`: they exist, and were not deleted since. (The
    /// trace of a delete may be gone; then a person who signed up again exists from a later time on.)
    #[must_use]
    pub fn remembers(&self, at: Timestamp) -> bool {
        let erased = self.erased.is_some_and(|erased| erased.at() >= at);
        !erased && self.created.is_some_and(|created| created.at() <= at)
    }

    /// Whether an update with this stamp shows: it did not happen before the profile existed.
    fn shows(&self, stamp: Stamp) -> bool {
        self.created.is_some_and(|created| stamp >= created)
    }

    /// A property's value; `None` where it is unset or null.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties
            .get(name)
            .filter(|register| self.shows(register.1))
            .map(|register| &register.0)
            .filter(|value| !value.is_null())
    }

    /// All properties that are set.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        let set = self.properties.iter().filter(|(_, register)| self.shows(register.1) && !register.0.is_null());
        set.map(|(name, register)| (name.as_str(), &register.0))
    }

    /// The address to mail: the property `email`, else the id where that is an address.
    #[must_use]
    pub fn email(&self) -> Option<Email> {
        let property = self.property(EMAIL).and_then(Value::as_str);
        Email::parse(property.unwrap_or(self.id.as_str())).ok()
    }

    /// Whether the person carries the tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.get(tag).is_some_and(|register| register.0 && self.shows(register.1))
    }

    /// The tags the person carries.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().filter(|(_, register)| register.0 && self.shows(register.1)).map(|(tag, _)| tag.as_str())
    }

    /// Whether marketing mail may be sent. An unsubscribe counts even when it came before the profile.
    #[must_use]
    pub fn subscribed(&self) -> bool {
        self.subscription.as_ref().is_none_or(|register| register.0)
    }

    /// The push channels.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().map(|register| &register.0)
    }

    /// How often the event happened: ever, or on the UTC day of `since` and later.
    #[must_use]
    pub fn count(&self, event: &EventName, since: Option<Timestamp>) -> u64 {
        self.events
            .get(event.key())
            .map_or(0, |statistics| since.map_or(statistics.count, |since| statistics.count_since(since)))
    }

    /// Whether one of these events happened at `since` or later: only then is the past worth reading.
    #[must_use]
    pub fn has_past<'e>(&self, events: impl IntoIterator<Item = &'e EventName>, since: Timestamp) -> bool {
        let last = |name: &EventName| self.events.get(name.key()).map(Statistics::last_at);
        events.into_iter().any(|name| last(name).is_some_and(|last| last >= since))
    }

    /// Statistics by event.
    pub fn events(&self) -> impl Iterator<Item = &Statistics> {
        self.events.values()
    }

    /// The activity that still rides in the profile's item, oldest acceptance first.
    #[must_use]
    pub fn riding(&self) -> &[Activity] {
        &self.riding
    }

    /// Ids that were renamed to this one.
    pub fn former(&self) -> impl Iterator<Item = &UserId> {
        self.former.iter()
    }
}

/// The event a call counts as.
#[must_use]
pub fn counts_as(call: &Call) -> Option<EventName> {
    match &call.action {
        Action::Identify { update_only: false, .. } => EventName::parse(IDENTIFIED).ok(),
        Action::Track { name, .. } => Some(name.clone()),
        _ => None,
    }
}

fn merge_register<T>(registers: &mut BTreeMap<String, Register<T>>, name: String, update: Register<T>) {
    match registers.get_mut(&name) {
        Some(register) => register.merge(update),
        None => {
            registers.insert(name, update);
        }
    }
}

fn merge_channel(channels: &mut Vec<Register<Channel>>, update: Register<Channel>) {
    match channels.iter_mut().find(|known| known.0 == update.0) {
        Some(known) => known.merge(update),
        None => channels.push(update),
    }
    channels.sort_by(|a, b| a.0.cmp(&b.0));
}

#[cfg(test)]
mod tests;
