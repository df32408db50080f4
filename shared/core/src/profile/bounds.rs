//! What one profile may hold, whatever is thrown at it. What was set longest ago goes first: a person is still mailed, and
//! above all can still unsubscribe.

use std::collections::{BTreeMap, BTreeSet};

use super::stamp::Stamp;
use super::{Profile, Register};
use crate::limits;

/// Bytes that the stamp and the punctuation of one entry take.
const ENTRY_BYTES: usize = 32;

impl Profile {
    /// Keeps the stored state bounded.
    pub(super) fn shrink(&mut self) {
        let property = |name: &String, register: &Register<_>| name.len() + text_bytes(&register.0) + ENTRY_BYTES;
        keep_latest(&mut self.properties, limits::PROPERTY_BYTES, property, |register| register.1);
        keep_latest(&mut self.tags, limits::TAG_BYTES, |tag, _| tag.len() + ENTRY_BYTES, |register| register.1);
        keep_latest(&mut self.events, limits::EVENT_NAMES, |_, _| 1, |statistics| statistics.ends().1);
        self.channels.sort_by_key(|register| std::cmp::Reverse(register.1));
        self.channels.truncate(limits::CHANNELS);
        self.channels.sort_by(|a, b| a.0.cmp(&b.0));
        while self.former.len() > limits::FORMER_IDS {
            self.former.pop_first();
        }
        self.forget_oldest_days();
    }

    fn forget_oldest_days(&mut self) {
        let mut days: usize = self.events.values().map(|statistics| statistics.days()).sum();
        while days > limits::COUNTS {
            let Some(oldest) = self.events.values().filter_map(|statistics| statistics.oldest_day()).min() else {
                return;
            };
            for statistics in self.events.values_mut() {
                statistics.forget_day(oldest);
            }
            days = self.events.values().map(|statistics| statistics.days()).sum();
        }
    }
}

/// Bytes of a value as JSON.
fn text_bytes(value: &serde_json::Value) -> usize {
    value.to_string().len()
}

/// Removes the entries with the earliest stamps until the rest is within the limit.
fn keep_latest<V>(
    entries: &mut BTreeMap<String, V>,
    limit: usize,
    size: impl Fn(&String, &V) -> usize,
    stamp: impl Fn(&V) -> Stamp,
) {
    let mut total: usize = entries.iter().map(|(name, value)| size(name, value)).sum();
    if total <= limit {
        return;
    }
    let by_age: BTreeSet<(Stamp, String)> = entries.iter().map(|(name, value)| (stamp(value), name.clone())).collect();
    for (_, name) in by_age {
        if total <= limit {
            return;
        }
        if let Some((name, value)) = entries.remove_entry(&name) {
            total -= size(&name, &value);
        }
    }
}
