//! The events queue, from the side that fills it. Whoever calls at the same moment shares requests:
//! ten messages cost what one costs. Nobody waits for company: a lone message leaves at once, and what
//! arrives while requests are under way leaves together.
//!
//! Order: the messages of one group leave in the order in which they were put, and never in two requests
//! at the same time. Only a failure loosens that (what failed comes later, or from the spill).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use dunlin_core::limits::{SQS_BATCH, SQS_BYTES};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::error::{Error, Kind};

/// Requests under way while which a lone message still leaves at once. Beyond them only full requests
/// start, so that load makes requests fuller and not more numerous.
const EAGER: usize = 4;
/// Requests under way at most: 640 messages in 64 requests cover 100,000 messages/s at 6 ms each.
const FLIGHTS: usize = 64;
/// The operation, for errors.
const OPERATION: &str = "put calls";

/// A message on its way to the events queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// `MessageGroupId`: messages of one group stay in order.
    pub group: String,
    /// `MessageDeduplicationId`: the queue takes one of those that share it within five minutes.
    pub dedup: String,
    /// The text, in characters SQS takes (`dunlin_core::task::to_text`).
    pub body: String,
}

/// Messages that did not reach the queue, each with its reason; the others of the same `put` did.
#[derive(Debug, thiserror::Error)]
#[error("{} messages did not reach the events queue", messages.len())]
pub struct Unsent {
    /// What is left, in the order in which it failed.
    pub messages: Vec<(Outgoing, Error)>,
}

/// The events queue. Clones share one line.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sqs: aws_sdk_sqs::Client,
    url: String,
    waiting: Mutex<Waiting>,
}

impl Queue {
    /// The queue behind `url`, as `GetQueueUrl` or the function's settings name it.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, url: String) -> Self {
        Self(Arc::new(Shared { sqs, url, waiting: Mutex::default() }))
    }

    /// Puts messages in line, at once: those of one group leave in the order of the calls of this function. The future
    /// is ready when each is on the queue or has failed. What was begun goes on even if the caller stops waiting.
    ///
    /// # Errors
    /// The messages that did not arrive. The SDK has retried what a retry can mend.
    pub fn put(&self, messages: Vec<Outgoing>) -> impl Future<Output = Result<(), Unsent>> + use<> {
        let expected = messages.len();
        let (receipt, mut receipts) = unbounded_channel();
        {
            let mut waiting = self.0.waiting();
            for message in messages {
                waiting.add(Entry { message, receipt: receipt.clone() });
            }
        }
        drop(receipt);
        self.0.launch();
        async move {
            let (mut arrived, mut unsent) = (0, Vec::new());
            while let Some(receipt) = receipts.recv().await {
                arrived += 1;
                if let Err(failure) = receipt {
                    unsent.push(*failure);
                }
            }
            if arrived < expected {
                let lost = || Outgoing { group: String::new(), dedup: String::new(), body: String::new() };
                unsent.extend((arrived..expected).map(|_| (lost(), Error::bare(Kind::Invalid, OPERATION))));
            }
            if unsent.is_empty() { Ok(()) } else { Err(Unsent { messages: unsent }) }
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts every request that may start now.
    fn launch(self: &Arc<Self>) {
        loop {
            let Some(batch) = self.waiting().take() else { return };
            drop(tokio::spawn(Arc::clone(self).fly(batch)));
        }
    }

    async fn fly(self: Arc<Self>, batch: Vec<Entry>) {
        let groups = batch.iter().map(|entry| entry.message.group.clone()).collect();
        let _landing = Landing { shared: Arc::clone(&self), groups };
        let failed = self.send(batch).await;
        // SDK retries see whole requests only; one more pass is for entries that failed alone.
        let (again, for_ever): (Vec<_>, Vec<_>) = failed.into_iter().partition(|(_, failure)| failure.again);
        let again = again.into_iter().map(|(entry, _)| entry).collect::<Vec<_>>();
        let still = if again.is_empty() { Vec::new() } else { self.send(again).await };
        for (entry, failure) in for_ever.into_iter().chain(still) {
            entry.failed(failure.error);
        }
    }

    /// One request. Who arrived has heard of it; the others come back.
    async fn send(&self, batch: Vec<Entry>) -> Vec<(Entry, Failure)> {
        let entries =
            batch.iter().enumerate().map(|(n, entry)| entry.message.request(n)).collect::<Result<Vec<_>, _>>();
        let sent = match entries {
            Ok(entries) => {
                let request = self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
                request.send().await.map_err(Error::of(OPERATION))
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok(answer) => {
                let mut batch: Vec<Option<Entry>> = batch.into_iter().map(Some).collect();
                let mut take = |id: &str| id.parse().ok().and_then(|n: usize| batch.get_mut(n)).and_then(Option::take);
                for arrived in answer.successful() {
                    if let Some(entry) = take(arrived.id()) {
                        entry.arrived();
                    }
                }
                let mut failed: Vec<(Entry, Failure)> = Vec::new();
                for refused in answer.failed() {
                    failed.extend(take(refused.id()).map(|entry| (entry, Failure::of(refused))));
                }
                failed.extend(batch.into_iter().flatten().map(|entry| (entry, Failure::unmentioned())));
                failed
            }
            Err(error) => {
                let (kind, cause) = (error.kind, Arc::new(error));
                let failure = || Failure { error: Error::new(kind, OPERATION, Arc::clone(&cause)), again: false };
                batch.into_iter().map(|entry| (entry, failure())).collect()
            }
        }
    }
}

/// Lets the groups of a request leave again, however the request ended.
struct Landing {
    shared: Arc<Shared>,
    groups: Vec<String>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.shared.waiting().land(&self.groups);
        // Without a runtime the process is ending.
        if tokio::runtime::Handle::try_current().is_ok() {
            self.shared.launch();
        }
    }
}

impl Outgoing {
    fn request(&self, number: usize) -> Result<SendMessageBatchRequestEntry, Error> {
        SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_group_id(&self.group)
            .message_deduplication_id(&self.dedup)
            .message_body(&self.body)
            .build()
            .map_err(|error| Error::new(Kind::Invalid, OPERATION, error))
    }
}

/// Why one entry failed, and whether one more pass may mend it.
struct Failure {
    error: Error,
    again: bool,
}

impl Failure {
    /// Codes: SQS `BatchResultErrorEntry`. The sender's fault stays one, whoever repeats it.
    fn of(refused: &BatchResultErrorEntry) -> Self {
        let kind = match refused.code() {
            "InvalidMessageContents" | "InvalidParameterValue" | "MessageTooLong" => Kind::Invalid,
            "RequestThrottled" | "ThrottlingException" | "OverLimit" => Kind::Throttled,
            _ if refused.sender_fault() => Kind::Internal,
            _ => Kind::Unavailable,
        };
        Self { error: Error::new(kind, OPERATION, refused.code()), again: !refused.sender_fault() }
    }

    fn unmentioned() -> Self {
        Self { error: Error::bare(Kind::Unavailable, OPERATION), again: true }
    }
}

type Receipt = Result<(), Box<(Outgoing, Error)>>;

/// A message and who waits for it.
#[derive(Debug)]
struct Entry {
    message: Outgoing,
    receipt: UnboundedSender<Receipt>,
}

impl Entry {
    fn arrived(self) {
        // Nobody listens any more when the caller gave up: then nobody needs the receipt.
        drop(self.receipt.send(Ok(())));
    }

    fn failed(self, error: Error) {
        drop(self.receipt.send(Err(Box::new((self.message, error)))));
    }
}

/// What has not left yet: a line for each group, and the groups of which nothing is under way.
#[derive(Debug, Default)]
struct Waiting {
    lines: HashMap<String, Line>,
    ready: VecDeque<String>,
    ready_entries: usize,
    flights: usize,
}

#[derive(Debug, Default)]
struct Line {
    entries: VecDeque<Entry>,
    under_way: bool,
}

impl Waiting {
    fn add(&mut self, entry: Entry) {
        let line = self.lines.entry(entry.message.group.clone()).or_default();
        if !line.under_way {
            self.ready_entries += 1;
            if line.entries.is_empty() {
                self.ready.push_back(entry.message.group.clone());
            }
        }
        line.entries.push_back(entry);
    }

    /// The next request's entries, when one may start.
    fn take(&mut self) -> Option<Vec<Entry>> {
        let full = self.ready_entries >= SQS_BATCH;
        if self.ready.is_empty() || self.flights >= FLIGHTS || (self.flights >= EAGER && !full) {
            return None;
        }
        let (mut batch, mut bytes) = (Vec::with_capacity(SQS_BATCH.min(self.ready_entries)), 0);
        while let Some(group) = self.ready.pop_front() {
            let Some(line) = self.lines.get_mut(&group) else { continue };
            let (before, waiting) = (batch.len(), line.entries.len());
            while batch.len() < SQS_BATCH {
                let fits = |entry: &&Entry| bytes == 0 || bytes + entry.message.body.len() <= SQS_BYTES;
                let Some(size) = line.entries.front().filter(fits).map(|entry| entry.message.body.len()) else { break };
                bytes += size;
                batch.extend(line.entries.pop_front());
            }
            if batch.len() == before {
                self.ready.push_front(group);
                break;
            }
            line.under_way = true;
            self.ready_entries -= waiting;
        }
        self.flights += 1;
        Some(batch)
    }

    /// A request is over: its groups may leave again.
    fn land(&mut self, groups: &[String]) {
        self.flights -= 1;
        for group in groups {
            let Some(line) = self.lines.get_mut(group).filter(|line| line.under_way) else { continue };
            line.under_way = false;
            if line.entries.is_empty() {
                self.lines.remove(group);
            } else {
                self.ready_entries += line.entries.len();
                self.ready.push_back(group.clone());
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
        http_client_fn,
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
            let path = uri
                .split_once("/store")
                .map(|(_, rest)| rest.split('?').next().unwrap_or_default())
                .expect("our bucket");
            let key = path.trim_start_matches('/').to_owned();
            let objects = &mut self.state().objects;
            match method {
                "PUT" => drop(objects.insert(key, body)),
                "DELETE" => drop(objects.remove(&key)),
                _ if key.is_empty() => {
                    let keys: String =
                        objects.keys().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
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
        let (one, two, more) =
            tokio::join!(queue.put(messages("a")), queue.put(messages("b")), queue.put(messages("b")));
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
}
