use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::*;
use crate::{Chance, Clients, Clock};

/// SQS and S3 in memory; the body of a message says how it fares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) requests: Vec<Vec<String>>,
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    attempts: HashMap<String, usize>,
    busy: BTreeSet<String>,
    most: usize,
    under_way: usize,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            let body = request.body().bytes().unwrap_or_default().to_vec();
            let (status, answer) = if request.headers().get("x-amz-target").is_some() {
                wire.sqs(&serde_json::from_slice(&body).expect("JSON")).await
            } else {
                wire.s3(request.method(), request.uri(), body)
            };
            Ok(HttpResponse::new(status.try_into().expect("a status"), answer.into()))
        })
    }
}

impl Wire {
    pub(crate) fn clients(&self) -> Clients {
        let connector = SharedHttpConnector::new(self.clone());
        let http = SharedHttpClient::new(http_client_fn(move |_: &HttpConnectorSettings, _| connector.clone()));
        Clients::in_process(http, Clock::System, Chance::seeded(1))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }

    async fn sqs(&self, request: &Value) -> (u16, String) {
        let texts = |name: &str| -> Vec<String> {
            let entries = request["Entries"].as_array().into_iter().flatten();
            entries.map(|entry| entry[name].as_str().expect("text").to_owned()).collect()
        };
        let (bodies, groups) = (texts("MessageBody"), BTreeSet::from_iter(texts("MessageGroupId")));
        {
            let mut state = self.state();
            assert!(bodies.len() <= SQS_BATCH && bodies.iter().map(String::len).sum::<usize>() <= SQS_BYTES);
            for group in &groups {
                assert!(state.busy.insert(group.clone()), "two requests of one group at once");
            }
            state.under_way += 1;
            state.most = state.most.max(state.under_way);
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let mut state = self.state();
        state.under_way -= 1;
        state.busy.retain(|group| !groups.contains(group));
        if bodies.iter().any(|body| body == "outage") {
            return (500, r#"{"__type":"InternalFailure"}"#.into());
        }
        let (mut successful, mut failed, mut arrived) = (Vec::new(), Vec::new(), Vec::new());
        for (id, body) in texts("Id").into_iter().zip(bodies) {
            let attempt = state.attempts.entry(body.clone()).or_default();
            *attempt += 1;
            match body.as_str() {
                "fails once" if *attempt == 1 => {
                    failed.push(json!({"Id": id, "SenderFault": false, "Code": "InternalError"}))
                }
                "fails" => failed.push(json!({"Id": id, "SenderFault": false, "Code": "ThrottlingException"})),
                "invalid" => failed.push(json!({"Id": id, "SenderFault": true, "Code": "InvalidMessageContents"})),
                "forgotten" => {}
                _ => {
                    successful.push(json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "x"}));
                    arrived.push(body);
                }
            }
        }
        state.requests.push(arrived);
        (200, json!({"Successful": successful, "Failed": failed}).to_string())
    }

    fn s3(&self, method: &str, uri: &str, body: Vec<u8>) -> (u16, String) {
        let path =
            uri.split_once("/store").map(|(_, rest)| rest.split('?').next().unwrap_or_default()).expect("our bucket");
        let key = path.trim_start_matches('/').to_owned();
        let objects = &mut self.state().objects;
        match method {
            "PUT" => drop(objects.insert(key, body)),
            "DELETE" => drop(objects.remove(&key)),
            _ if key.is_empty() => {
                let keys: String = objects.keys().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
                return (200, format!("<ListBucketResult>{keys}</ListBucketResult>"));
            }
            _ => {
                return match objects.get(&key) {
                    Some(body) => (200, String::from_utf8(body.clone()).expect("text")),
                    None => (404, "<Error><Code>NoSuchKey</Code></Error>".into()),
                };
            }
        }
        (200, String::new())
    }
}

pub(crate) fn queue(wire: &Wire) -> Queue {
    Queue::new(wire.clients().sqs, "http://aws.local/000000000000/events.fifo".into())
}

pub(crate) fn message(group: &str, body: &str) -> Outgoing {
    Outgoing { group: group.into(), dedup: body.into(), body: body.into() }
}

#[tokio::test]
async fn a_crowd_shares_requests_and_nobody_waits_for_company() {
    let wire = Wire::default();
    let queue = queue(&wire);
    assert!(queue.put(vec![message("alone", "alone")]).await.is_ok());
    assert_eq!(wire.state().requests.len(), 1);
    let all = (0..1_000).map(|n| {
        let queue = queue.clone();
        tokio::spawn(async move { queue.put(vec![message(&n.to_string(), &n.to_string())]).await })
    });
    for put in all.collect::<Vec<_>>() {
        assert!(put.await.expect("no panic").is_ok());
    }
    let state = wire.state();
    assert_eq!(state.requests.iter().flatten().collect::<BTreeSet<_>>().len(), 1_001);
    assert!(state.requests.len() <= 1 + 100 + EAGER, "{} requests", state.requests.len());
    assert!(state.most <= FLIGHTS);
    assert!(queue.0.waiting().lines.is_empty() && queue.0.waiting().ready_entries == 0, "nothing is left behind");
}

#[tokio::test]
async fn the_messages_of_one_group_arrive_in_their_order() {
    let wire = Wire::default();
    let queue = queue(&wire);
    let messages = |group: &str| (0..95).map(|n| message(group, &format!("{group}{n:03}"))).collect::<Vec<_>>();
    let (one, two, more) = tokio::join!(queue.put(messages("a")), queue.put(messages("b")), queue.put(messages("b")));
    assert!(one.is_ok() && two.is_ok() && more.is_ok());
    let arrived: Vec<String> =
        wire.state().requests.iter().flatten().filter(|body| body.starts_with('a')).cloned().collect();
    assert_eq!(arrived, messages("a").into_iter().map(|message| message.body).collect::<Vec<_>>());
    assert_eq!(wire.state().requests.iter().flatten().count(), 3 * 95);
}

#[tokio::test]
async fn an_entry_that_fails_alone_is_tried_once_more_and_then_reported() {
    let wire = Wire::default();
    let bodies = ["a", "fails once", "fails", "invalid", "forgotten", "b"];
    let unsent =
        queue(&wire).put(bodies.iter().map(|body| message(body, body)).collect()).await.expect_err("some fail");
    let mut reasons: Vec<_> =
        unsent.messages.iter().map(|(message, error)| (message.body.as_str(), error.kind)).collect();
    reasons.sort_by_key(|(body, _)| *body);
    assert_eq!(reasons, [("fails", Kind::Throttled), ("forgotten", Kind::Unavailable), ("invalid", Kind::Invalid)]);
    assert_eq!(wire.state().requests, [vec!["a".to_owned(), "b".into()], vec!["fails once".into()]]);
    assert_eq!(wire.state().attempts["invalid"], 1, "the sender's fault is not repeated");
    assert_eq!(wire.state().attempts["fails"], 2);
}

#[tokio::test]
async fn a_request_that_fails_as_a_whole_gives_every_message_back() {
    let wire = Wire::default();
    let queue = queue(&wire);
    let unsent = queue.put(vec![message("a", "outage"), message("b", "x")]).await.expect_err("an outage");
    assert_eq!(unsent.messages.len(), 2);
    assert!(unsent.messages.iter().all(|(_, error)| error.kind == Kind::Unavailable && error.source.is_some()));
    assert!(queue.put(vec![message("a", "later")]).await.is_ok(), "its group is free again");
}

#[tokio::test]
async fn requests_stay_within_the_bytes_that_sqs_takes() {
    let wire = Wire::default();
    let messages: Vec<Outgoing> =
        (0..12).map(|n| message(&(n % 5).to_string(), &format!("{n}{}", "x".repeat(300_000)))).collect();
    assert!(queue(&wire).put(messages).await.is_ok());
    assert_eq!(wire.state().requests.iter().flatten().count(), 12);
}

#[tokio::test]
async fn what_was_begun_goes_on_when_the_caller_leaves() {
    let wire = Wire::default();
    let queue = queue(&wire);
    let caller = tokio::spawn({
        let queue = queue.clone();
        async move { queue.put(vec![message("a", "left alone")]).await }
    });
    tokio::task::yield_now().await;
    caller.abort();
    assert!(queue.put(vec![message("a", "next")]).await.is_ok());
    assert_eq!(wire.state().requests.concat(), ["left alone", "next"]);
}
