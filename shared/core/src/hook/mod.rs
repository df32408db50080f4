//! Webhooks: the request that a step of a workflow makes, where it may go, what comes of it, and when it is made again.
//!
//! A request is made **at least once**: whoever makes it may die before that is known, and makes it again. Its receiver
//! knows a repetition by the header `webhook-id`, which is the same on every try.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::{HOOK_ANSWER_BYTES, JSON_DEPTH};

mod address;
mod header;
mod retry;
mod target;
#[cfg(test)]
mod tests;

pub use address::is_public;
pub use header::{HeaderProblem, header_problem};
pub use retry::{next_try, retry_after};
pub use target::{Reach, Refused, Target, target};

/// One request to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Names the call to its receiver, the same on every try: the header `webhook-id`.
    pub id: String,
    /// What is asked.
    #[serde(default)]
    pub method: Method,
    /// Where it goes: `https` or `http`, see [`target`].
    pub url: String,
    /// Headers of the step's own, by name; see [`header_problem`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is sent, as JSON; none where the request has no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// What a request asks of its receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    #[default]
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What came of a request, as later steps see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status of HTTP; none where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body: what its JSON says, or else its text. At most [`HOOK_ANSWER_BYTES`] as compact JSON. None where there was
    /// none, or where it was too long or no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Why it is no good answer: the code of a [`Fault`]; none for a good one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why a request brought no good answer. Its code is what campaigns see, and stays what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The URL or a header is one that no request is made with.
    BadRequest,
    /// The address, or one that the name resolves to, is not public.
    RefusedAddress,
    /// The name does not resolve.
    Unresolved,
    /// No connection, or one that ended before the answer did.
    Unreachable,
    /// No whole answer in time.
    Timeout,
    /// The answer is longer than [`HOOK_ANSWER_BYTES`], or deeper than [`JSON_DEPTH`].
    TooLong,
    /// The answer is no text in UTF-8.
    NotText,
    /// A status other than 200 to 299: a redirection is not followed.
    Status,
    /// The time for it was over before it was tried.
    Expired,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::BadRequest,
        Self::RefusedAddress,
        Self::Unresolved,
        Self::Unreachable,
        Self::Timeout,
        Self::TooLong,
        Self::NotText,
        Self::Status,
        Self::Expired,
    ];

    /// Its code, short and stable.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::RefusedAddress => "refused_address",
            Self::Unresolved => "unresolved",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::TooLong => "too_long",
            Self::NotText => "not_text",
            Self::Status => "status",
            Self::Expired => "expired",
        }
    }
}

impl Answer {
    /// What a receiver answered: `bytes` are its body, or more than [`HOOK_ANSWER_BYTES`] of a longer one.
    #[must_use]
    pub fn of(status: u16, bytes: &[u8]) -> Self {
        let (body, unread) = match read(bytes) {
            Ok(body) => (body, None),
            Err(fault) => (None, Some(fault)),
        };
        let fault = if (200..300).contains(&status) { unread } else { Some(Fault::Status) };
        Self { status: Some(status), body, error: fault.map(|fault| fault.code().to_owned()) }
    }

    /// Whether the receiver took the request, and its answer was read: 200 to 299.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status)) && self.error.is_none()
    }

    /// The answer as later steps see it.
    #[must_use]
    pub fn seen(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Whether the same request may have a better answer later: nobody answered, or the receiver says that it cannot now
    /// (408, 425, 429, 500 to 599).
    #[must_use]
    pub fn may_be_better_later(&self) -> bool {
        let passes = [Fault::Unresolved, Fault::Unreachable, Fault::Timeout].map(Fault::code);
        match self.status {
            Some(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            None => self.error.as_deref().is_some_and(|error| passes.contains(&error)),
        }
    }
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Self {
        Self { error: Some(fault.code().to_owned()), ..Self::default() }
    }
}

/// Whether arrays and objects are in one another no deeper than that: a row in which they are does not decode.
fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_shallow(item, levels - 1)),
        Value::Object(fields) => levels > 0 && fields.values().all(|value| is_shallow(value, levels - 1)),
        _ => true,
    }
}

/// A body: what its JSON says, or else its text.
fn read(bytes: &[u8]) -> Result<Option<Value>, Fault> {
    if bytes.len() > HOOK_ANSWER_BYTES {
        return Err(Fault::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotText)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let body: Value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    if !is_shallow(&body, JSON_DEPTH) {
        return Err(Fault::TooLong);
    }
    // Characters that JSON escapes take up to six times their place in the queue's text and in the run's row.
    if body.to_string().len() > HOOK_ANSWER_BYTES { Err(Fault::TooLong) } else { Ok(Some(body)) }
}
