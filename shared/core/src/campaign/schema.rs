//! The published JSON schema. [`super::parse`] checks every file against this very schema, so the two cannot differ.

use std::sync::LazyLock;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::form::Form;

/// Where the schema is published.
const ID: &str = "https://raw.githubusercontent.com/dunlin-mail/dunlin/main/docs/campaign.schema.json";

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(Form);
    schema.insert("$id".to_owned(), ID.into());
    let mut schema = schema.to_value();
    refuse_null(&mut schema);
    schema
});

/// In a file, a key without a value is a slip, not "none": takes `null` out of the types.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(refuse_null);
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if fields.get("default").is_some_and(Value::is_null) {
                fields.remove("default");
            }
            let Some(Value::Array(choices)) = fields.get_mut("anyOf") else { return };
            choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
            if let [only] = choices.as_slice() {
                let only = only.clone();
                fields.remove("anyOf");
                fields.extend(only.as_object().cloned().unwrap_or_default());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        _ => {}
    }
}

/// The JSON schema of a campaign file, draft 2020-12.
#[must_use]
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// Of choices that could be told together, exactly one may be taken.
pub(crate) fn exactly_one(schema: &mut Schema) {
    if let Some(choices) = schema.remove("anyOf") {
        schema.insert("oneOf".to_owned(), choices);
    }
}

/// The name of an event.
pub(crate) fn event_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "The name of an event; case, spaces, underscores and dashes do not count.",
        "type": "string",
        "format": "event-name",
        "minLength": 1,
        "maxLength": crate::limits::NAME_BYTES,
    })
}

/// The id of a campaign.
pub(crate) fn campaign_id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "`cmp_` and 1 to 64 letters, digits or dashes; made from the file's name where it is missing.",
        "type": "string",
        "format": "campaign-id",
        "pattern": "^cmp_[A-Za-z0-9-]{1,64}$",
    })
}
