//! What an item may be, and what an expression may say.

use super::{key, number, text};
use crate::aws::Aws;
use crate::documents::dynamodb_guide;
use crate::rule::{Checked, Rule, refused, rule};

const CONSTRAINTS: &str = dynamodb_guide!("Constraints");
const TYPES: &str = dynamodb_guide!("HowItWorks.NamingRulesDataTypes");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        an_item_may_have_400_kb,
        "An item may have 409,600 bytes, names and keys included, and no byte more",
        CONSTRAINTS
    ),
    rule!(a_key_may_have_2048_and_1024_bytes, "A partition key may have 2,048 bytes, a sort key 1,024", CONSTRAINTS),
    rule!(an_empty_text_is_a_value, "A text attribute may be empty", TYPES),
    rule!(an_empty_key_is_refused, "A key may not be empty, in an item or in a condition on keys", TYPES),
    rule!(
        a_key_must_be_complete,
        "An item without its sort key is refused",
        dynamodb_guide!("HowItWorks.CoreComponents")
    ),
    rule!(
        a_reserved_word_needs_a_placeholder,
        "A reserved word in an expression is refused, its `#` placeholder is not",
        dynamodb_guide!("ReservedWords")
    ),
    rule!(
        every_value_of_an_expression_is_named_and_used,
        "A value that is used and not given, or given and not used, is refused",
        dynamodb_guide!("Expressions.ExpressionAttributeValues")
    ),
];

const INVALID: &[&str] = &["ValidationException"];

async fn an_item_may_have_400_kb(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    // Names and values count in UTF-8: `pk`, its value, `sk`, `a`, and `b`.
    let around = "pk".len() + pk.len() + "sk".len() + "a".len() + "b".len();
    let most = 400 * 1024 - around;
    aws.put(&pk, "a").item("b", text("x".repeat(most))).send().await?;
    refused(aws.put(&pk, "a").item("b", text("x".repeat(most + 1))).send().await, INVALID)
}

async fn a_key_may_have_2048_and_1024_bytes(aws: &Aws) -> Checked {
    let stem = aws.fresh("pk");
    let long = |bytes: usize| format!("{stem}{}", "k".repeat(bytes - stem.len()));
    aws.put(&long(2048), &long(1024)).send().await?;
    refused(aws.put(&long(2049), "a").send().await, INVALID)?;
    refused(aws.put(&stem, &long(1025)).send().await, INVALID)
}

async fn an_empty_text_is_a_value(aws: &Aws) -> Checked {
    aws.put(&aws.fresh("pk"), "a").item("b", text("")).send().await?;
    Ok(())
}

async fn an_empty_key_is_refused(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    refused(aws.put(&pk, "").send().await, INVALID)?;
    refused(aws.get("", "a").send().await, INVALID)?;
    let query =
        aws.dynamodb.query().table_name(&aws.table).key_condition_expression("pk = :pk AND begins_with(sk, :sk)");
    let query = query.expression_attribute_values(":pk", text(&pk)).expression_attribute_values(":sk", text(""));
    refused(query.send().await, INVALID)
}

async fn a_key_must_be_complete(aws: &Aws) -> Checked {
    let mut item = key(&aws.fresh("pk"), "a");
    item.remove("sk");
    refused(aws.dynamodb.put_item().table_name(&aws.table).set_item(Some(item.clone())).send().await, INVALID)?;
    refused(aws.dynamodb.get_item().table_name(&aws.table).set_key(Some(item)).send().await, INVALID)
}

async fn a_reserved_word_needs_a_placeholder(aws: &Aws) -> Checked {
    let pk = aws.fresh("pk");
    let put = |condition: &str| {
        let put = aws.put(&pk, "a").item("state", text("waiting")).condition_expression(condition);
        put.expression_attribute_values(":ended", text("ended"))
    };
    put("#state <> :ended").expression_attribute_names("#state", "state").send().await?;
    refused(put("state <> :ended").send().await, INVALID)
}

async fn every_value_of_an_expression_is_named_and_used(aws: &Aws) -> Checked {
    let put = || aws.put("pk", "a").condition_expression("v = :seen OR attribute_not_exists(pk)");
    refused(put().expression_attribute_values(":other", number(1)).send().await, INVALID)?;
    let both = put().expression_attribute_values(":seen", number(1)).expression_attribute_values(":other", number(1));
    refused(both.send().await, INVALID)
}
