//! One item: conditions, versions, reads.

use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveSpecification, TimeToLiveStatus};

use super::{key, number, of, text};
use crate::aws::Aws;
use crate::documents::{dynamodb_api, dynamodb_guide};
use crate::rule::{Checked, Rule, holds, refused, rule, same, some};

const CONDITIONS: &str = dynamodb_guide!("Expressions.ConditionExpressions");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_put_if_absent_is_done_once,
        "`attribute_not_exists` on the key lets an item be put once",
        dynamodb_api!("PutItem")
    ),
    rule!(
        a_put_over_the_version_seen_wins_once,
        "A put under `v = :seen` is done over that version only, else `ConditionalCheckFailedException`",
        CONDITIONS
    ),
    rule!(a_refused_put_changes_nothing, "A put whose condition fails leaves the item as it was", CONDITIONS),
    rule!(
        a_condition_on_a_missing_attribute_is_false,
        "A comparison with an attribute that is not there is false",
        CONDITIONS
    ),
    rule!(
        numbers_compare_as_numbers,
        "Numbers compare by value, with up to 38 digits",
        dynamodb_guide!("HowItWorks.NamingRulesDataTypes")
    ),
    rule!(
        a_put_replaces_the_whole_item,
        "A put replaces the item, attributes of the old one are gone",
        dynamodb_api!("PutItem")
    ),
    rule!(
        a_consistent_read_sees_the_last_write,
        "`ConsistentRead` sees every write that succeeded before",
        dynamodb_guide!("HowItWorks.ReadConsistency")
    ),
    rule!(a_missing_item_is_no_error, "`GetItem` of a missing item answers without `Item`", dynamodb_api!("GetItem")),
    rule!(
        a_delete_of_a_missing_item_succeeds,
        "`DeleteItem` is idempotent: a missing item is no error",
        dynamodb_api!("DeleteItem")
    ),
    rule!(
        a_missing_table_is_not_found,
        "A table that is not there is `ResourceNotFoundException`",
        dynamodb_guide!("Programming.Errors")
    ),
    rule!(
        values_come_back_as_they_were,
        "Texts of any Unicode, Booleans and numbers come back as they were put",
        dynamodb_guide!("HowItWorks.NamingRulesDataTypes")
    ),
    rule!(
        an_item_past_its_time_to_live_is_read_until_it_is_removed,
        "A table names the attribute of its time to live; an item past it is read until it is removed, within days",
        dynamodb_guide!("TTL")
    ),
];

const FAILED: &[&str] = &["ConditionalCheckFailedException"];

async fn a_put_if_absent_is_done_once(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let put = || aws.put(&pk, "a").condition_expression("attribute_not_exists(pk)").send();
    put().await?;
    refused(put().await, FAILED)
}

async fn a_put_over_the_version_seen_wins_once(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.put(&pk, "a").item("v", number(1)).send().await?;
    let over = |seen: u64| {
        let put = aws.put(&pk, "a").item("v", number(seen + 1)).condition_expression("v = :seen");
        put.expression_attribute_values(":seen", number(seen)).send()
    };
    over(1).await?;
    refused(over(1).await, FAILED)?;
    over(2).await?;
    Ok(())
}

async fn a_refused_put_changes_nothing(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.put(&pk, "a").item("b", text("old")).send().await?;
    let put = aws.put(&pk, "a").item("b", text("other")).item("c", text("more"));
    refused(put.condition_expression("attribute_not_exists(pk)").send().await, FAILED)?;
    let item = some("item", aws.item(&pk, "a").await?)?;
    same("b", of(&item, "b"), "old")?;
    holds(!item.contains_key("c"), "an attribute was added")
}

async fn a_condition_on_a_missing_attribute_is_false(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.put(&pk, "a").send().await?;
    let put = aws.put(&pk, "a").condition_expression("is_subscribed = :yes");
    refused(put.expression_attribute_values(":yes", AttributeValue::Bool(true)).send().await, FAILED)?;
    // Where there is no item at all, there is no attribute either.
    let put = aws.put(&pk, "none").condition_expression("v = :seen");
    refused(put.expression_attribute_values(":seen", number(1)).send().await, FAILED)
}

async fn numbers_compare_as_numbers(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let digits = "12345678901234567890123456789012345678";
    aws.put(&pk, "a").item("v", number("10.0")).item("n", number(digits)).send().await?;
    let put = aws.put(&pk, "a").item("n", number(digits)).condition_expression("v = :ten AND v > :nine");
    put.expression_attribute_values(":ten", number(10)).expression_attribute_values(":nine", number(9)).send().await?;
    let item = some("item", aws.item(&pk, "a").await?)?;
    same("38 digits became", item.get("n"), Some(&number(digits)))
}

async fn a_put_replaces_the_whole_item(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.put(&pk, "a").item("ttl", number(1_900_000_000)).send().await?;
    aws.put(&pk, "a").item("b", text("second")).send().await?;
    let item = some("item", aws.item(&pk, "a").await?)?;
    holds(!item.contains_key("ttl"), "an old attribute stayed")
}

async fn a_consistent_read_sees_the_last_write(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    for n in 0..20 {
        aws.put(&pk, "a").item("v", number(n)).send().await?;
        let item = some("item", aws.item(&pk, "a").await?)?;
        same("read", item.get("v"), Some(&number(n)))?;
    }
    Ok(())
}

async fn a_missing_item_is_no_error(aws: &Aws) -> Checked {
    holds(aws.item(&aws.fresh("pk"), "a").await?.is_none(), "an item")
}

async fn a_delete_of_a_missing_item_succeeds(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.put(&pk, "a").send().await?;
    for _ in 0..2 {
        aws.dynamodb.delete_item().table_name(&aws.table).set_key(Some(key(&pk, "a"))).send().await?;
    }
    holds(aws.item(&pk, "a").await?.is_none(), "the item stayed")
}

async fn a_missing_table_is_not_found(aws: &Aws) -> Checked {
    let codes = &["ResourceNotFoundException"];
    let get = aws.dynamodb.get_item().table_name(aws.fresh("none")).set_key(Some(key("a", "b")));
    refused(get.send().await, codes)?;
    let put = aws.dynamodb.put_item().table_name(aws.fresh("none")).set_item(Some(key("a", "b")));
    refused(put.send().await, codes)
}

async fn values_come_back_as_they_were(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let values = [
        ("b", text(r#"{"name":"Zoë","mark":"✓ 🐦","quote":"\"\\\u0000"}"#)),
        ("c", text("\u{1}\u{7f}\u{fffd}")),
        ("yes", AttributeValue::Bool(true)),
        ("no", AttributeValue::Bool(false)),
        ("v", number(-7)),
    ];
    let mut put = aws.put(&pk, "a");
    for (name, value) in &values {
        put = put.item(*name, value.clone());
    }
    put.send().await?;
    let item = some("item", aws.item(&pk, "a").await?)?;
    values.iter().try_for_each(|(name, value)| same(name, item.get(*name), Some(value)))
}

async fn an_item_past_its_time_to_live_is_read_until_it_is_removed(aws: &Aws) -> Checked {
    let wish = TimeToLiveSpecification::builder().enabled(true).attribute_name("ttl").build().expect("complete");
    aws.dynamodb.update_time_to_live().table_name(&aws.table).time_to_live_specification(wish).send().await?;
    let described = aws.dynamodb.describe_time_to_live().table_name(&aws.table).send().await?;
    let described = some("description", described.time_to_live_description)?;
    same("attribute", described.attribute_name.as_deref(), Some("ttl"))?;
    let status = some("status", described.time_to_live_status)?;
    holds(matches!(status, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling), format!("status {status}"))?;
    let pk = aws.fresh("pk");
    aws.put(&pk, "a").item("ttl", number(1_000_000_000)).send().await?;
    holds(aws.item(&pk, "a").await?.is_some(), "an expired item is not read")
}
