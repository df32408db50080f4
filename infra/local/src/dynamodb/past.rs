//! The near past of items, for reads that are not yet consistent.

use std::collections::{BTreeMap, VecDeque};

use dunlin_aws::resources::{HASH_KEY, SORT_KEY};
use dynoxide::Database;
use serde_json::{Value, json};

use super::protocol::run;
use crate::faults::Touched;
use crate::sqs::Millis;

/// A table and a partition key.
type Partition = (String, String);
/// What an item was, until when; nothing while it was not there.
type Image = (Millis, Option<Value>);

/// What was replaced lately.
#[derive(Debug, Default)]
pub(super) struct Past {
    images: BTreeMap<Partition, BTreeMap<String, VecDeque<Image>>>,
    order: VecDeque<(Millis, Partition, String)>,
}

impl Past {
    /// Remembers what items were until `now`, and forgets what ended before `since`.
    pub(super) fn remember(&mut self, replaced: Vec<(Touched, Option<Value>)>, now: Millis, since: Millis) {
        while let Some((_, partition, sk)) = self.order.pop_front_if(|(at, _, _)| *at < since) {
            let Some(items) = self.images.get_mut(&partition) else { continue };
            if let Some(images) = items.get_mut(&sk) {
                images.pop_front();
            }
            items.retain(|_, images| !images.is_empty());
            if items.is_empty() {
                self.images.remove(&partition);
            }
        }
        for (touched, image) in replaced {
            let Some(sk) = touched.sk else { continue };
            let partition = (touched.table, touched.pk);
            self.images.entry(partition.clone()).or_default().entry(sk.clone()).or_default().push_back((now, image));
            self.order.push_back((now, partition, sk));
        }
    }

    /// Of the touched items, those that were something else at an instant, each with what it was then.
    pub(super) fn differing(&self, touched: &[Touched], at: Millis) -> Vec<(Touched, Option<Value>)> {
        let mut found: Vec<(Touched, Option<Value>)> = Vec::new();
        for of in touched {
            let Some(items) = self.images.get(&(of.table.clone(), of.pk.clone())) else { continue };
            for (sk, images) in items.iter().filter(|(sk, _)| of.sk.as_ref().is_none_or(|of| of == *sk)) {
                if let Some((_, image)) = images.iter().find(|(until, _)| *until > at) {
                    found.push((Touched { sk: Some(sk.clone()), ..of.clone() }, image.clone()));
                }
            }
        }
        found
    }
}

/// What an item is now.
pub(super) fn image(tables: &Database, touched: &Touched) -> Option<Value> {
    let request = json!({ "TableName": touched.table, "Key": key(touched), "ConsistentRead": true });
    let answer = run(tables, "GetItem", &request.to_string()).ok()?;
    let mut answer: Value = serde_json::from_str(&answer.json).ok()?;
    answer.get_mut("Item").map(Value::take)
}

/// Makes items what they were, and returns what they are, to be put back: under the store's lock nobody else sees it.
pub(super) fn travel(tables: &Database, images: Vec<(Touched, Option<Value>)>) -> Vec<(Touched, Option<Value>)> {
    let change = |(touched, then): (Touched, Option<Value>)| {
        let now = image(tables, &touched);
        let (operation, request) = match then {
            Some(item) => ("PutItem", json!({ "TableName": touched.table, "Item": item })),
            None => ("DeleteItem", json!({ "TableName": touched.table, "Key": key(&touched) })),
        };
        // The table took the very same item before.
        drop(run(tables, operation, &request.to_string()));
        (touched, now)
    };
    images.into_iter().map(change).collect()
}

fn key(touched: &Touched) -> Value {
    json!({ HASH_KEY: { "S": touched.pk }, SORT_KEY: { "S": touched.sk } })
}
