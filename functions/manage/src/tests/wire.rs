//! DynamoDB and SQS as the SDK's HTTP client sees them: as much of them as this room uses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// Answers from memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<(String, String, String), Value>,
    queued: BTreeMap<String, Vec<Value>>,
    tables_fail: bool,
    queues_fail: bool,
}

impl Wire {
    pub(super) fn http(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        SharedHttpClient::new(http_client_fn(move |_: &HttpConnectorSettings, _| connector.clone()))
    }

    /// From now on nothing works.
    pub(super) fn fail(&self) {
        self.0.lock().expect("no panic").tables_fail = true;
        self.fail_queues();
    }

    /// From now on the queues take nothing.
    pub(super) fn fail_queues(&self) {
        self.0.lock().expect("no panic").queues_fail = true;
    }

    pub(super) fn queued(&self, queue: &str) -> Vec<Value> {
        self.0.lock().expect("no panic").queued.get(queue).cloned().unwrap_or_default()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = serde_json::from_slice(request.body().bytes().expect("in memory")).expect("JSON");
        let target = request.headers().get("x-amz-target").expect("a target").to_owned();
        let mut state = self.0.lock().expect("no panic");
        let (status, answer) = match target.split_once('.').expect("an operation") {
            ("AmazonSQS", _) if state.queues_fail => (500, json!({"__type": "InternalFailure"})),
            ("AmazonSQS", _) => state.queue(&body),
            (_, _) if state.tables_fail => (500, json!({"__type": "InternalServerError"})),
            (_, operation) => state.table(operation, &body),
        };
        let answer = answer.to_string().into_bytes();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().expect("a status"), answer.into())))
    }
}

impl State {
    fn queue(&mut self, request: &Value) -> (u16, Value) {
        let queue = request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).expect("a queue").to_owned();
        let entries = request["Entries"].as_array().expect("entries").clone();
        let taken: Vec<Value> =
            entries.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "x"})).collect();
        self.queued.entry(queue).or_default().extend(entries);
        (200, json!({"Successful": taken, "Failed": []}))
    }

    fn table(&mut self, operation: &str, request: &Value) -> (u16, Value) {
        let table = request["TableName"].as_str().expect("a table").to_owned();
        let text = |value: &Value| value["S"].as_str().unwrap_or_default().to_owned();
        let key = |item: &Value| (table.clone(), text(&item["pk"]), text(&item["sk"]));
        match operation {
            "GetItem" => match self.items.get(&key(&request["Key"])) {
                Some(item) => (200, json!({"Item": item})),
                None => (200, json!({})),
            },
            "PutItem" => {
                let there = self.items.get(&key(&request["Item"]));
                let holds = match request["ConditionExpression"].as_str() {
                    None => true,
                    Some("attribute_not_exists(pk)") => there.is_none(),
                    Some(_) => there.is_some_and(|item| item["v"] == request["ExpressionAttributeValues"][":seen"]),
                };
                if !holds {
                    return (
                        400,
                        json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}),
                    );
                }
                self.items.insert(key(&request["Item"]), request["Item"].clone());
                (200, json!({}))
            }
            "DeleteItem" => {
                self.items.remove(&key(&request["Key"]));
                (200, json!({}))
            }
            "Query" => {
                let values = &request["ExpressionAttributeValues"];
                // A listing of everything is one from a space on, which no key begins with.
                let (pk, prefix) = (text(&values[":pk"]), text(&values[":sk"]).trim().to_owned());
                let (first, last) = (text(&values[":first"]), text(&values[":last"]));
                let behind = text(&request["ExclusiveStartKey"]["sk"]);
                let in_it = |(at, _): &(&(String, String, String), &Value)| {
                    let within = last.is_empty() || (first <= at.2 && at.2 <= last && behind < at.2);
                    at.0 == table && at.1 == pk && at.2.starts_with(&prefix) && within
                };
                let mut found: Vec<&Value> = self.items.iter().filter(in_it).map(|(_, item)| item).collect();
                if request["ScanIndexForward"] == false {
                    found.reverse();
                }
                found.truncate(request["Limit"].as_u64().and_then(|limit| limit.try_into().ok()).unwrap_or(usize::MAX));
                (200, json!({"Items": found, "Count": found.len()}))
            }
            other => panic!("{other} is not answered here"),
        }
    }
}
