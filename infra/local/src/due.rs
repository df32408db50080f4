//! When the timers are due that were written: so that virtual time can jump to the next one. A world may know; a
//! function never asks.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use dunlin_aws::resources::{SORT_KEY, TIMERS};
use jiff::Timestamp;
use serde::Deserialize;

use crate::error::lock;

/// The instants of all timers ever written, in milliseconds; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Due {
    instants: Arc<Mutex<BTreeSet<i64>>>,
}

/// What a write says of its item.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put<'a> {
    #[serde(borrow)]
    table_name: std::borrow::Cow<'a, str>,
    item: serde_json::Value,
}

impl Due {
    /// Takes note of a request to DynamoDB, if it writes a timer.
    pub(crate) fn note(&self, operation: &str, body: &[u8]) {
        if operation != "PutItem" || !contains(body, TIMERS.name.as_bytes()) {
            return;
        }
        let Ok(put) = serde_json::from_slice::<Put<'_>>(body) else { return };
        if put.table_name.ends_with(TIMERS.name) {
            put.item.get(SORT_KEY).and_then(|key| key.get("S")?.as_str()).into_iter().for_each(|key| self.add(key));
        }
    }

    /// Adds the instant of a timer's sort key; a cursor's has none.
    pub(crate) fn add(&self, sort_key: &str) {
        if let Some(millis) = sort_key.split('#').next().and_then(|millis| millis.parse().ok()) {
            lock(&self.instants).insert(millis);
        }
    }

    /// The first instant after `instant` at which a timer is due.
    pub(crate) fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        let range = (Bound::Excluded(instant.as_millisecond()), Bound::Unbounded);
        let millis = lock(&self.instants).range(range).next().copied();
        millis.and_then(|millis| Timestamp::from_millisecond(millis).ok())
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("an instant")
    }

    #[test]
    fn only_a_write_of_a_timer_is_noted() {
        let due = Due::default();
        let put = |table: &str, key: &str| {
            format!(r#"{{"TableName":"{table}","Item":{{"pk":{{"S":"1#00"}},"sk":{{"S":"{key}"}}}}}}"#)
        };
        due.note("PutItem", put("dunlin-timers", "0000000005000#run_a#1").as_bytes());
        due.note("PutItem", put("dunlin-timers", "due").as_bytes());
        due.note("PutItem", put("dunlin-runs", "0000000004000#timers").as_bytes());
        due.note("GetItem", put("dunlin-timers", "0000000003000#run_b#1").as_bytes());
        assert_eq!((due.after(at(0)), due.after(at(5000))), (Some(at(5000)), None));
    }
}
