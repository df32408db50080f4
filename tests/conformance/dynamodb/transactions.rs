//! All or nothing.

use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem};

use super::{Item, key, number, text};
use crate::aws::Aws;
use crate::documents::dynamodb_api;
use crate::rule::{Answer, Checked, Rule, Wrong, holds, refused, rule, same};

const PAGE: &str = dynamodb_api!("TransactWriteItems");
const REASONS: &str = dynamodb_api!("CancellationReason");

pub(crate) const RULES: &[Rule] = &[
    rule!(a_transaction_writes_everything, "A transaction's puts are all there at once, for a consistent read", PAGE),
    rule!(
        a_transaction_writes_everything_or_nothing,
        "One failed condition cancels every write of a transaction",
        PAGE
    ),
    rule!(
        a_check_cancels_the_writes_beside_it,
        "A `ConditionCheck` on an item that is not written cancels the others",
        PAGE
    ),
    rule!(a_check_holds_where_nothing_is, "`attribute_not_exists` holds in a `ConditionCheck` of a missing item", PAGE),
    rule!(
        reasons_stand_in_the_order_of_the_writes,
        "`CancellationReasons` has one entry a write, in their order",
        REASONS
    ),
    rule!(a_transaction_names_each_item_once, "Two writes of one item are refused", PAGE),
    rule!(a_transaction_has_at_most_100_writes, "A transaction takes 100 writes, and not 101", PAGE),
    rule!(a_transaction_has_no_item_above_400_kb, "An item above 400 KB refuses the whole transaction", PAGE),
];

async fn transact(
    aws: &Aws,
    writes: Vec<TransactWriteItem>,
) -> Answer<TransactWriteItemsOutput, TransactWriteItemsError> {
    aws.dynamodb.transact_write_items().set_transact_items(Some(writes)).send().await
}

fn put_item(aws: &Aws, item: Item) -> TransactWriteItem {
    let put = Put::builder().table_name(&aws.table).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)");
    TransactWriteItem::builder().put(put.build().expect("a put")).build()
}

fn put(aws: &Aws, pk: &str, sk: &str) -> TransactWriteItem {
    put_item(aws, key(pk, sk))
}

fn put_over(aws: &Aws, pk: &str, sk: &str, seen: u64) -> TransactWriteItem {
    let put = Put::builder().table_name(&aws.table).set_item(Some(key(pk, sk))).item("v", number(seen + 1));
    let put = put.condition_expression("v = :seen").expression_attribute_values(":seen", number(seen));
    TransactWriteItem::builder().put(put.build().expect("a put")).build()
}

fn check(aws: &Aws, pk: &str, sk: &str, condition: &str) -> TransactWriteItem {
    let check = ConditionCheck::builder().table_name(&aws.table).set_key(Some(key(pk, sk)));
    let check = check.condition_expression(condition).build().expect("a check");
    TransactWriteItem::builder().condition_check(check).build()
}

/// The codes of a cancelled transaction's reasons.
fn reasons(answer: Answer<TransactWriteItemsOutput, TransactWriteItemsError>) -> Result<Vec<String>, Wrong> {
    let error = answer.err().ok_or_else(|| Wrong::Otherwise("accepted".to_owned()))?;
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Err(error.into());
    };
    let codes = cancelled.cancellation_reasons().iter();
    // The page says of what had no error both "None" and "Null".
    Ok(codes.map(|reason| reason.code().unwrap_or("None").replace("Null", "None")).collect())
}

async fn a_transaction_writes_everything(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    transact(aws, vec![put(aws, &pk, "a"), put(aws, &format!("{pk}x"), "b")]).await?;
    holds(aws.item(&pk, "a").await?.is_some(), "the first is not there")?;
    holds(aws.item(&format!("{pk}x"), "b").await?.is_some(), "the second is not there")
}

async fn a_transaction_writes_everything_or_nothing(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.fill(&pk, &["taken"], 1).await?;
    let answer = transact(aws, vec![put(aws, &pk, "a"), put(aws, &pk, "taken"), put(aws, &pk, "b")]).await;
    refused(answer, &["TransactionCanceledException"])?;
    holds(aws.item(&pk, "a").await?.is_none() && aws.item(&pk, "b").await?.is_none(), "a part was written")
}

async fn a_check_cancels_the_writes_beside_it(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let writes = |condition: &str| vec![put(aws, &pk, "a"), check(aws, &pk, "profile", condition)];
    refused(transact(aws, writes("attribute_exists(pk)")).await, &["TransactionCanceledException"])?;
    holds(aws.item(&pk, "a").await?.is_none(), "the put was done")?;
    aws.fill(&pk, &["profile"], 1).await?;
    transact(aws, writes("attribute_exists(pk)")).await?;
    holds(aws.item(&pk, "a").await?.is_some(), "the put was not done")
}

async fn a_check_holds_where_nothing_is(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    transact(aws, vec![put(aws, &pk, "a"), check(aws, &pk, "suppression", "attribute_not_exists(pk)")]).await?;
    let codes =
        reasons(transact(aws, vec![put(aws, &pk, "b"), check(aws, &pk, "a", "attribute_not_exists(pk)")]).await)?;
    same("reasons", codes, ["None", "ConditionalCheckFailed"])
}

async fn reasons_stand_in_the_order_of_the_writes(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    aws.put(&pk, "a").item("v", number(7)).send().await?;
    let writes = vec![
        put_over(aws, &pk, "a", 7),
        put_over(aws, &pk, "b", 1),
        put(aws, &pk, "c"),
        check(aws, &pk, "d", "attribute_exists(pk)"),
    ];
    let expected = ["None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"];
    same("reasons", reasons(transact(aws, writes).await)?, expected)
}

async fn a_transaction_names_each_item_once(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let writes = vec![put(aws, &pk, "a"), check(aws, &pk, "a", "attribute_not_exists(pk)")];
    refused(transact(aws, writes).await, &["ValidationException"])
}

async fn a_transaction_has_at_most_100_writes(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let writes = |from: usize, to: usize| (from..to).map(|n| put(aws, &pk, &n.to_string())).collect::<Vec<_>>();
    transact(aws, writes(0, 100)).await?;
    refused(transact(aws, writes(100, 201)).await, &["ValidationException"])
}

async fn a_transaction_has_no_item_above_400_kb(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let mut large = key(&pk, "large");
    large.insert("b".to_owned(), text("x".repeat(400 * 1024)));
    // Documented as a reason of a cancellation, and as a user error.
    let codes = &["ValidationException", "TransactionCanceledException"];
    refused(transact(aws, vec![put(aws, &pk, "small"), put_item(aws, large)]).await, codes)?;
    holds(aws.item(&pk, "small").await?.is_none(), "the other item was written")
}
