//! A partition: its order, its ranges, its pages.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::{Item, sort_keys, text};
use crate::aws::Aws;
use crate::documents::{dynamodb_api, dynamodb_guide};
use crate::rule::{Checked, Rule, Wrong, holds, refused, rule, same, some};

const KEYS: &str = dynamodb_guide!("Query.KeyConditionExpressions");
const PAGES: &str = dynamodb_guide!("Query.Pagination");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_query_is_sorted_by_utf8_bytes,
        "A query answers in the order of the sort key's UTF-8 bytes",
        dynamodb_api!("Query")
    ),
    rule!(a_query_can_go_backwards, "`ScanIndexForward` false answers in the opposite order", dynamodb_api!("Query")),
    rule!(a_prefix_finds_what_begins_with_it, "`begins_with` finds the sort keys that begin with a text", KEYS),
    rule!(a_range_has_both_its_ends, "`BETWEEN` finds a range with both its ends", KEYS),
    rule!(
        an_open_range_begins_with_its_first,
        "`>=` finds everything from a key on, and nothing of other partitions",
        KEYS
    ),
    rule!(a_query_needs_its_partition, "A condition on keys must name one partition", KEYS),
    rule!(a_page_has_at_most_its_limit, "`Limit` ends a page; `LastEvaluatedKey` says where the next begins", PAGES),
    rule!(
        pages_bring_each_item_once,
        "The pages of a query bring each item once, the last without `LastEvaluatedKey`",
        PAGES
    ),
    rule!(backward_pages_bring_each_item_once, "The pages of a query backwards bring each item once, too", PAGES),
    rule!(a_page_has_at_most_1_mb, "A page ends after 1 MB, without a `Limit`", PAGES),
    rule!(
        a_consistent_query_sees_the_last_write,
        "A query with `ConsistentRead` sees every write that succeeded before",
        dynamodb_guide!("HowItWorks.ReadConsistency")
    ),
    rule!(an_empty_partition_is_no_error, "A query of a partition without items answers none", dynamodb_api!("Query")),
];

fn query(aws: &Aws, pk: &str, keys: &str) -> QueryFluentBuilder {
    let query = aws.dynamodb.query().table_name(&aws.table).key_condition_expression(keys).consistent_read(true);
    query.expression_attribute_values(":pk", text(pk))
}

async fn found(query: QueryFluentBuilder) -> Result<Vec<Item>, Wrong> {
    Ok(query.send().await?.items.unwrap_or_default())
}

async fn pages(query: QueryFluentBuilder) -> Result<Vec<Vec<Item>>, Wrong> {
    let (mut pages, mut query) = (Vec::new(), query);
    loop {
        let page = query.clone().send().await?;
        pages.push(page.items.unwrap_or_default());
        match page.last_evaluated_key {
            Some(last) if pages.len() < 20 => query = query.set_exclusive_start_key(Some(last)),
            Some(_) => return Err(Wrong::Otherwise("the pages do not end".to_owned())),
            None => return Ok(pages),
        }
    }
}

async fn a_query_is_sorted_by_utf8_bytes(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let sorted = ["#", "0", "10", "9", "A", "Z", "a", "a#", "aa", "~", "é", "\u{ffff}", "🐦"];
    let mut shuffled = sorted;
    shuffled.reverse();
    shuffled.swap(2, 9);
    aws.fill(&pk, &shuffled, 1).await?;
    same("order", sort_keys(&found(query(aws, &pk, "pk = :pk")).await?), sorted)
}

async fn a_query_can_go_backwards(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "b", "c"], 1).await?;
    let items = found(query(aws, &pk, "pk = :pk").scan_index_forward(false).limit(2)).await?;
    same("order", sort_keys(&items), ["c", "b"])
}

async fn a_prefix_finds_what_begins_with_it(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["activity", "activity#1", "activity#2", "activity$", "profile"], 1).await?;
    let query = query(aws, &pk, "pk = :pk AND begins_with(sk, :sk)");
    let items = found(query.expression_attribute_values(":sk", text("activity#"))).await?;
    same("found", sort_keys(&items), ["activity#1", "activity#2"])
}

async fn a_range_has_both_its_ends(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["0", "1", "2", "3", "3#x", "4"], 1).await?;
    let query = query(aws, &pk, "pk = :pk AND sk BETWEEN :first AND :last");
    let query = query.expression_attribute_values(":first", text("1"));
    let items = found(query.expression_attribute_values(":last", text("3~"))).await?;
    same("found", sort_keys(&items), ["1", "2", "3", "3#x"])
}

async fn an_open_range_begins_with_its_first(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["!", "0", "a"], 1).await?;
    aws.fill(&format!("{pk}x"), &["b"], 1).await?;
    let items = found(query(aws, &pk, "pk = :pk AND sk >= :sk").expression_attribute_values(":sk", text("0"))).await?;
    same("found", sort_keys(&items), ["0", "a"])
}

async fn a_query_needs_its_partition(aws: &Aws) -> Checked {
    let refuse = |keys: &str| query(aws, "pk", keys).send();
    refused(refuse("sk = :pk").await, &["ValidationException"])?;
    refused(refuse("pk >= :pk").await, &["ValidationException"])
}

async fn a_page_has_at_most_its_limit(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "b", "c"], 1).await?;
    let page = query(aws, &pk, "pk = :pk").limit(2).send().await?;
    same("page", sort_keys(page.items()), ["a", "b"])?;
    let last = some("LastEvaluatedKey", page.last_evaluated_key)?;
    same("its end", last, super::key(&pk, "b"))
}

async fn pages_bring_each_item_once(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "b", "c", "d", "e"], 1).await?;
    let pages = pages(query(aws, &pk, "pk = :pk").limit(2)).await?;
    holds(pages.iter().all(|page| page.len() <= 2), "a page above its limit")?;
    same("found", sort_keys(&pages.concat()), ["a", "b", "c", "d", "e"])
}

async fn backward_pages_bring_each_item_once(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "b", "c", "d", "e"], 1).await?;
    let pages = pages(query(aws, &pk, "pk = :pk").scan_index_forward(false).limit(2)).await?;
    same("found", sort_keys(&pages.concat()), ["e", "d", "c", "b", "a"])
}

async fn a_page_has_at_most_1_mb(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "b", "c", "d", "e"], 300_000).await?;
    let pages = pages(query(aws, &pk, "pk = :pk")).await?;
    let sizes: Vec<usize> = pages.iter().map(Vec::len).filter(|items| *items > 0).collect();
    // "If the total size exceeds 1 MB": the item that exceeds it may still be within the page.
    holds(sizes.first().is_some_and(|first| (3..=4).contains(first)), format!("pages of {sizes:?} items"))?;
    same("found", sort_keys(&pages.concat()), ["a", "b", "c", "d", "e"])
}

async fn a_consistent_query_sees_the_last_write(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    for n in 1..=10 {
        aws.put(&pk, &format!("{n:02}")).send().await?;
        same("items", found(query(aws, &pk, "pk = :pk")).await?.len(), n)?;
    }
    Ok(())
}

async fn an_empty_partition_is_no_error(aws: &Aws) -> Checked {
    let page = query(aws, &aws.fresh("none"), "pk = :pk").send().await?;
    holds(page.items().is_empty() && page.last_evaluated_key.is_none(), "items, or more to come")
}
