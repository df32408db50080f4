//! Which service and operation a request is for, and how that service refuses at its door.

use axum::body::Body;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http::{Request, StatusCode};

use crate::cloud::Cloud;
use crate::faults::{Strike, Touched};
use crate::meter::Service;
use crate::reply::{self, Refusal, Reply};
use crate::s3::{self, Asked};
use crate::{dynamodb, ses, sqs};

/// Largest request over a port, in bytes: SES's 40 MB in base64 are the largest of all.
const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    DynamoDb { operation: String },
    Sqs { operation: String, service: Service },
    Ses { operation: &'static str, name: String },
    S3(Asked),
}

impl Call {
    /// Tells by `X-Amz-Target`, then by the path.
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        match target.and_then(|target| target.split_once('.')) {
            Some(("AmazonSQS", operation)) => {
                let fifo = sqs::queue_of(request.body()).ends_with(".fifo");
                let service = if fifo { Service::SqsFifo } else { Service::SqsStandard };
                Self::Sqs { operation: operation.to_owned(), service }
            }
            Some((_, operation)) => Self::DynamoDb { operation: operation.to_owned() },
            None => match request.uri().path().strip_prefix("/v2/email/") {
                Some(path) => {
                    let (operation, name) = ses::asked(request.method(), path);
                    Self::Ses { operation, name: name.to_owned() }
                }
                None => Self::S3(s3::asked(request)),
            },
        }
    }

    pub(crate) fn service(&self) -> Service {
        match self {
            Self::DynamoDb { .. } => Service::DynamoDb,
            Self::Sqs { service, .. } => *service,
            Self::Ses { .. } => Service::Ses,
            Self::S3(_) => Service::S3,
        }
    }

    pub(crate) fn operation(&self) -> &str {
        match self {
            Self::DynamoDb { operation } | Self::Sqs { operation, .. } => operation,
            Self::Ses { operation, .. } => operation,
            Self::S3(asked) => asked.operation,
        }
    }

    /// The items of tables that the request touches.
    pub(crate) fn touched(&self, body: &[u8]) -> Vec<Touched> {
        if let Self::DynamoDb { .. } = self { dynamodb::touched(body) } else { Vec::new() }
    }

    /// Too many requests, in the service's words.
    pub(crate) fn throttle(&self, strike: &Strike, touched: &[Touched]) -> Reply {
        let text = "Rate exceeded";
        match self {
            Self::DynamoDb { operation } => dynamodb::throttle(operation, strike, touched),
            Self::Sqs { .. } => sqs::refuse(&Refusal::sender("RequestThrottled", text)),
            Self::Ses { .. } => {
                let text = "Maximum sending rate exceeded.";
                reply::rest_json_refusal(&Refusal::with_status(429, "TooManyRequestsException", text))
            }
            Self::S3(_) => s3::refuse(&Refusal::with_status(503, "SlowDown", "Please reduce your request rate.")),
        }
    }

    /// The service failed, and did nothing.
    pub(crate) fn server_error(&self) -> Reply {
        let text = "an injected fault";
        match self {
            Self::DynamoDb { .. } => dynamodb::refuse(&Refusal::internal("InternalServerError", text)),
            Self::Sqs { .. } => sqs::refuse(&Refusal::internal("InternalFailure", text)),
            Self::Ses { .. } => reply::rest_json_refusal(&Refusal::internal("InternalServiceErrorException", text)),
            Self::S3(_) => s3::refuse(&Refusal::internal("InternalError", text)),
        }
    }
}

/// Every request of a port to the cloud.
pub(crate) fn router(cloud: Cloud) -> axum::Router {
    axum::Router::new().fallback(move |request: Request<Body>| {
        let cloud = cloud.clone();
        async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await else {
                return StatusCode::PAYLOAD_TOO_LARGE.into_response();
            };
            match cloud.answer(Request::from_parts(parts, body)).await {
                Ok(answer) => answer.map(Body::from),
                // A broken connection cannot be made here; a gateway that finds nobody is nearest.
                Err(broken) => (StatusCode::BAD_GATEWAY, broken.to_string()).into_response(),
            }
        }
    })
}
