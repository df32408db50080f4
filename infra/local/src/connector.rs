//! The SDK's HTTP client without sockets: each request goes to the cloud in this process.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;

use crate::cloud::Cloud;
use crate::error::Broken;

/// Hands the SDK's requests to a cloud.
#[derive(Clone, Debug)]
pub(crate) struct InProcess(pub(crate) Cloud);

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(Box::new(error)))?;
            let (parts, body) = request.into_parts();
            let body = match body.bytes() {
                Some(bytes) => Bytes::copy_from_slice(bytes),
                None => body.collect().await.map_err(ConnectorError::user)?.to_bytes(),
            };
            let answer = cloud.answer(http::Request::from_parts(parts, body)).await.map_err(broken)?;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|error| ConnectorError::user(Box::new(error)))
        })
    }
}

fn broken(broken: Broken) -> ConnectorError {
    match broken {
        Broken::Unreachable => ConnectorError::io(Box::new(broken)),
        Broken::TimedOut => ConnectorError::timeout(Box::new(broken)),
    }
}
