//! What a request consumes: the ground under `docs/data-model.md` and the meter.

use aws_sdk_dynamodb::types::{
    ConditionCheck, ConsumedCapacity, KeysAndAttributes, Put, ReturnConsumedCapacity, TransactWriteItem,
};

use super::{key, text};
use crate::aws::Aws;
use crate::documents::{dynamodb_api, dynamodb_guide};
use crate::rule::{Checked, Rule, rule, same, some};

const UNITS: &str = dynamodb_guide!("read-write-operations");

pub(crate) const RULES: &[Rule] = &[
    rule!(a_write_consumes_a_unit_for_each_kb, "A write consumes a unit for each KB begun", UNITS),
    rule!(a_smaller_item_costs_what_it_replaces, "A put consumes by the larger of the new and the old item", UNITS),
    rule!(
        a_consistent_read_consumes_a_unit_for_each_4_kb,
        "A consistent read consumes a unit for each 4 KB begun, another one half",
        UNITS
    ),
    rule!(a_read_of_nothing_consumes_a_unit, "A read of a missing item consumes as one of 4 KB", UNITS),
    rule!(
        a_query_consumes_by_the_sum_of_its_items,
        "A query consumes by the sum of its items' sizes, not one by one",
        UNITS
    ),
    rule!(
        a_batch_of_reads_consumes_item_by_item,
        "`BatchGetItem` consumes item by item, each rounded up",
        dynamodb_api!("BatchGetItem")
    ),
    rule!(
        a_transaction_consumes_two_units_for_each_kb,
        "A transaction consumes two write units for each KB begun of an item, a check too",
        UNITS
    ),
    rule!(a_delete_consumes_by_the_item_it_removes, "A delete consumes a write unit for each KB of the item", UNITS),
];

const TOTAL: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;

fn units(consumed: Option<&ConsumedCapacity>, expected: f64) -> Checked {
    let found = some("ConsumedCapacity", consumed.and_then(ConsumedCapacity::capacity_units))?;
    same("units", found, expected)
}

async fn a_write_consumes_a_unit_for_each_kb(aws: &Aws) -> Checked {
    for (bytes, expected) in [(1, 1.0), (900, 1.0), (1_100, 2.0), (5_000, 5.0)] {
        let put = aws.put(&aws.fresh("pk"), "a").item("b", text("x".repeat(bytes)));
        let put = put.return_consumed_capacity(TOTAL).send().await?;
        units(put.consumed_capacity(), expected)?;
    }
    Ok(())
}

async fn a_smaller_item_costs_what_it_replaces(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a"], 2_500).await?;
    let put = aws.put(&pk, "a").return_consumed_capacity(TOTAL).send().await?;
    units(put.consumed_capacity(), 3.0)
}

async fn a_consistent_read_consumes_a_unit_for_each_4_kb(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["small"], 1_000).await?;
    aws.fill(&pk, &["large"], 5_000).await?;
    for (sk, consistent, expected) in
        [("small", true, 1.0), ("large", true, 2.0), ("small", false, 0.5), ("large", false, 1.0)]
    {
        let get = aws.get(&pk, sk).consistent_read(consistent).return_consumed_capacity(TOTAL).send().await?;
        units(get.consumed_capacity(), expected)?;
    }
    Ok(())
}

async fn a_read_of_nothing_consumes_a_unit(aws: &Aws) -> Checked {
    let get = aws.get(&aws.fresh("none"), "a").return_consumed_capacity(TOTAL).send().await?;
    units(get.consumed_capacity(), 1.0)
}

async fn a_query_consumes_by_the_sum_of_its_items(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "b", "c", "d", "e", "f"], 1_000).await?;
    let query = aws.dynamodb.query().table_name(&aws.table).key_condition_expression("pk = :pk").consistent_read(true);
    let query = query.expression_attribute_values(":pk", text(&pk)).return_consumed_capacity(TOTAL);
    units(query.send().await?.consumed_capacity(), 2.0)
}

async fn a_batch_of_reads_consumes_item_by_item(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a", "b", "c"], 1_500).await?;
    let keys = ["a", "b", "c"].map(|sk| key(&pk, sk)).to_vec();
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build().expect("keys");
    let get = aws.dynamodb.batch_get_item().request_items(&aws.table, keys).return_consumed_capacity(TOTAL);
    units(get.send().await?.consumed_capacity().first(), 1.5)
}

async fn a_transaction_consumes_two_units_for_each_kb(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let put = |sk: &str, bytes: usize| {
        let put = Put::builder().table_name(&aws.table).set_item(Some(key(&pk, sk)));
        let put = put.item("b", text("x".repeat(bytes))).build().expect("a put");
        TransactWriteItem::builder().put(put).build()
    };
    let check = ConditionCheck::builder().table_name(&aws.table).set_key(Some(key(&pk, "c")));
    let check = check.condition_expression("attribute_not_exists(pk)").build().expect("a check");
    let check = TransactWriteItem::builder().condition_check(check).build();
    let writes = vec![put("a", 500), put("b", 1_500), check];
    let request = aws.dynamodb.transact_write_items().set_transact_items(Some(writes));
    let answer = request.return_consumed_capacity(TOTAL).send().await?;
    units(answer.consumed_capacity().first(), 8.0)
}

async fn a_delete_consumes_by_the_item_it_removes(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["a"], 2_500).await?;
    let delete = aws.dynamodb.delete_item().table_name(&aws.table).set_key(Some(key(&pk, "a")));
    units(delete.return_consumed_capacity(TOTAL).send().await?.consumed_capacity(), 3.0)
}
