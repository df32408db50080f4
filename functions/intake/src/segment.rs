//! The Segment HTTP tracking API: its endpoints and batches. An item that cannot be taken is counted with its
//! reason, and the request still answers 200, as clients of that API expect.

use std::collections::BTreeMap;

use dunlin_core::call::Properties;
use dunlin_core::limits::BATCH_CALLS;
use jiff::Timestamp;
use serde_json::Value;

use crate::asked::Asked;
use crate::item::{self, Kind};
use crate::json;
use crate::reply::Refusal;

/// The methods of every endpoint, as `Allow` lists them.
pub(crate) const METHODS: &str = "POST, OPTIONS";

/// What a path under `/v1/` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// One item of this kind.
    One(Kind),
    /// Items that name their kinds.
    Batch,
}

impl Endpoint {
    /// The endpoint at a path behind `/v1/`; browser clients use the short names.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Some(match path {
            "batch" | "import" | "b" => Self::Batch,
            "i" => Self::One(Kind::Identify),
            "t" => Self::One(Kind::Track),
            "p" => Self::One(Kind::Page),
            "s" => Self::One(Kind::Screen),
            "g" => Self::One(Kind::Group),
            "a" => Self::One(Kind::Alias),
            _ => Self::One(Kind::parse(path)?),
        })
    }
}

/// Items that were not taken, by reason. The reasons hold nothing of what the client sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejects(BTreeMap<String, usize>);

impl Rejects {
    pub(crate) fn add(&mut self, reason: impl Into<String>) {
        *self.0.entry(reason.into()).or_default() += 1;
    }

    pub(crate) fn count(&self) -> usize {
        self.0.values().sum()
    }

    /// `reason: count` pairs, for the log.
    pub(crate) fn summary(&self) -> String {
        self.0.iter().map(|(reason, count)| format!("{reason}: {count}")).collect::<Vec<_>>().join("; ")
    }
}

/// What the request's body says for all of its items.
#[derive(Debug)]
pub(crate) struct Outer {
    pub(crate) context: Value,
    pub(crate) integrations: Value,
    pub(crate) sent_at: Value,
    pub(crate) received_at: Timestamp,
}

/// Reads a request whose credential is taken out already.
pub(crate) fn read(
    endpoint: Endpoint,
    mut fields: Properties,
    received_at: Timestamp,
    rejects: &mut Rejects,
) -> Result<Vec<Asked>, Refusal> {
    let mut asked = Vec::new();
    let Endpoint::One(kind) = endpoint else {
        let items = match fields.remove("batch") {
            Some(Value::Array(items)) if items.len() <= BATCH_CALLS => items,
            Some(Value::Array(_)) => {
                return Err(Refusal::large(format!("`batch` has more than {BATCH_CALLS} items: send fewer")));
            }
            _ => return Err(Refusal::field("batch", "is required: an array of calls")),
        };
        json::bound(&fields)?;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let outer = Outer {
            context: take("context"),
            integrations: take("integrations"),
            sent_at: take("sentAt"),
            received_at,
        };
        for item in items {
            let Value::Object(item) = item else {
                rejects.add("an item is not an object");
                continue;
            };
            let Some(kind) = item.get("type").and_then(Value::as_str).and_then(Kind::parse) else {
                rejects.add("`type` is missing or unknown");
                continue;
            };
            item::read(kind, item, &outer, &mut asked, rejects);
        }
        return Ok(asked);
    };
    let outer = Outer { context: Value::Null, integrations: Value::Null, sent_at: Value::Null, received_at };
    item::read(kind, fields, &outer, &mut asked, rejects);
    Ok(asked)
}

#[cfg(test)]
mod tests;
