//! Functions that another process runs, behind Lambda's Invoke API: those of `cargo lambda watch`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Function;

/// Bytes of an answer at most: Lambda's own bound for a synchronous invocation is 6 MB.
const ANSWER_BYTES: usize = 6 * 1024 * 1024;
/// How often is looked whether somebody listens.
const AGAIN: Duration = Duration::from_secs(1);
/// What a function is called: its binary's name is this and its own.
const BINARY: &str = "dunlin-";

/// Where functions are invoked; clones are the same.
#[derive(Clone)]
pub struct Lambda {
    shared: Arc<Shared>,
}

struct Shared {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    url: String,
    authority: String,
    /// Whether the developer was told that nobody listens.
    is_alone: AtomicBool,
    /// Rings when a function has answered.
    answered: [watch::Sender<()>; Function::ALL.len()],
}

impl std::fmt::Debug for Lambda {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Lambda").field("url", &self.shared.url).finish_non_exhaustive()
    }
}

/// Why an invocation brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum Uninvoked {
    /// The URL is not one of a server without TLS.
    #[error("`{0}` is no address of functions: write it like http://localhost:9000")]
    BadUrl(String),
    /// Nobody took the invocation, or nobody answered it.
    #[error("no answer to the invocation: {0}")]
    Unanswered(String),
    /// The function failed, or answered what no function answers.
    #[error("the function failed: {0}")]
    Failed(String),
}

impl Lambda {
    /// The functions behind `url`: `http://localhost:9000`.
    ///
    /// # Errors
    ///
    /// [`Uninvoked::BadUrl`].
    pub fn at(url: &str) -> Result<Self, Uninvoked> {
        let url = url.trim_end_matches('/');
        let bad = || Uninvoked::BadUrl(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(bad)?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        let shared = Shared {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            url: url.to_owned(),
            authority,
            is_alone: AtomicBool::new(false),
            answered: std::array::from_fn(|_| watch::Sender::new(())),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Resolves when somebody listens; says once that nobody does.
    pub(super) async fn listening(&self) {
        let Shared { authority, url, is_alone, .. } = &*self.shared;
        while TcpStream::connect(authority).await.is_err() {
            if !is_alone.swap(true, Ordering::Relaxed) {
                tracing::warn!("nothing listens at {url}: start `cargo lambda watch`; messages wait in their queues");
            }
            tokio::time::sleep(AGAIN).await;
        }
        if is_alone.swap(false, Ordering::Relaxed) {
            tracing::info!("the functions at {url} are there");
        }
    }

    /// Hands a batch to a function. There is no time-out while it is compiled and waits for its turn; once the function
    /// has answered a later batch, this one is given up after `timeout`: its process ended in the middle of it.
    pub(super) async fn invoke(
        &self,
        function: Function,
        event: SqsEvent,
        timeout: Duration,
    ) -> Result<SqsBatchResponse, Uninvoked> {
        let ids: Vec<String> = event.records.iter().filter_map(|record| record.message_id.clone()).collect();
        let body = serde_json::to_vec(&event).map_err(|error| Uninvoked::Failed(error.to_string()))?;
        let Some(answered) = self.shared.answered.get(function as usize) else {
            return Err(Uninvoked::Failed("there is no such function".to_owned()));
        };
        let mut later = answered.subscribe();
        let overtaken = async {
            // It never ends early: the sender is ours.
            drop(later.changed().await);
            tokio::time::sleep(timeout).await;
        };
        let answer = tokio::select! {
            answer = self.post(function.name(), body) => answer?,
            () = overtaken => return Err(Uninvoked::Unanswered("its process ended meanwhile".to_owned())),
        };
        answered.send_replace(());
        response(&answer, &ids)
    }

    /// The minute's sweep, by the event of a schedule.
    pub(super) async fn sweep(&self, now: jiff::Timestamp) -> Result<(), Uninvoked> {
        let event = json!({
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000000",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": crate::ACCOUNT,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": crate::REGION,
            "resources": [],
            "detail": {},
        });
        let answer = self.post("sweep", event.to_string().into_bytes()).await?;
        parse(&answer).map(drop)
    }

    async fn post(&self, function: &str, body: Vec<u8>) -> Result<Bytes, Uninvoked> {
        let unanswered = |error: &dyn std::error::Error| Uninvoked::Unanswered(error.to_string());
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/2015-03-31/functions/{BINARY}{function}/invocations", self.shared.url))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unanswered(&error))?;
        let answer = self.shared.http.request(request).await.map_err(|error| unanswered(&error))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| Uninvoked::Unanswered(error.to_string()))?.to_bytes();
        checked(&Response::from_parts(parts, body))
    }
}

/// The body of an answer that is no failure by its status or its header.
fn checked(answer: &Response<Bytes>) -> Result<Bytes, Uninvoked> {
    let body = answer.body();
    if answer.status().is_success() && !answer.headers().contains_key("x-amz-function-error") {
        return Ok(body.clone());
    }
    let told: Option<Value> = serde_json::from_slice(body).ok();
    let word = |name: &str| told.as_ref().and_then(|told| told.get(name)?.as_str().map(str::to_owned));
    let reason = word("errorMessage").or_else(|| word("detail")).unwrap_or_default();
    Err(Uninvoked::Failed(format!("{}: {reason}", answer.status())))
}

/// What a function answers. `cargo lambda watch` answers a function that failed at its start with 200, so a failure is
/// also told by its members.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    batch_item_failures: Option<Vec<BatchItemFailure>>,
    error_type: Option<String>,
    error_message: Option<String>,
}

fn parse(body: &[u8]) -> Result<Answer, Uninvoked> {
    let answer = serde_json::from_slice::<Option<Answer>>(body);
    let answer = answer.map_err(|error| Uninvoked::Failed(format!("its answer is unknown: {error}")))?;
    let answer = answer.unwrap_or_default();
    match (&answer.error_type, &answer.error_message) {
        (None, None) => Ok(answer),
        (kind, message) => {
            let word = |word: &Option<String>| word.clone().unwrap_or_default();
            Err(Uninvoked::Failed(format!("{}: {}", word(kind), word(message))))
        }
    }
}

/// A partial batch response, by Lambda's rules: nothing, null and an empty list are success; a record that is not of
/// this batch fails the whole batch.
fn response(body: &[u8], ids: &[String]) -> Result<SqsBatchResponse, Uninvoked> {
    let failures = parse(body)?.batch_item_failures.unwrap_or_default();
    if let Some(stranger) = failures.iter().find(|failure| !ids.contains(&failure.item_identifier)) {
        return Err(Uninvoked::Failed(format!("it names a record `{}` of another batch", stranger.item_identifier)));
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures;
    Ok(response)
}

#[cfg(test)]
#[path = "lambda_tests.rs"]
mod tests;
