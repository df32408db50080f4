//! Many items in one request.

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};

use super::{Item, key, of, text};
use crate::aws::Aws;
use crate::documents::dynamodb_api;
use crate::rule::{Answer, Checked, Rule, holds, refused, rule, same};

const GET: &str = dynamodb_api!("BatchGetItem");
const WRITE: &str = dynamodb_api!("BatchWriteItem");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_batch_of_keys_finds_what_is_there,
        "`BatchGetItem` answers the items that exist and says nothing of others",
        GET
    ),
    rule!(a_batch_of_keys_has_at_most_100, "`BatchGetItem` takes 100 keys, and not 101", GET),
    rule!(a_batch_of_keys_names_each_once, "`BatchGetItem` refuses a key that is there twice", GET),
    rule!(
        a_batch_of_keys_brings_at_most_16_mb,
        "`BatchGetItem` brings at most 16 MB and leaves the rest in `UnprocessedKeys`",
        GET
    ),
    rule!(a_batch_of_writes_puts_and_deletes, "`BatchWriteItem` puts and deletes; a missing item is no error", WRITE),
    rule!(a_batch_of_writes_has_at_most_25, "`BatchWriteItem` takes 25 writes, and not 26", WRITE),
    rule!(a_batch_of_writes_names_each_once, "`BatchWriteItem` refuses two writes of one item", WRITE),
    rule!(
        a_batch_of_writes_has_no_invalid_item,
        "`BatchWriteItem` refuses the whole batch for an item above 400 KB",
        WRITE
    ),
];

const INVALID: &[&str] = &["ValidationException"];

type Got = aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
type Written = aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;

async fn get(
    aws: &Aws,
    keys: Vec<Item>,
) -> Answer<Got, aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError> {
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().expect("keys");
    aws.dynamodb.batch_get_item().request_items(&aws.table, keys).send().await
}

async fn write(
    aws: &Aws,
    writes: Vec<WriteRequest>,
) -> Answer<Written, aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemError> {
    aws.dynamodb.batch_write_item().request_items(&aws.table, writes).send().await
}

fn put(item: Item) -> WriteRequest {
    WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().expect("a put")).build()
}

fn delete(key: Item) -> WriteRequest {
    let delete = DeleteRequest::builder().set_key(Some(key)).build().expect("a delete");
    WriteRequest::builder().delete_request(delete).build()
}

fn items(aws: &Aws, got: &Got) -> usize {
    got.responses().and_then(|responses| responses.get(&aws.table)).map_or(0, Vec::len)
}

async fn a_batch_of_keys_finds_what_is_there(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "c"], 1).await?;
    let got = get(aws, ["a", "b", "c"].map(|sk| key(&pk, sk)).to_vec()).await?;
    let found = got.responses().and_then(|responses| responses.get(&aws.table)).cloned().unwrap_or_default();
    let mut found: Vec<&str> = found.iter().map(|item| of(item, "sk")).collect();
    found.sort_unstable();
    same("found", found, ["a", "c"])?;
    holds(got.unprocessed_keys().is_none_or(|left| left.is_empty()), "something is left")
}

async fn a_batch_of_keys_has_at_most_100(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let keys = |count: usize| (0..count).map(|n| key(&pk, &n.to_string())).collect::<Vec<_>>();
    get(aws, keys(100)).await?;
    refused(get(aws, keys(101)).await, INVALID)
}

async fn a_batch_of_keys_names_each_once(aws: &Aws) -> Checked {
    refused(get(aws, vec![key("a", "b"), key("a", "c"), key("a", "b")]).await, INVALID)
}

async fn a_batch_of_keys_brings_at_most_16_mb(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let names: Vec<String> = (0..45).map(|n| format!("{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    aws.fill(&pk, &names, 385_000).await?;
    let got = get(aws, names.iter().map(|sk| key(&pk, sk)).collect()).await?;
    let left = got.unprocessed_keys().and_then(|left| left.get(&aws.table)).map_or(0, |left| left.keys().len());
    holds(left > 0, "nothing is left unprocessed")?;
    same("brought and left", items(aws, &got) + left, names.len())
}

async fn a_batch_of_writes_puts_and_deletes(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a"], 1).await?;
    let writes = vec![delete(key(&pk, "a")), delete(key(&pk, "none")), put(key(&pk, "b"))];
    let written = write(aws, writes).await?;
    holds(written.unprocessed_items().is_none_or(|left| left.is_empty()), "something is left")?;
    holds(aws.item(&pk, "a").await?.is_none(), "what was deleted is there")?;
    holds(aws.item(&pk, "b").await?.is_some(), "what was put is not there")
}

async fn a_batch_of_writes_has_at_most_25(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let puts = |count: usize| (0..count).map(|n| put(key(&pk, &n.to_string()))).collect::<Vec<_>>();
    write(aws, puts(25)).await?;
    refused(write(aws, puts(26)).await, INVALID)
}

async fn a_batch_of_writes_names_each_once(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    refused(write(aws, vec![put(key(&pk, "a")), delete(key(&pk, "a"))]).await, INVALID)
}

async fn a_batch_of_writes_has_no_invalid_item(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let mut large = key(&pk, "large");
    large.insert("b".to_owned(), text("x".repeat(400 * 1024)));
    refused(write(aws, vec![put(key(&pk, "small")), put(large)]).await, INVALID)?;
    holds(aws.item(&pk, "small").await?.is_none(), "the other item was written")
}
