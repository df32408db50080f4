//! Errors and their status codes: one shape for all, `{"error": {"code", "message", "mend"?}, "problems"?}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use dunlin_aws::Kind;
use dunlin_aws::batch::places;
use dunlin_core::campaign;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// Seconds after which a request may be tried again: longer than a passing fault.
const RETRY_SECONDS: &str = "5";

/// What a handler answers.
pub(crate) type Answer<T> = Result<Json<T>, Failure>;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refused {
    /// What went wrong.
    error: Error,
    /// What is wrong with a campaign or a migration, all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Error {
    /// A word for programs: `not_found`, `conflict`, ….
    code: &'static str,
    /// A sentence for people.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// One thing that is wrong with a campaign, or with what is asked of its runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `error` (the campaign is refused) or `warning`.
    severity: &'static str,
    /// The file, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line of the file, from 1, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// Where: a path like `steps[2].wait`; empty for the campaign as a whole.
    path: String,
    /// What is wrong.
    what: String,
    /// How to mend it.
    mend: String,
}

impl From<campaign::Problem> for Problem {
    fn from(problem: campaign::Problem) -> Self {
        let severity = if problem.is_error() { "error" } else { "warning" };
        let campaign::Problem { file, line, path, what, mend, .. } = problem;
        Self { severity, file, line, path, what, mend }
    }
}

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    body: Refused,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>, mend: &str) -> Self {
        let mend = Some(mend.to_owned()).filter(|mend| !mend.is_empty());
        Self { status, body: Refused { error: Error { code, message: message.into(), mend }, problems: Vec::new() } }
    }

    /// 400: the request does not read.
    pub(crate) fn request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message, "compare it with /manage/v1/openapi.json")
    }

    /// 401, the same for every reason.
    pub(crate) fn key() -> Self {
        let mend = "send `Authorization: Bearer` and the admin key";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "the admin key is missing or wrong", mend)
    }

    /// 404: there is no such `what`.
    pub(crate) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"), "")
    }

    /// 409: it is there already, or not in the state for this.
    pub(crate) fn conflict(message: &str, mend: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message, mend)
    }

    /// 413.
    pub(crate) fn large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "send less")
    }

    /// 422: a campaign is refused, for all of these problems.
    pub(crate) fn problems(problems: Vec<Problem>) -> Self {
        let message = "the campaign is refused; the published version stays";
        Self::refused("campaign_refused", message, problems)
    }

    /// 422: no run is moved, for all of these problems.
    pub(crate) fn unmoved(problems: Vec<Problem>) -> Self {
        Self::refused("migration_refused", "no run is moved", problems)
    }

    fn refused(code: &'static str, message: &str, problems: Vec<Problem>) -> Self {
        let mut failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message, "mend the problems");
        failure.body.problems = problems;
        failure
    }
}

impl From<dunlin_aws::Error> for Failure {
    fn from(error: dunlin_aws::Error) -> Self {
        let (status, code, message, mend) = match error.kind {
            Kind::NotFound => (StatusCode::NOT_FOUND, "not_found", "it is not there", ""),
            Kind::Conflict => {
                (StatusCode::CONFLICT, "conflict", "somebody else changed it at once", "load it and try again")
            }
            Kind::Throttled => {
                (StatusCode::TOO_MANY_REQUESTS, "throttled", "too many requests at once", "try again later")
            }
            Kind::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "no answer came in time; it may have been done",
                "look, and try again",
            ),
            Kind::Invalid | Kind::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "this is our fault", "see the log")
            }
        };
        if status.is_server_error() {
            tracing::error!(error = places(&error), status = status.as_u16(), "not done");
        }
        Self::new(status, code, message, mend)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// 404 of a path that is none of ours.
pub(crate) fn path() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "unknown_path", "unknown path", "see /manage/v1/openapi.json")
}

/// 405 of a path that takes other methods.
pub(crate) fn method() -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "unknown_method",
        "this path takes other methods",
        "see the header `Allow`",
    )
}

/// The errors of every operation, for the document.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents")]
pub(crate) enum Failures {
    /// The request does not read.
    #[response(status = 400)]
    Request(Refused),
    /// The admin key is missing or wrong.
    #[response(status = 401)]
    Key(Refused),
    /// What the path names is not there.
    #[response(status = 404)]
    Missing(Refused),
    /// It is there already, or somebody else changed it at once.
    #[response(status = 409)]
    Conflict(Refused),
    /// Too many requests at once; `Retry-After` says when.
    #[response(status = 429)]
    Throttled(Refused),
    /// Our fault.
    #[response(status = 500)]
    Internal(Refused),
    /// AWS did not answer; `Retry-After` says when to try again.
    #[response(status = 503)]
    Unavailable(Refused),
}
