//! Which headers a step may set.

use http::header::{HeaderName, HeaderValue};

use crate::limits::HOOK_HEADER_BYTES;

/// What the connection or we ourselves say: with another value a receiver, or a proxy before it, would read another
/// request than the one that was made.
const OURS: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-timestamp",
    "http2-settings",
];

/// What is wrong with a header of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// No name of a header.
    #[error("its name has characters that no header's name has")]
    Name,
    /// A header that is ours to set.
    #[error("it is set by the connection or by us")]
    Ours,
    /// Control characters.
    #[error("its value has control characters")]
    Value,
    /// Longer than [`HOOK_HEADER_BYTES`].
    #[error("it is longer than {HOOK_HEADER_BYTES} bytes")]
    TooLong,
}

/// What is wrong with a header, if something is.
#[must_use]
pub fn header_problem(name: &str, value: &str) -> Option<HeaderProblem> {
    if name.len() + value.len() > HOOK_HEADER_BYTES {
        return Some(HeaderProblem::TooLong);
    }
    match HeaderName::from_bytes(name.as_bytes()) {
        Err(_) => Some(HeaderProblem::Name),
        Ok(name) if OURS.contains(&name.as_str()) => Some(HeaderProblem::Ours),
        Ok(_) => HeaderValue::from_str(value).is_err().then_some(HeaderProblem::Value),
    }
}
