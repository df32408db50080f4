//! The SDK's HTTP client without sockets: each request is answered in this process.

use std::io::{Error, ErrorKind};
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt as _;

use crate::error::Broken;

/// Who answers the SDK's requests: the cloud, or a gate on the way to it.
pub trait Answer: std::fmt::Debug + Send + Sync + 'static {
    /// Answers one request, or breaks the connection.
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Broken>>;
}

/// An HTTP client for the SDK whose requests `answer` answers.
#[must_use]
pub fn http_client(answer: impl Answer) -> SharedHttpClient {
    SharedHttpClient::new(InProcess(Arc::new(answer)))
}

/// The way to receivers on the web whose requests `answer` answers (`dunlin_aws::web::Way::InProcess`).
#[must_use]
pub fn connector(answer: impl Answer) -> SharedHttpConnector {
    SharedHttpConnector::new(InProcess(Arc::new(answer)))
}

#[derive(Clone, Debug)]
struct InProcess(Arc<dyn Answer>);

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answers = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(Box::new(error)))?;
            let (parts, body) = request.into_parts();
            let body = match body.bytes() {
                Some(bytes) => Bytes::copy_from_slice(bytes),
                None => body.collect().await.map_err(ConnectorError::user)?.to_bytes(),
            };
            let answer = answers.answer(Request::from_parts(parts, body)).await.map_err(broken)?;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|error| ConnectorError::user(Box::new(error)))
        })
    }
}

fn broken(broken: Broken) -> ConnectorError {
    match broken {
        Broken::Unreachable => ConnectorError::io(Box::new(Error::new(ErrorKind::ConnectionRefused, broken))),
        Broken::Reset => ConnectorError::io(Box::new(Error::new(ErrorKind::ConnectionReset, broken))),
        Broken::TimedOut => ConnectorError::timeout(Box::new(broken)),
    }
}
