//! One table, and the few ways in which we read and write it. Reads are consistent; there is no index.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, Put, PutRequest, TransactWriteItem, WriteRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind, Result};
use crate::item::{BODY, Item, VERSION, body, key, number, parse, text, version};
use crate::planted;
use crate::resources::{self, HASH_KEY, SORT_KEY};

/// The condition under which an item is written for the first time.
pub(crate) const NOT_THERE: &str = "attribute_not_exists(pk)";
/// The condition under which an item is written over the version that was loaded.
const UNCHANGED: &str = "v = :seen";
/// Items in a `BatchWriteItem` request (DynamoDB's limit).
const BATCH: usize = 25;

/// A table of ours.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

/// What a table held: the state and the count of writes to it.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// The state.
    pub state: T,
    /// Zero where there is no item yet.
    pub version: u64,
}

impl Table {
    pub(crate) fn new(client: &Client, prefix: &str, table: resources::Table) -> Self {
        Self { client: client.clone(), name: format!("{prefix}{}", table.name) }
    }

    pub(crate) async fn get_item(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key(pk, sk))).consistent_read(true);
        Ok(request.send().await.map_err(Error::of("get an item"))?.item)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Result<Option<Stored<T>>> {
        let Some(item) = self.get_item(pk, sk).await? else { return Ok(None) };
        Ok(Some(Stored { state: parse(&item)?, version: version(&item) }))
    }

    /// Writes `state` as the version after `seen`; a conflict when somebody else wrote since.
    pub(crate) async fn put<T: Serialize>(
        &self,
        pk: &str,
        sk: &str,
        seen: u64,
        state: &T,
        beside: Vec<(String, AttributeValue)>,
    ) -> Result<()> {
        let request =
            self.client.put_item().table_name(&self.name).set_item(Some(versioned(pk, sk, seen, state, beside)?));
        let request = if seen == 0 {
            request.condition_expression(NOT_THERE)
        } else {
            request.condition_expression(UNCHANGED).expression_attribute_values(":seen", number(seen))
        };
        request.send().await.map_err(Error::of("put an item"))?;
        Ok(())
    }

    /// Writes an item whatever was there.
    pub(crate) async fn put_item(&self, item: Item) -> Result<()> {
        let request = self.client.put_item().table_name(&self.name).set_item(Some(item));
        request.send().await.map_err(Error::of("put an item"))?;
        Ok(())
    }

    pub(crate) async fn delete(&self, pk: &str, sk: &str) -> Result<()> {
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key(pk, sk)));
        request.send().await.map_err(Error::of("delete an item"))?;
        Ok(())
    }

    /// Items of a partition whose sort key begins with `prefix`, in order; at most `limit`.
    pub(crate) async fn list_items(&self, pk: &str, prefix: &str, order: Order, limit: usize) -> Result<Vec<Item>> {
        // A condition cannot begin with nothing: everything then is what is not before the first character.
        let keys = if prefix.is_empty() { "pk = :pk AND sk >= :sk" } else { "pk = :pk AND begins_with(sk, :sk)" };
        let first = if prefix.is_empty() { " " } else { prefix };
        let query = self.query(pk, keys).expression_attribute_values(":sk", text(first));
        pages(query.scan_index_forward(matches!(order, Order::OldestFirst)), limit).await
    }

    /// Items of a partition with sort keys from `first` to `last`, oldest first, behind the key `behind`; at most `limit`.
    pub(crate) async fn range(
        &self,
        pk: &str,
        first: &str,
        last: &str,
        limit: usize,
        behind: Option<&str>,
    ) -> Result<Vec<Item>> {
        let query = self
            .query(pk, "pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last));
        pages(query.set_exclusive_start_key(behind.map(|sk| key(pk, sk))), limit).await
    }

    fn query(&self, pk: &str, keys: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.name).key_condition_expression(keys).consistent_read(true);
        query.expression_attribute_values(":pk", text(pk))
    }

    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        order: Order,
        limit: usize,
    ) -> Result<Vec<T>> {
        self.list_items(pk, prefix, order, limit).await?.iter().map(parse).collect()
    }

    /// Puts and deletes items in as few requests as DynamoDB allows. What it leaves unprocessed is sent again once;
    /// what is left then is an error, and the whole may be repeated.
    pub(crate) async fn write(&self, writes: Vec<WriteRequest>) -> Result<()> {
        for chunk in writes.chunks(BATCH) {
            let mut left = chunk.to_vec();
            for _ in 0..2 {
                let request = self.client.batch_write_item().request_items(&self.name, left);
                let answer = request.send().await.map_err(Error::of("write items"))?;
                left = answer.unprocessed_items.unwrap_or_default().remove(&self.name).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
            }
            if !left.is_empty() {
                return Err(Error::bare(Kind::Throttled, "write items"));
            }
        }
        Ok(())
    }
}

/// Reads pages until there are `limit` items or no more.
async fn pages(query: QueryFluentBuilder, limit: usize) -> Result<Vec<Item>> {
    let (mut items, mut query) = (Vec::new(), query);
    while items.len() < limit {
        let wanted = i32::try_from(limit - items.len()).unwrap_or(i32::MAX);
        let page = query.clone().limit(wanted).send().await.map_err(Error::of("list items"))?;
        items.extend(page.items.unwrap_or_default());
        match page.last_evaluated_key {
            Some(last) if !planted!(ShortPageIsLast) => query = query.set_exclusive_start_key(Some(last)),
            _ => break,
        }
    }
    Ok(items)
}

/// The order of a listing by sort key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    OldestFirst,
    NewestFirst,
}

/// The item that holds `state` as the version after `seen`.
pub(crate) fn versioned<T: Serialize>(
    pk: &str,
    sk: &str,
    seen: u64,
    state: &T,
    beside: Vec<(String, AttributeValue)>,
) -> Result<Item> {
    let mut item = key(pk, sk);
    item.insert(VERSION.to_owned(), number(seen + 1));
    item.insert(BODY.to_owned(), body(state)?);
    item.extend(beside);
    Ok(item)
}

/// A put within a transaction, of the version after `seen`.
pub(crate) fn conditional_put(table: &str, item: Item, seen: u64) -> Result<TransactWriteItem> {
    let put = Put::builder().table_name(table).set_item(Some(item));
    let put = if planted!(ClaimUnconditional) {
        put
    } else if seen == 0 {
        put.condition_expression(NOT_THERE)
    } else {
        put.condition_expression(UNCHANGED).expression_attribute_values(":seen", number(seen))
    };
    let put = put.build().map_err(|error| Error::new(Kind::Invalid, "write a transaction", error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// A put within a batch.
pub(crate) fn put(item: Item) -> Result<WriteRequest> {
    let put = PutRequest::builder()
        .set_item(Some(item))
        .build()
        .map_err(|error| Error::new(Kind::Invalid, "write items", error))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// A delete within a batch, of an item that was listed.
pub(crate) fn delete(item: &Item) -> Result<WriteRequest> {
    let keys = [HASH_KEY, SORT_KEY].iter();
    delete_of(keys.filter_map(|name| item.get(*name).map(|value| ((*name).to_owned(), value.clone()))).collect())
}

/// A delete within a batch, of the item with these keys.
pub(crate) fn delete_key(pk: &str, sk: &str) -> Result<WriteRequest> {
    delete_of(key(pk, sk))
}

fn delete_of(keys: HashMap<String, AttributeValue>) -> Result<WriteRequest> {
    let delete = DeleteRequest::builder()
        .set_key(Some(keys))
        .build()
        .map_err(|error| Error::new(Kind::Invalid, "write items", error))?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
