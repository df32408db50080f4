//! HTTP answers in the shapes that AWS's protocols use.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// An answer of a service.
pub(crate) type Reply = Response<Bytes>;

/// A refusal, before a protocol gives it its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status code.
    pub(crate) status: u16,
    /// The error's name as the service's model has it (`QueueDoesNotExist`).
    pub(crate) code: &'static str,
    /// The text for people.
    pub(crate) message: String,
}

impl Refusal {
    /// A refusal that is the caller's fault (HTTP 400).
    pub(crate) fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// A refusal with its own status code.
    pub(crate) fn with_status(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A failure of the service itself (HTTP 500).
    pub(crate) fn internal(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 500, code, message: message.into() }
    }
}

/// An answer with a body of one media type.
pub(crate) fn with_body(status: u16, media_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}

/// A JSON answer of the AWS JSON 1.0 protocol.
pub(crate) fn json(status: u16, body: &Value) -> Reply {
    with_body(status, "application/x-amz-json-1.0", body.to_string())
}

/// A REST-JSON answer (SES).
pub(crate) fn rest_json(status: u16, body: &Value) -> Reply {
    with_body(status, "application/json", body.to_string())
}

/// A refusal as the AWS JSON 1.0 protocol writes it, with the service's namespace before the name.
pub(crate) fn json_refusal(namespace: &str, refusal: &Refusal) -> Reply {
    let name = format!("{namespace}#{}", refusal.code);
    json(refusal.status, &json!({ "__type": name, "message": refusal.message }))
}

/// A refusal as the REST-JSON protocol writes it: the name is in `x-amzn-errortype`.
pub(crate) fn rest_json_refusal(refusal: &Refusal) -> Reply {
    let mut reply = rest_json(refusal.status, &json!({ "message": refusal.message }));
    set_header(&mut reply, "x-amzn-errortype", refusal.code);
    reply
}

/// Sets a header; a value that HTTP does not allow is left out.
pub(crate) fn set_header(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}
