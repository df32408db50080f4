//! The answer to a batch: what succeeded and what failed, entry by entry.

use serde_json::{Value, json};

use crate::reply::Refusal;

/// `Successful` and `Failed`, each entry with its id.
pub(super) fn answer(results: impl Iterator<Item = (String, Result<Value, Refusal>)>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(mut fields) => {
                if let Value::Object(fields) = &mut fields {
                    fields.insert("Id".to_owned(), json!(id));
                }
                successful.push(fields);
            }
            Err(refusal) => failed.push(json!({
                "Id": id,
                "Code": super::protocol::query_code(refusal.code),
                "SenderFault": refusal.status < 500,
                "Message": refusal.message,
            })),
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}
