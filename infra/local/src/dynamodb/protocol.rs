//! DynamoDB's JSON protocol over dynoxide's library: which call an operation is, how it is refused, what it consumed.

use std::collections::BTreeMap;

use dynoxide::types::ConsumedCapacity;
use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::meter::Count;

/// The request, asking for the capacity it consumed unless it says itself what it wants.
pub(super) fn with_capacity(operation: &str, body: &str) -> String {
    let consumes = matches!(
        operation,
        "GetItem"
            | "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "Query"
            | "Scan"
            | "BatchGetItem"
            | "BatchWriteItem"
            | "TransactGetItems"
            | "TransactWriteItems"
    );
    match body.trim_start().strip_prefix('{') {
        Some(rest) if consumes && !body.contains("\"ReturnConsumedCapacity\"") => {
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!("{{\"ReturnConsumedCapacity\":\"TOTAL\"{comma}{rest}")
        }
        _ => body.to_owned(),
    }
}

/// An answer, and the capacity it tells.
pub(super) struct Done {
    pub(super) json: String,
    pub(super) capacity: Vec<ConsumedCapacity>,
}

fn done(answer: &impl Serialize, capacity: Vec<ConsumedCapacity>) -> Result<Done, DynoxideError> {
    let json = serde_json::to_string(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
    Ok(Done { json, capacity })
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, DynoxideError> {
    serde_json::from_str(body).map_err(|error| refused_by_serde(&error.to_string()))
}

/// dynoxide's own checks of a request come through serde, marked by their class, as its
/// `serde_errors` describes; its server tells them apart, its library API leaves that to us.
fn refused_by_serde(text: &str) -> DynoxideError {
    let text = text.rsplit_once(" at line ").map_or(text, |(message, _)| message);
    let validation = ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"];
    let serialization = ["SERIALIZATION_AS_READ:", "SERIALIZATION:"];
    if let Some(message) = validation.iter().find_map(|mark| text.strip_prefix(mark)) {
        return DynoxideError::ValidationException(message.to_owned());
    }
    if let Some(message) = serialization.iter().find_map(|mark| text.strip_prefix(mark)) {
        return DynoxideError::SerializationException(message.to_owned());
    }
    let missing = ["missing field", "unknown variant", "invalid type: null", "AttributeValue"];
    if missing.iter().any(|part| text.contains(part)) {
        return DynoxideError::ValidationException(text.to_owned());
    }
    DynoxideError::SerializationException(text.to_owned())
}

pub(super) fn run(tables: &Database, operation: &str, body: &str) -> Result<Done, DynoxideError> {
    /// One operation that consumes no capacity, one that tells it once, one that tells it per table.
    macro_rules! call {
        ($name:ident) => {
            done(&tables.$name(parse(body)?)?, Vec::new())
        };
        ($name:ident, one) => {{
            let answer = tables.$name(parse(body)?)?;
            let capacity = answer.consumed_capacity.clone().into_iter().collect();
            done(&answer, capacity)
        }};
        ($name:ident, many) => {{
            let answer = tables.$name(parse(body)?)?;
            let capacity = answer.consumed_capacity.clone().unwrap_or_default();
            done(&answer, capacity)
        }};
    }
    match operation {
        "GetItem" => call!(get_item, one),
        "PutItem" => call!(put_item, one),
        "UpdateItem" => call!(update_item, one),
        "DeleteItem" => call!(delete_item, one),
        "Query" => {
            check_keys(body)?;
            call!(query, one)
        }
        "Scan" => call!(scan, one),
        "BatchGetItem" => call!(batch_get_item, many),
        "BatchWriteItem" => call!(batch_write_item, many),
        "TransactGetItems" => call!(transact_get_items, many),
        "TransactWriteItems" => call!(transact_write_items, many),
        "CreateTable" => call!(create_table),
        "DeleteTable" => call!(delete_table),
        "DescribeTable" => call!(describe_table),
        "UpdateTable" => call!(update_table),
        "ListTables" => call!(list_tables),
        "UpdateTimeToLive" => call!(update_time_to_live),
        "DescribeTimeToLive" => call!(describe_time_to_live),
        "DescribeContinuousBackups" => continuous_backups(tables, body),
        other => Err(DynoxideError::UnsupportedCapability(format!("{other} is not offered here"))),
    }
}

/// A condition on keys cannot ask for an empty one, which dynoxide lets pass. (Developer guide, "data types": empty
/// values are for attributes that are no keys.)
fn check_keys(body: &str) -> Result<(), DynoxideError> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Keys {
        key_condition_expression: String,
        expression_attribute_values: BTreeMap<String, serde_json::Value>,
    }
    // What cannot be read is refused by dynoxide.
    let keys: Keys = serde_json::from_str(body).unwrap_or_default();
    let mut words = keys.key_condition_expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let empty = json!({ "S": "" });
    if words.any(|word| keys.expression_attribute_values.get(word) == Some(&empty)) {
        let text = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.";
        return Err(DynoxideError::ValidationException(text.to_owned()));
    }
    Ok(())
}

/// As AWS answers for a table without point-in-time recovery.
fn continuous_backups(tables: &Database, body: &str) -> Result<Done, DynoxideError> {
    tables.describe_table(parse(body)?)?;
    let answer = json!({
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
        },
    });
    done(&answer, Vec::new())
}

pub(super) fn count(operation: &str, capacity: &[ConsumedCapacity]) -> Count {
    let units: f64 = capacity.iter().map(|of_table| of_table.capacity_units).sum();
    let reads = matches!(operation, "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems");
    let (read_units, write_units) = if reads { (units, 0.0) } else { (0.0, units) };
    Count { read_units, write_units, ..Count::of(1, 0) }
}

/// A write whose condition fails is billed by the size of the item that is there, at least one unit
/// (developer guide, "capacity unit consumption for write operations"); in a transaction, two for
/// each action. Sizes are not told with a refusal, so the least is counted.
pub(super) fn count_refused(error: &DynoxideError) -> Count {
    let write_units = match error {
        DynoxideError::ConditionalCheckFailedException(..) => 1,
        DynoxideError::TransactionCanceledException(_, reasons) => 2 * reasons.len(),
        _ => 0,
    };
    Count { write_units: f64::from(u32::try_from(write_units).unwrap_or(u32::MAX)), ..Count::of(1, 0) }
}
