//! DynamoDB: the rules of items, queries, batches, transactions and units.

pub(crate) mod batches;
pub(crate) mod items;
pub(crate) mod limits;
pub(crate) mod queries;
pub(crate) mod transactions;
pub(crate) mod units;

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::aws::Aws;
use crate::rule::Wrong;

/// An item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A text.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number.
pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The keys of an item.
pub(crate) fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// A text attribute of an item, or nothing.
pub(crate) fn of<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// The sort keys of items.
pub(crate) fn sort_keys(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| of(item, "sk")).collect()
}

impl Aws {
    pub(crate) fn put(&self, pk: &str, sk: &str) -> PutItemFluentBuilder {
        self.dynamodb.put_item().table_name(&self.table).set_item(Some(key(pk, sk)))
    }

    pub(crate) fn get(&self, pk: &str, sk: &str) -> GetItemFluentBuilder {
        self.dynamodb.get_item().table_name(&self.table).set_key(Some(key(pk, sk))).consistent_read(true)
    }

    /// An item, read consistently.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Result<Option<Item>, Wrong> {
        Ok(self.get(pk, sk).send().await?.item)
    }

    /// Puts items into one partition.
    pub(crate) async fn fill(&self, pk: &str, sort_keys: &[&str], bytes: usize) -> Result<(), Wrong> {
        for sk in sort_keys {
            self.put(pk, sk).item("b", text("x".repeat(bytes))).send().await?;
        }
        Ok(())
    }
}
