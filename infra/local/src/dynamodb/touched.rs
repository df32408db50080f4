//! Which items a request reads or writes, so that faults can befall one table or one range of keys.

use std::collections::BTreeMap;

use dunlin_aws::resources::HASH_KEY;
use serde::Deserialize;

use crate::faults::Touched;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    table_name: String,
    key: Option<Keys>,
    item: Option<Keys>,
    key_condition_expression: String,
    expression_attribute_names: BTreeMap<String, String>,
    expression_attribute_values: BTreeMap<String, Text>,
    request_items: BTreeMap<String, OfTable>,
    transact_items: Vec<BTreeMap<String, Action>>,
}

/// An item or a key, of which only the keys are read; all keys of ours are texts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Keys {
    pk: Text,
    sk: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

/// What a batch does with one table: reads keys, or writes.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OfTable {
    Reads {
        #[serde(rename = "Keys")]
        keys: Vec<Keys>,
    },
    Writes(Vec<BTreeMap<String, Action>>),
}

/// A write within a batch or a transaction.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Action {
    table_name: String,
    key: Option<Keys>,
    item: Option<Keys>,
}

/// The items a request touches: of a batch by the tables' names and then in its order, of a transaction in its order, of a
/// query its partition (by a condition with spaces, `pk = :pk`, as the data layer writes it). Nothing where it is none of
/// these, or cannot be read.
pub(crate) fn touched(body: &[u8]) -> Vec<Touched> {
    let request: Request = serde_json::from_slice(body).unwrap_or_default();
    let partition = partition(&request);
    let mut found: Vec<Touched> = Vec::new();
    found.extend(one(&request.table_name, request.key.or(request.item)));
    found.extend(partition.map(|pk| Touched { table: request.table_name.clone(), pk, sk: None }));
    for (table, of_table) in request.request_items {
        match of_table {
            OfTable::Reads { keys } => found.extend(keys.into_iter().filter_map(|keys| one(&table, Some(keys)))),
            OfTable::Writes(writes) => {
                let writes = writes.into_iter().flat_map(BTreeMap::into_values);
                found.extend(writes.filter_map(|write| one(&table, write.key.or(write.item))));
            }
        }
    }
    let actions = request.transact_items.into_iter().flat_map(BTreeMap::into_values);
    found.extend(actions.filter_map(|action| one(&action.table_name, action.key.or(action.item))));
    found
}

fn one(table: &str, keys: Option<Keys>) -> Option<Touched> {
    keys.map(|keys| Touched { table: table.to_owned(), pk: keys.pk.text, sk: Some(keys.sk.text) })
}

/// The partition that a query's condition names.
fn partition(request: &Request) -> Option<String> {
    let words: Vec<&str> = request.key_condition_expression.split_whitespace().collect();
    words.windows(3).find_map(|part| match part {
        [name, "=", value] => {
            let name = request.expression_attribute_names.get(*name).map_or(*name, String::as_str);
            let value = request.expression_attribute_values.get(*value);
            value.filter(|_| name == HASH_KEY).map(|value| value.text.clone())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_an_item_is_understood() {
        let key = r#"{"pk":{"S":"a"},"sk":{"S":"1"}}"#;
        let item = r#"{"n":{"N":"1"},"pk":{"S":"a"},"sk":{"S":"1"}}"#;
        for body in [
            format!(r#"{{"TableName":"t","Key":{key},"ConsistentRead":true}}"#),
            format!(r#"{{"TableName":"t","Item":{item}}}"#),
            format!(r#"{{"RequestItems":{{"t":{{"Keys":[{key}],"ConsistentRead":true}}}}}}"#),
            format!(r#"{{"RequestItems":{{"t":[{{"PutRequest":{{"Item":{item}}}}}]}}}}"#),
            format!(r#"{{"RequestItems":{{"t":[{{"DeleteRequest":{{"Key":{key}}}}}]}}}}"#),
            format!(r#"{{"TransactItems":[{{"Put":{{"TableName":"t","Item":{item}}}}}]}}"#),
            format!(r#"{{"TransactItems":[{{"ConditionCheck":{{"TableName":"t","Key":{key}}}}}]}}"#),
        ] {
            let expected = Touched { table: "t".into(), pk: "a".into(), sk: Some("1".into()) };
            assert_eq!(touched(body.as_bytes()), [expected], "{body}");
        }
        for (names, condition) in [("{}", "pk = :p AND sk >= :s"), (r##"{"#k":"pk"}"##, "sk >= :s AND #k = :p")] {
            let body = format!(
                r#"{{"TableName":"t","KeyConditionExpression":"{condition}","ExpressionAttributeNames":{names},
                    "ExpressionAttributeValues":{{":p":{{"S":"a"}},":s":{{"S":"1"}},":n":{{"N":"1"}}}}}}"#
            );
            assert_eq!(touched(body.as_bytes()), [Touched { table: "t".into(), pk: "a".into(), sk: None }], "{body}");
        }
        for body in [r#"{"TableName":"t"}"#, "[]", "{"] {
            assert_eq!(touched(body.as_bytes()), [], "{body}");
        }
    }
}
