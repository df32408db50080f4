//! The calls a profile has taken lately: so that a duplicate changes nothing, and so that a delete which
//! arrives late knows what came after it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::stamp::{Stamp, micros};
use super::statistics::Statistics;
use crate::call::Call;
use crate::event_name::EventName;
use crate::limits::{DEDUPLICATION, SEEN_CALLS};

/// The calls accepted last, and up to when older ones were forgotten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(rename = "c")]
    calls: Vec<Entry>,
    /// The latest acceptance, in microseconds, among those forgotten.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<u64>,
}

/// One call, as a short array: its stamp, and the event it counts as; then it may create the profile, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry(Stamp, Option<EventName>);

impl Seen {
    /// Whether this call was taken, as far as the list reaches.
    #[must_use]
    pub fn contains(&self, call: &Call) -> bool {
        self.calls.iter().any(|entry| entry.0.is_of(&call.id))
    }

    /// Whether a call accepted then may have been taken and forgotten: the activity knows. A client may make it again within
    /// [`DEDUPLICATION`], and it is accepted anew.
    #[must_use]
    pub fn may_have_forgotten(&self, accepted_at: Timestamp) -> bool {
        let window = u64::try_from(DEDUPLICATION.as_micros()).unwrap_or(0);
        self.forgotten.is_some_and(|forgotten| micros(accepted_at) <= forgotten.saturating_add(window))
    }

    /// Remembers a call.
    pub(super) fn remember(&mut self, call: &Call, counts_as: Option<EventName>) {
        self.calls.push(Entry(Stamp::of(call), counts_as));
        self.settle();
    }

    /// Takes over what `other` remembers.
    pub(super) fn merge(&mut self, other: Self) {
        self.calls.extend(other.calls);
        self.forgotten = self.forgotten.max(other.forgotten);
        self.settle();
    }

    /// The first remembered call after `erased` that may create a profile.
    pub(super) fn created_after(&self, erased: Stamp) -> Option<Stamp> {
        self.calls.iter().filter(|entry| entry.1.is_some() && entry.0 > erased).map(|entry| entry.0).min()
    }

    /// The statistics of the remembered events of that name after `erased`.
    pub(super) fn counted_after(&self, erased: Stamp, name: &EventName) -> Option<Statistics> {
        let later = self.calls.iter().filter(|entry| entry.0 > erased);
        later
            .filter_map(|entry| {
                entry.1.as_ref().filter(|event| *event == name).map(|event| Statistics::one(event.clone(), entry.0))
            })
            .reduce(|mut sum, one| {
                sum.add(one);
                sum
            })
    }

    fn settle(&mut self) {
        self.calls.sort_by_key(|entry| (entry.0.accepted(), entry.0));
        self.calls.dedup_by_key(|entry| entry.0);
        let surplus = self.calls.len().saturating_sub(SEEN_CALLS);
        for entry in self.calls.drain(..surplus) {
            self.forgotten = self.forgotten.max(Some(entry.0.accepted()));
        }
    }
}
