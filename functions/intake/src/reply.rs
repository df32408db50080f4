//! The answers of both APIs: their shapes, and what lets a browser read them.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ALLOW, CONTENT_TYPE, RETRY_AFTER,
};
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// Seconds after which a client may try again: longer than a passing fault, shorter than a client's patience.
const RETRY_SECONDS: &str = "5";
/// Seconds for which a browser keeps a preflight's answer: a day, which is what browsers allow at most.
const PREFLIGHT_SECONDS: &str = "86400";

/// Whose shape an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Track,
    Segment,
}

/// A call that is not taken, and how its sender can mend it. Never holds what the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Which field it is about, where one of ours is.
    pub(crate) field: Option<&'static str>,
    allow: Option<&'static str>,
}

/// Fields of the APIs: names that a log may show. Other names are the client's own.
const OURS: [&str; 22] = [
    "add",
    "batch",
    "changes",
    "channels",
    "content-encoding",
    "data",
    "email",
    "event",
    "event_name",
    "extras",
    "extras.created_at",
    "id",
    "identity",
    "identity.email",
    "identity.id",
    "messageId",
    "new_id",
    "previousId",
    "properties",
    "remove",
    "traits",
    "userId",
];

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), field: None, allow: None }
    }

    /// 400: a field is missing or wrong; `why` says how to mend it.
    pub(crate) fn field(name: &str, why: &str) -> Self {
        let field = OURS.into_iter().find(|ours| *ours == name);
        Self { field, ..Self::new(StatusCode::BAD_REQUEST, format!("`{name}` {why}")) }
    }

    /// 400: the body as a whole is wrong.
    pub(crate) fn body(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// 401, the same for every reason: a client need not learn which part of a token is wrong.
    pub(crate) fn credential(field: &str) -> Self {
        let message = format!("`{field}` is missing, wrong or revoked: use a token of this project");
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 404.
    pub(crate) fn path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown path: see the list of endpoints under /api/v2 and /v1")
    }

    /// 405, with the methods that the path has.
    pub(crate) fn method(allow: &'static str) -> Self {
        let message = format!("this path takes {allow}");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// 413.
    pub(crate) fn large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// 429: the project is over its hard quota.
    pub(crate) fn quota() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "this project sends too many calls: send this again later")
    }

    /// 503: neither the queue nor the spill took the call.
    pub(crate) fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the call is not stored: send it again")
    }

    /// 500: a fault of ours that sending again does not mend.
    pub(crate) fn fault() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the call cannot be stored: this is our fault")
    }

    /// The answer. Segment knows no 413: an oversize body is its 400.
    pub(crate) fn answer(&self, api: Api) -> Response {
        let status = match (api, self.status) {
            (Api::Segment, StatusCode::PAYLOAD_TOO_LARGE) => StatusCode::BAD_REQUEST,
            (_, status) => status,
        };
        let body = match api {
            Api::Track => json!({ "status": status.as_u16(), "message": self.message }),
            Api::Segment => json!({ "success": false, "status": status.as_u16(), "message": self.message }),
        };
        let mut response = json_response(status, Body::from(body.to_string()));
        if let Some(allow) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        response
    }
}

/// 200: what the call asks for is stored.
pub(crate) fn success(api: Api) -> Response {
    let body = match api {
        Api::Track => r#"{"status":200,"message":"Success."}"#,
        Api::Segment => r#"{"success":true}"#,
    };
    json_response(StatusCode::OK, Body::from(body))
}

/// The answer without its body, as `HEAD` wants it.
pub(crate) fn head_only(response: Response) -> Response {
    response.map(|_| Body::empty())
}

/// The answer to a browser that asks whether it may call.
pub(crate) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"));
    let names = HeaderValue::from_static("content-type, content-encoding, authorization");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
    response
}

fn json_response(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
