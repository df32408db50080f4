//! Items as we keep them: the keys, the state as one compact JSON text, and beside it only the attributes
//! that a condition or the TTL reads.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind, Result};
use crate::resources::{HASH_KEY, SORT_KEY, TTL};

/// An item of a table.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The attribute with the state as JSON.
pub(crate) const BODY: &str = "b";
/// The attribute that counts the writes to an item: the optimistic lock.
pub(crate) const VERSION: &str = "v";

/// The keys of an item.
pub(crate) fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([(HASH_KEY.to_owned(), text(pk)), (SORT_KEY.to_owned(), text(sk))])
}

/// A text attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A TTL attribute: the second after which the item may go.
pub(crate) fn expires(at: Timestamp) -> (String, AttributeValue) {
    (TTL.to_owned(), number(at.as_second()))
}

/// The state as JSON text.
pub(crate) fn body<T: Serialize>(state: &T) -> Result<AttributeValue> {
    let json = serde_json::to_string(state).map_err(|error| Error::new(Kind::Invalid, "encode an item", error))?;
    Ok(text(json))
}

/// Reads the state back.
pub(crate) fn parse<T: DeserializeOwned>(item: &Item) -> Result<T> {
    let json = string(item, BODY).unwrap_or_default();
    serde_json::from_str(json).map_err(|error| Error::new(Kind::Invalid, "decode an item", error))
}

/// A text attribute's value.
pub(crate) fn string<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// The count of writes to an item.
pub(crate) fn version(item: &Item) -> u64 {
    count(item, VERSION).unwrap_or(0)
}

/// A whole number's value.
pub(crate) fn count(item: &Item, name: &str) -> Option<u64> {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok())
}
