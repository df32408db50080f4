//! Answers that hold only a part: batches with unprocessed entries, and pages that end early.

use dunlin_aws::resources::{HASH_KEY, SORT_KEY};
use dynoxide::DynoxideError;
use serde_json::{Map, Value, json};

use super::protocol::Done;

/// A batch in two: what is done, and what is left.
pub(super) struct Parted {
    /// The request with what is done alone.
    pub(super) done: String,
    left: Map<String, Value>,
}

/// Parts a batch: the entry `certain` (or a drawn one) is left, another is done, chance decides about the rest. A batch of
/// one is refused, since "if none of the items can be processed" DynamoDB answers no 200 (API reference, `BatchGetItem`).
///
/// # Errors
/// `ProvisionedThroughputExceededException` for a batch of one.
pub(super) fn part(body: &str, certain: Option<usize>, draw: impl Fn(usize) -> usize) -> Result<Parted, DynoxideError> {
    let mut request: Value = serde_json::from_str(body).unwrap_or_default();
    let mut tables: Vec<(String, Value)> = match request.get_mut("RequestItems").map(Value::take) {
        Some(Value::Object(tables)) => tables.into_iter().collect(),
        _ => Vec::new(),
    };
    tables.sort_by(|(one, _), (other, _)| one.cmp(other));
    let entries: usize = tables.iter().map(|(_, of_table)| list(of_table).map_or(0, Vec::len)).sum();
    if entries < 2 {
        let text = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.";
        return Err(DynoxideError::ProvisionedThroughputExceededException(text.to_owned()));
    }
    let certain = certain.unwrap_or_else(|| draw(entries));
    let other = (certain + 1 + draw(entries - 1)) % entries;
    let (mut done, mut left, mut entry) = (Map::new(), Map::new(), 0);
    for (name, of_table) in tables {
        let (mut done_here, mut left_here) = (Vec::new(), Vec::new());
        for item in list(&of_table).into_iter().flatten() {
            let stays = entry == certain || (entry != other && draw(2) == 0);
            if stays { &mut left_here } else { &mut done_here }.push(item.clone());
            entry += 1;
        }
        for (entries, of) in [(done_here, &mut done), (left_here, &mut left)] {
            if !entries.is_empty() {
                of.insert(name.clone(), with_list(&of_table, entries));
            }
        }
    }
    if let Value::Object(members) = &mut request {
        members.insert("RequestItems".to_owned(), Value::Object(done));
    }
    Ok(Parted { done: request.to_string(), left })
}

/// The entries of a batch for one table: keys to read, or writes.
fn list(of_table: &Value) -> Option<&Vec<Value>> {
    of_table.as_array().or_else(|| of_table.get("Keys").and_then(Value::as_array))
}

/// The same part of a batch with other entries.
fn with_list(of_table: &Value, entries: Vec<Value>) -> Value {
    match of_table {
        Value::Object(members) => {
            let mut members = members.clone();
            members.insert("Keys".to_owned(), Value::Array(entries));
            Value::Object(members)
        }
        _ => Value::Array(entries),
    }
}

impl Parted {
    /// The answer about what is done, with what is left.
    pub(super) fn tell(self, operation: &str, done: Done) -> Done {
        let name = if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
        let mut answer: Value = serde_json::from_str(&done.json).unwrap_or_default();
        if let Value::Object(members) = &mut answer {
            members.insert(name.to_owned(), Value::Object(self.left));
        }
        Done { json: answer.to_string(), ..done }
    }
}

/// A page of a query with at least one item.
pub(super) struct Page {
    request: Map<String, Value>,
    answer: Map<String, Value>,
    items: Vec<Value>,
}

impl Page {
    /// Reads an answer; nothing if it holds no items, or not with their keys.
    pub(super) fn of(body: &str, done: &Done) -> Option<Self> {
        let request = serde_json::from_str(body).ok()?;
        let mut answer: Map<String, Value> = serde_json::from_str(&done.json).ok()?;
        let items: Vec<Value> = answer.remove("Items")?.as_array()?.clone();
        let whole = !items.is_empty() && items.iter().all(|item| key(item).is_some());
        whole.then_some(Self { request, answer, items })
    }

    /// The page as if it ended after fewer items, with the key to go on from. A first page may be empty, if `goes_on` from a
    /// key before its items; a later one holds at least one item, so that whoever follows the keys comes to an end. The last
    /// may name a key with nothing behind it.
    pub(super) fn shortened(
        mut self,
        done: Done,
        draw: impl Fn(usize) -> usize,
        goes_on: impl Fn(&str) -> bool,
    ) -> Done {
        let drawn = draw(self.items.len());
        let is_first = self.request.get("ExclusiveStartKey").is_none_or(Value::is_null);
        let before = if is_first && drawn == 0 { self.before().filter(|key| goes_on(&self.next(key))) } else { None };
        let kept = match before {
            Some(_) => 0,
            None if is_first => drawn.max(1),
            None => drawn + 1,
        };
        let last = before.or_else(|| self.items.get(kept.checked_sub(1)?).and_then(key));
        self.items.truncate(kept);
        self.answer.insert("Count".to_owned(), json!(kept));
        self.answer.insert("ScannedCount".to_owned(), json!(kept));
        self.answer.insert("Items".to_owned(), Value::Array(self.items));
        self.answer.insert("LastEvaluatedKey".to_owned(), json!(last));
        Done { json: Value::Object(self.answer).to_string(), ..done }
    }

    /// The request for what comes after a key.
    fn next(&self, key: &Value) -> String {
        let mut request = self.request.clone();
        request.insert("ExclusiveStartKey".to_owned(), key.clone());
        Value::Object(request).to_string()
    }

    /// A key just before the first item in the order of the query, with no item of ours in between. None where the item's
    /// sort key does not end in a character with one before it.
    fn before(&self) -> Option<Value> {
        let item = self.items.first()?;
        let sk = item.get(SORT_KEY)?.get("S")?.as_str()?;
        let forward = self.request.get("ScanIndexForward").and_then(Value::as_bool).unwrap_or(true);
        let sk = if forward {
            let last = sk.chars().last().filter(|last| ('"'..='~').contains(last))?;
            let before = char::from_u32(u32::from(last) - 1)?;
            format!("{}{before}{}", sk.strip_suffix(last)?, char::MAX)
        } else {
            format!("{sk} ")
        };
        Some(json!({ HASH_KEY: item.get(HASH_KEY)?, SORT_KEY: { "S": sk } }))
    }
}

/// An item's key.
fn key(item: &Value) -> Option<Value> {
    Some(json!({ HASH_KEY: item.get(HASH_KEY)?, SORT_KEY: item.get(SORT_KEY)? }))
}
