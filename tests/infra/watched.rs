//! Watches what each function asks of AWS, as IAM names it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use http::Request;
use serde_json::Value;

/// What the JSON protocols name the operation in.
const TARGET: &str = "x-amz-target";

/// One right that a function used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    /// The function's stem.
    pub(crate) function: String,
    /// The action, as in `dynamodb:GetItem`.
    pub(crate) action: String,
    /// What it was done to: a table's, queue's or configuration set's name, `bucket` or `bucket/prefix/`.
    pub(crate) resource: String,
}

/// Everything that was used so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<BTreeSet<Use>>>);

impl Log {
    /// An HTTP client for one function that writes down what it asks for.
    pub(crate) fn watch(&self, function: &str, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Watched { function: function.to_owned(), log: self.clone(), inner })
    }

    /// Writes down the rights that a function's request takes.
    pub(crate) fn note(&self, function: &str, request: &Request<Bytes>) {
        let uses = rights(request).into_iter().map(|(action, resource)| Use {
            function: function.to_owned(),
            action,
            resource,
        });
        self.0.lock().expect("the log").extend(uses);
    }

    /// What was used.
    pub(crate) fn uses(&self) -> BTreeSet<Use> {
        self.0.lock().expect("the log").clone()
    }
}

#[derive(Clone, Debug)]
struct Watched {
    function: String,
    log: Log,
    inner: SharedHttpClient,
}

impl HttpClient for Watched {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(WatchedConnector { watched: self.clone(), connector })
    }
}

#[derive(Clone, Debug)]
struct WatchedConnector {
    watched: Watched,
    connector: SharedHttpConnector,
}

impl HttpConnector for WatchedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.watched.log.note(&self.watched.function, &plain(&request));
        self.connector.call(request)
    }
}

/// The SDK's request as it is seen at the gate.
fn plain(request: &HttpRequest) -> Request<Bytes> {
    let mut plain = Request::builder().method(request.method()).uri(request.uri());
    if let Some(target) = request.headers().get(TARGET) {
        plain = plain.header(TARGET, target);
    }
    let body = request.body().bytes().unwrap_or_default();
    plain.body(Bytes::copy_from_slice(body)).expect("a request")
}

/// The rights that IAM asks for before it lets a request through (Service Authorization Reference).
fn rights(request: &Request<Bytes>) -> Vec<(String, String)> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let target = request.headers().get(TARGET).and_then(|target| target.to_str().ok()?.split_once('.'));
    match target {
        Some(("AmazonSQS", operation)) => vec![queue(operation, &body)],
        Some((_, operation)) => tables(operation, &body),
        None if request.uri().path().contains("/v2/email/") => {
            let set = body["ConfigurationSetName"].as_str().unwrap_or_default().to_owned();
            // SES's API v2 asks for both when the content is raw.
            ["ses:SendEmail", "ses:SendRawEmail"].map(|action| (action.to_owned(), set.clone())).into()
        }
        None => vec![object(request)],
    }
}

fn queue(operation: &str, body: &Value) -> (String, String) {
    let name = body["QueueUrl"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    // Batches have no right of their own.
    (format!("sqs:{}", operation.trim_end_matches("Batch")), name.to_owned())
}

fn tables(operation: &str, body: &Value) -> Vec<(String, String)> {
    let right = |operation: &str, table: &str| (format!("dynamodb:{operation}"), table.to_owned());
    let name = |one: &Value| one["TableName"].as_str().unwrap_or_default().to_owned();
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(table, _)| right(operation, table)).collect()
        }
        "TransactWriteItems" => body["TransactItems"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_object()?.iter().next())
            .map(|(kind, one)| match kind.as_str() {
                "ConditionCheck" => right("ConditionCheckItem", &name(one)),
                kind => right(&format!("{kind}Item"), &name(one)),
            })
            .collect(),
        _ => vec![right(operation, &name(body))],
    }
}

fn object(request: &Request<Bytes>) -> (String, String) {
    let key = request.uri().path().trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    match (request.method().as_str(), key.split_once('/')) {
        ("GET", None) => ("s3:ListBucket".to_owned(), "bucket".to_owned()),
        (method, prefix) => {
            let operation = format!("{}{}Object", &method[..1], method[1..].to_lowercase());
            (format!("s3:{operation}"), format!("bucket/{}/", prefix.map_or(key, |(prefix, _)| prefix)))
        }
    }
}
