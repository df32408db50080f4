//! JSON as clients send it: ids of any length kept to the digit, depth and number of keys bounded.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dunlin_core::call::Properties;
use dunlin_core::limits::{JSON_DEPTH, JSON_KEYS};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::reply::Refusal;

/// Fields that hold an id, in both APIs.
const IDS: [&str; 5] = ["id", "new_id", "userId", "anonymousId", "previousId"];
/// Fields that hold objects with ids in them.
const HOLDERS: [&str; 2] = ["identity", "batch"];

/// Parses a text. A number too large for 64 bits becomes a float, except in an id: that keeps every
/// digit, as text. serde_json itself ends at 128 levels; the last of two equal keys counts.
pub(crate) fn parse(text: &str) -> serde_json::Result<Value> {
    let mut value: Value = serde_json::from_str(text)?;
    if has_inexact_id(&value) {
        restore(&mut value, serde_json::from_str(text)?)?;
    }
    Ok(value)
}

fn has_inexact_id(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            IDS.iter().any(|id| fields.get(*id).is_some_and(Value::is_f64))
                || HOLDERS.iter().any(|holder| fields.get(*holder).is_some_and(has_inexact_id))
        }
        Value::Array(items) => items.iter().any(has_inexact_id),
        _ => false,
    }
}

fn restore(value: &mut Value, raw: &RawValue) -> serde_json::Result<()> {
    match value {
        Value::Object(fields) => {
            let raw: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(raw.get())?;
            for (name, value) in fields.iter_mut() {
                let Some(raw) = raw.get(name.as_str()) else { continue };
                if value.is_f64() && IDS.contains(&name.as_str()) {
                    *value = Value::String(raw.get().to_owned());
                } else if HOLDERS.contains(&name.as_str()) {
                    restore(value, raw)?;
                }
            }
        }
        Value::Array(items) => {
            let raw: Vec<&RawValue> = serde_json::from_str(raw.get())?;
            for (item, raw) in items.iter_mut().zip(raw) {
                restore(item, raw)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Replaces a field that came as JSON text by what the text says.
pub(crate) fn open(fields: &mut Properties, name: &str) -> Result<(), Refusal> {
    let Some(value) = fields.get_mut(name) else { return Ok(()) };
    let Value::String(text) = &*value else { return Ok(()) };
    *value = if text.trim().is_empty() {
        Value::Null
    } else {
        parse(text).map_err(|_| Refusal::field(name, "must be JSON: an object, an array, or the text of one"))?
    };
    Ok(())
}

/// Refuses what is nested deeper than [`JSON_DEPTH`] or has more than [`JSON_KEYS`] keys, by the name of the
/// field in which that happens.
pub(crate) fn bound(fields: &Properties) -> Result<(), Refusal> {
    let mut keys = fields.len();
    for (name, value) in fields {
        let shown = if name.len() <= 40 { name } else { "a field" };
        if !count(value, 1, &mut keys) {
            return Err(Refusal::field(shown, &format!("is nested deeper than {JSON_DEPTH} levels")));
        }
        if keys > JSON_KEYS {
            return Err(Refusal::field(
                shown,
                &format!("brings the call over {JSON_KEYS} keys: send fewer properties"),
            ));
        }
    }
    Ok(())
}

/// Counts keys; whether the depth is right. `level` is that of the object or array around `value`.
fn count(value: &Value, level: usize, keys: &mut usize) -> bool {
    let level = level + 1;
    match value {
        Value::Object(fields) => {
            *keys += fields.len();
            level <= JSON_DEPTH && fields.values().all(|value| count(value, level, keys))
        }
        Value::Array(items) => level <= JSON_DEPTH && items.iter().all(|item| count(item, level, keys)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(text: &str) -> Properties {
        serde_json::from_str(text).expect("an object")
    }

    #[test]
    fn an_id_of_any_length_keeps_every_digit() {
        let long = "123456789012345678901234567890";
        let text = format!(
            r#"{{"id":{long},"n":{long},"identity":{{"id":{long}}},"batch":[{{"userId":{long}}},{{"userId":18446744073709551615}}]}}"#
        );
        let value = parse(&text).expect("JSON");
        assert_eq!(value["id"], json!(long));
        assert_eq!(value["identity"]["id"], json!(long));
        assert_eq!(value["batch"][0]["userId"], json!(long));
        assert_eq!(value["batch"][1]["userId"], json!(u64::MAX));
        assert!(value["n"].is_f64());
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(parse(r#"{"id":1e9,"id":7}"#).ok(), Some(json!({"id": 7})));
        assert_eq!(parse(r#"{"id":7,"\u0069d":1.50}"#).ok(), Some(json!({"id": "1.50"})));
    }

    #[test]
    fn depth_is_bounded_and_the_field_named() {
        let nested =
            |levels: usize| object(&format!(r#"{{"a":1,"data":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels)));
        assert_eq!(bound(&nested(JSON_DEPTH - 1)), Ok(()));
        assert_eq!(bound(&nested(JSON_DEPTH)), Err(Refusal::field("data", "is nested deeper than 24 levels")));
    }

    #[test]
    fn keys_are_bounded_and_the_field_named() {
        let with = |keys: usize| {
            let data: Properties = (0..keys).map(|n| (format!("k{n}"), Value::Null)).collect();
            bound(&object(&json!({ "id": 1, "data": [data] }).to_string()))
        };
        assert_eq!(with(JSON_KEYS - 2), Ok(()));
        assert_eq!(
            with(JSON_KEYS - 1),
            Err(Refusal::field("data", "brings the call over 1000 keys: send fewer properties"))
        );
    }

    #[test]
    fn json_text_opens_and_other_values_stay() {
        let mut fields = object(r#"{"data":"{\"a\":[1]}","add":"","extras":{"b":2},"changes":"{oops"}"#);
        for name in ["data", "add", "extras", "absent"] {
            assert_eq!(open(&mut fields, name), Ok(()));
        }
        assert_eq!(
            open(&mut fields, "changes"),
            Err(Refusal::field("changes", "must be JSON: an object, an array, or the text of one"))
        );
        fields.remove("changes");
        assert_eq!(Value::Object(fields), json!({"data": {"a": [1]}, "add": null, "extras": {"b": 2}}));
    }
}
