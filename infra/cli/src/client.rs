//! A small HTTP client for the front door: HTTP/1.1, TLS by the system's roots, bounded in time and size.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Time for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer at most: ten thousand campaigns in a list.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Where to, and with which key.
pub(crate) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    authorization: HeaderValue,
}

/// What came back.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Client {
    /// A client for the dunlin at `url`.
    pub(crate) fn new(url: &str, admin_key: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let scheme = url.parse::<Uri>().ok().and_then(|uri| uri.scheme_str().map(str::to_owned));
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            bail!("`{url}` is no address of a server: write it like https://mail.example.com");
        }
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .context("cannot read the system's root certificates")?
            .https_or_http()
            .enable_http1()
            .build();
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {admin_key}")).context("the admin key has odd characters")?;
        authorization.set_sensitive(true);
        Ok(Self { http: legacy::Client::builder(TokioExecutor::new()).build(connector), url, authorization })
    }

    /// Sends one request.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let unreached = || format!("cannot reach {}: is dunlin running there?", self.url);
        let answered = async {
            let answer = self.http.request(request).await.with_context(unreached)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
            Ok(Answer { status, body: body.to_bytes() })
        };
        tokio::time::timeout(TIMEOUT, answered).await.with_context(unreached)?
    }
}

/// Whether a URL is of this machine: only there the local key may go.
pub(crate) fn is_local(url: &str) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_key_goes_to_this_machine_only() {
        for url in ["http://localhost:9000", "http://127.0.0.1:1", "http://[::1]:9000/"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["https://mail.example.com", "http://localhost.example.com", "http://10.0.0.1", "nonsense//", ""] {
            assert!(!is_local(url), "{url}");
        }
    }
}
