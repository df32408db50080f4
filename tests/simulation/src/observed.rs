//! What was seen at the gate: when each call was stored and taken, when each mail was claimed and sent. Facts for the judge,
//! who believes nothing that the functions say of themselves.

#![allow(clippy::indexing_slicing, reason = "a JSON value without such a member indexes to null")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use dunlin_aws::calls::Outgoing;
use dunlin_aws::resources::{self, Queue};
use dunlin_core::call::{Action, Call};
use dunlin_core::delivery::Delivery;
use dunlin_core::ids::{DeliveryId, EventId, RunId};
use dunlin_core::run::Run;
use dunlin_core::task::{Calls, Step, from_text};
use dunlin_local::{Cloud, Depth, Function, Service};
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::sim::{Role, Sighting, Watcher};
use crate::workload::Person;

/// How long a FIFO queue drops what comes again (SQS developer guide).
const SAME: SignedDuration = SignedDuration::from_mins(5);

/// A call that was stored.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The call.
    pub call: Call,
    /// The message that carried it first, by its number: a message may carry several.
    message: u64,
    /// When a queue had it first; none while it is only spilled.
    pub queued_at: Option<Timestamp>,
    /// When its message was acknowledged first.
    pub done_at: Option<Timestamp>,
}

/// A claim of a mail, or its end in the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The state that was written.
    pub delivery: Delivery,
    /// Whether this was the claim's transaction.
    pub is_claim: bool,
}

/// A run's row, as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    /// When.
    pub at: Timestamp,
    /// How often the run had moved by then.
    pub moves: u32,
}

/// A hint that a sweep put on its queue.
#[derive(Clone, Debug)]
pub struct Hinted {
    /// When.
    pub at: Timestamp,
    /// For which run, at which of its moves.
    pub step: Step,
}

/// A mail that reached SES's door.
#[derive(Clone, Debug)]
pub struct Handed {
    /// When.
    pub at: Timestamp,
    /// The mail.
    pub delivery: String,
    /// Whether SES took it, and said so, and was heard.
    pub is_settled: bool,
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Calls that were stored, in the order in which a queue had them; those that are only spilled come last.
    pub accepted: Vec<Accepted>,
    by_id: BTreeMap<EventId, usize>,
    /// Calls that the queue took for others which it has.
    forgotten: BTreeSet<EventId>,
    /// Messages that carried calls so far.
    messages: u64,
    /// When a FIFO queue took a message of each group and deduplication id, so that it drops what comes again.
    keys: BTreeMap<String, Timestamp>,
    /// Ledger entries of each mail, in order.
    pub ledger: BTreeMap<DeliveryId, Vec<Entry>>,
    /// What was written of each run, in order.
    pub runs: BTreeMap<RunId, Vec<Moved>>,
    /// The hints of sweeps.
    pub hinted: Vec<Hinted>,
    /// Requests to send a mail.
    pub handed: Vec<Handed>,
    /// When each suppressed address was suppressed first.
    pub suppressed: BTreeMap<String, Timestamp>,
    /// The objects of the spill, each with the calls it holds.
    spilled: BTreeMap<String, Vec<EventId>>,
    /// When a function was done and nothing was on the queues of calls and mails that could be taken.
    pub emptied: Vec<Timestamp>,
    /// When calls were first neither processed, queued nor spilled, and which.
    pub missing: Option<(Timestamp, String)>,
}

/// The eyes at the gate; clones see the same.
#[derive(Clone, Debug)]
pub struct Observer {
    seen: Rc<RefCell<Seen>>,
    /// The queues of calls, dead-letter queues included, by their full names.
    queues: Rc<[String]>,
    /// Those of mails.
    sends: Rc<[String]>,
}

impl Observer {
    /// For a stage whose names begin with `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        let queues = |function: Function| {
            let names = function.queues().iter().flat_map(|queue| [queue.name(), queue.dead_letter_name()]);
            names.map(|name| format!("{prefix}{name}")).collect()
        };
        Self { seen: Rc::default(), queues: queues(Function::Evaluate), sends: queues(Function::Send) }
    }

    /// What was seen so far.
    pub fn seen(&self) -> std::cell::Ref<'_, Seen> {
        self.seen.borrow()
    }
}

impl Watcher for Observer {
    fn see(&mut self, sighting: &Sighting<'_>) {
        self.seen.borrow_mut().see(sighting);
    }

    fn done(&mut self, at: Timestamp, queue: &Queue, body: &str) {
        let read = queue.fifo.then(|| from_text::<Calls>(body).ok()).flatten();
        let mut seen = self.seen.borrow_mut();
        let Some(read) = read else { return };
        // Of a batch whose answer was lost nobody saw which of two repetitions the queue took.
        if read.calls.iter().any(|call| seen.forgotten.contains(&call.id) && !seen.by_id.contains_key(&call.id)) {
            for call in &read.calls {
                seen.forgotten.remove(&call.id);
            }
            seen.accept(body, Some(at));
        }
        for call in read.calls {
            let index = seen.by_id.get(&call.id).copied();
            if let Some(known) = index.and_then(|index| seen.accepted.get_mut(index)) {
                known.done_at.get_or_insert(at);
            }
        }
    }

    fn ended(&mut self, at: Timestamp, cloud: &Cloud) {
        let mut seen = self.seen.borrow_mut();
        let queued = self.queues.iter().map(|queue| cloud.sqs().depth(queue).total()).sum();
        if seen.missing.is_none() {
            seen.missing = seen.unaccounted(queued).map(|what| (at, what));
        }
        // What is delayed is there on purpose.
        let is_empty = |depth: Depth| depth.visible + depth.in_flight == 0;
        if queued == 0 && self.sends.iter().all(|queue| is_empty(cloud.sqs().depth(queue))) {
            seen.emptied.push(at);
        }
    }
}

impl Seen {
    /// When an event was processed that a person's client gave this number.
    #[must_use]
    pub fn done(&self, person: Person, number: u64) -> Option<Timestamp> {
        let is_it = |one: &&Accepted| match &one.call.action {
            Action::Track { data, .. } => data.get("n").and_then(Value::as_u64) == Some(number),
            _ => false,
        };
        let mut found = self.accepted.iter().filter(|one| one.call.user.as_str() == person.id()).filter(is_it);
        found.find_map(|one| one.done_at)
    }

    fn see(&mut self, sighting: &Sighting<'_>) {
        if sighting.service == Service::Ses && sighting.operation == "SendEmail" {
            self.hand(sighting);
        }
        if !sighting.worked {
            return;
        }
        let body = || serde_json::from_slice::<Value>(sighting.request.body()).unwrap_or_default();
        match (sighting.service, sighting.operation) {
            (Service::SqsFifo, "SendMessageBatch") => self.queue(sighting, &body()),
            (Service::SqsStandard, "SendMessageBatch") if sighting.role == Some(Role::Sweep) => {
                for entry in body().get("Entries").and_then(Value::as_array).into_iter().flatten() {
                    let text = entry.get("MessageBody").and_then(Value::as_str);
                    let step = text.and_then(|text| from_text::<Step>(text).ok());
                    self.hinted.extend(step.map(|step| Hinted { at: sighting.at, step }));
                }
            }
            (Service::S3, _) if sighting.request.method() == Method::PUT => self.spill(sighting.request),
            (Service::S3, _) if sighting.request.method() == Method::DELETE => {
                self.spilled.remove(sighting.request.uri().path());
            }
            (Service::DynamoDb, "PutItem") => {
                self.put(sighting.at, &body(), false);
                // Of a write whose answer was lost nobody knows whether its condition held.
                if sighting.outcome.is_ok() {
                    self.advance(sighting.at, &body());
                }
            }
            (Service::DynamoDb, "TransactWriteItems") => {
                for put in body()["TransactItems"].as_array().into_iter().flatten().filter_map(|one| one.get("Put")) {
                    self.put(sighting.at, put, true);
                }
            }
            _ => {}
        }
    }

    fn queue(&mut self, sighting: &Sighting<'_>, body: &Value) {
        let answer: Value = sighting
            .outcome
            .as_ref()
            .ok()
            .and_then(|answer| serde_json::from_slice(answer.body()).ok())
            .unwrap_or_default();
        let failed: Vec<&str> =
            answer["Failed"].as_array().into_iter().flatten().filter_map(|one| one["Id"].as_str()).collect();
        for entry in body["Entries"].as_array().into_iter().flatten() {
            if entry["Id"].as_str().is_some_and(|id| failed.contains(&id)) {
                continue;
            }
            let key = format!("{} {}", entry["MessageGroupId"], entry["MessageDeduplicationId"]);
            let known = self.keys.get(&key).is_some_and(|at| sighting.at.duration_since(*at) < SAME);
            let text = entry["MessageBody"].as_str().unwrap_or_default();
            if known {
                self.forget(text);
            } else {
                self.keys.insert(key, sighting.at);
                self.accept(text, Some(sighting.at));
            }
        }
    }

    fn spill(&mut self, request: &Request<Bytes>) {
        let spilled: Vec<Outgoing> = serde_json::from_slice(request.body()).unwrap_or_default();
        spilled.iter().for_each(|message| self.accept(&message.body, None));
        let calls = spilled.iter().filter_map(|message| from_text::<Calls>(&message.body).ok());
        let ids = calls.flat_map(|calls| calls.calls).map(|call| call.id).collect();
        self.spilled.insert(request.uri().path().to_owned(), ids);
    }

    /// Accepted = processed + queued + spilled + parked: what a queue took and nobody has acknowledged must be among so
    /// many messages on the queues of calls; what no queue took yet must lie in the spill. (What is parked was
    /// acknowledged.) Says what is neither.
    fn unaccounted(&self, queued: u64) -> Option<String> {
        let open = || self.accepted.iter().filter(|one| one.done_at.is_none());
        let on_queues: BTreeSet<u64> = open().filter(|one| one.queued_at.is_some()).map(|one| one.message).collect();
        if u64::try_from(on_queues.len()).is_ok_and(|messages| messages > queued) {
            let open = on_queues.len();
            return Some(format!("{open} messages are neither processed nor parked, {queued} are queued"));
        }
        let is_kept = |one: &&Accepted| self.spilled.values().flatten().any(|id| *id == one.call.id);
        let lost = open().filter(|one| one.queued_at.is_none()).find(|one| !is_kept(one));
        lost.map(|one| format!("call {} is neither queued nor spilled", one.call.id))
    }

    /// A call that was spilled turns out to be one that the queue has already, under another window's id. Whoever spills it
    /// again, since the answer was slow, adds nothing.
    fn forget(&mut self, text: &str) {
        let same: Vec<EventId> = from_text::<Calls>(text)
            .map(|calls| calls.calls.into_iter().map(|call| call.id).collect())
            .unwrap_or_default();
        self.accepted.retain(|one| one.queued_at.is_some() || !same.contains(&one.call.id));
        self.forgotten.extend(same);
        self.by_id = self.accepted.iter().enumerate().map(|(index, one)| (one.call.id.clone(), index)).collect();
    }

    fn accept(&mut self, text: &str, queued_at: Option<Timestamp>) {
        self.messages += 1;
        for call in from_text::<Calls>(text).map(|calls| calls.calls).unwrap_or_default() {
            if queued_at.is_none() && self.forgotten.contains(&call.id) {
                continue;
            }
            match self.by_id.get(&call.id).copied() {
                None => {
                    self.by_id.insert(call.id.clone(), self.accepted.len());
                    self.accepted.push(Accepted { call, message: self.messages, queued_at, done_at: None });
                }
                Some(index) => {
                    let known = self.accepted.get_mut(index);
                    // Of an event that was spilled and made again, the queue has the one that it took.
                    if let Some(known) = known.filter(|known| known.queued_at.is_none() && queued_at.is_some()) {
                        (known.call, known.queued_at) = (call, queued_at);
                    }
                }
            }
        }
    }

    fn put(&mut self, at: Timestamp, put: &Value, is_claim: bool) {
        let table = put["TableName"].as_str().unwrap_or_default();
        let item = &put["Item"];
        if table.ends_with(resources::DELIVERIES.name) {
            let delivery = item["b"]["S"].as_str().and_then(|text| serde_json::from_str::<Delivery>(text).ok());
            if let Some(delivery) = delivery {
                self.ledger.entry(delivery.id.clone()).or_default().push(Entry { at, delivery, is_claim });
            }
        }
        if table.ends_with(resources::PROFILES.name) && item["sk"]["S"] == "suppression" {
            let key = item["pk"]["S"].as_str().unwrap_or_default().to_owned();
            self.suppressed.entry(key).or_insert(at);
        }
    }

    fn advance(&mut self, at: Timestamp, put: &Value) {
        let read = |path| put.pointer(path).and_then(Value::as_str);
        if !read("/TableName").is_some_and(|name| name.ends_with(resources::RUNS.name)) {
            return;
        }
        let run = read("/Item/b/S").and_then(|text| serde_json::from_str::<Run>(text).ok());
        if let Some(Run { id, moves, .. }) = run {
            self.runs.entry(id).or_default().push(Moved { at, moves });
        }
    }

    fn hand(&mut self, sighting: &Sighting<'_>) {
        let body: Value = serde_json::from_slice(sighting.request.body()).unwrap_or_default();
        let mut tags = body["EmailTags"].as_array().into_iter().flatten();
        let tag = tags.find(|tag| tag["Name"] == dunlin_core::mail::DELIVERY_TAG);
        let delivery = tag.and_then(|tag| tag["Value"].as_str()).unwrap_or_default().to_owned();
        let answered = sighting.outcome.as_ref().is_ok_and(|answer| answer.status().as_u16() < 500);
        self.handed.push(Handed { at: sighting.at, delivery, is_settled: answered && sighting.is_heard });
    }
}
