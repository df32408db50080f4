//! What a million of each would cost on AWS, by the meter, in virtual time: one call after the other, so that no two calls
//! share a request to SQS (each would be a Lambda invocation of its own), and readers that get full batches, as under load.
//! The time of functions is that of the phase at moderate load. Not in it: the sweep's look for spilled calls, and sweeps
//! and receives that would find nothing, which cost the same whatever is sent.

use std::collections::BTreeMap;

use anyhow::ensure;
use dunlin_local::{Service, Usage, prices};
use jiff::SignedDuration;
use serde::Serialize;

use crate::bench::calls::Calls;
use crate::bench::virtual_time::Virtual;
use crate::bill;
use crate::examples;

/// Of each kind: enough for full batches, few enough to take a second.
const COUNT: u64 = 1_000;
/// Items in a batch.
const ITEMS: u64 = 100;
/// Users that they are spread over: nobody has two in one batch, whose writes would be shared.
const USERS: u64 = COUNT;
/// A wait of thirty days and nothing else.
const DELAY: &str = "
name: Delay
kind: workflow
trigger: {event: Began}
steps:
  - wait: 30 days
";

/// What a million would use.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Million {
    /// Requests at the gateway.
    pub(crate) gateway_requests: f64,
    /// Requests to SQS, each of up to 64 KiB.
    pub(crate) sqs_requests: f64,
    /// DynamoDB's read units.
    pub(crate) read_units: f64,
    /// DynamoDB's write units.
    pub(crate) write_units: f64,
    /// Requests to S3.
    pub(crate) s3_requests: f64,
    /// Invocations of functions.
    pub(crate) invocations: f64,
    /// The time of functions.
    pub(crate) gigabyte_seconds: f64,
    /// All of it, without SES's price of the mails, in US dollars.
    pub(crate) dollars: f64,
    /// Requests, by service and operation.
    pub(crate) operations: BTreeMap<String, f64>,
}

/// What a million of each would use.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Costs {
    /// Events, one a call.
    pub(crate) events: Million,
    /// Events in batches.
    pub(crate) batched: Million,
    /// Mails, beside the events that triggered them and SES's price.
    pub(crate) mails: Million,
    /// Delays of thirty days, beside the events that began them.
    pub(crate) delays: Million,
}

/// Plays each kind, and prices it.
pub(crate) async fn costs(times: &BTreeMap<String, f64>) -> anyhow::Result<Costs> {
    let stage = Virtual::start().await?;
    stage.place.publish(&examples::built_in().campaigns).await?;
    stage.publish(DELAY).await?;
    stage.world.advance(SignedDuration::from_secs(10)).await;
    let calls = Calls::new(&stage.place.token, USERS);
    stage.each(USERS, "/users/track", Calls::identify_body).await?;
    let million = |usage: Usage| Million::of(&usage, times);
    let events = million(stage.each(COUNT, "/events/track", |n| calls.event_body(n)).await?);
    let batched = million(stage.batches(&calls).await?);
    let before = stage.world.cloud().outbox().count();
    let mails = million(stage.each(COUNT, "/events/track", |n| calls.purchase_body(n)).await?);
    let sent = stage.world.cloud().outbox().count() - before;
    ensure!(sent == COUNT, "{sent} mails were sent, not {COUNT}");
    let began = |n| format!(r#"{{"identity":{{"id":"user-{}"}},"event_name":"Began","data":{{"n":{n}}}}}"#, n % USERS);
    let delays = million(stage.each(COUNT, "/events/track", began).await?);
    let (mails, delays) = (mails.without(&events), delays.without(&events));
    Ok(Costs { events, batched, mails, delays })
}

impl Virtual {
    /// Makes calls one after the other, lets 31 days pass, and returns what that used.
    async fn each(&self, count: u64, path: &str, body: impl Fn(u64) -> String) -> anyhow::Result<Usage> {
        let before = self.world.cloud().meter().snapshot();
        for n in 0..count {
            self.post(&format!("/api/v2{path}"), body(n)).await?;
        }
        self.world.advance(SignedDuration::from_hours(24 * 31)).await;
        Ok(self.world.cloud().meter().snapshot().difference(&before))
    }

    async fn batches(&self, calls: &Calls) -> anyhow::Result<Usage> {
        let before = self.world.cloud().meter().snapshot();
        for n in 0..COUNT / ITEMS {
            self.post("/v1/batch", calls.batch_body(n, ITEMS)).await?;
        }
        self.world.advance(SignedDuration::from_hours(24 * 31)).await;
        Ok(self.world.cloud().meter().snapshot().difference(&before))
    }
}

impl Million {
    /// Prices what [`COUNT`] of them used, and scales it.
    fn of(usage: &Usage, times: &BTreeMap<String, f64>) -> Self {
        let mut sum = Self::default();
        for (service, operation, count) in bill::billed(usage) {
            let (requests, chunks) = (count.requests as f64, count.chunks as f64);
            let (requests, chunks) = match operation {
                "ListObjectsV2" | "ReceiveMessage" => continue,
                // Every batch that is received is deleted once; receives that find nothing cost the same whatever is sent.
                "DeleteMessageBatch" => (2.0 * requests, 2.0 * chunks),
                _ => (requests, chunks),
            };
            let dollars = prices::dollars(service, operation, count);
            sum.operations.insert(format!("{} {operation}", service.name()), requests);
            match service {
                Service::ApiGateway => sum.gateway_requests += chunks,
                Service::SqsStandard | Service::SqsFifo => sum.sqs_requests += chunks,
                Service::DynamoDb => {
                    sum.read_units += count.read_units;
                    sum.write_units += count.write_units;
                }
                Service::S3 => sum.s3_requests += requests,
                Service::Lambda => {
                    let seconds = times.get(operation).copied().unwrap_or_default() * requests;
                    sum.invocations += requests;
                    sum.gigabyte_seconds += seconds;
                    sum.dollars += seconds * prices::LAMBDA_GIGABYTE_SECOND;
                }
                Service::Ses => continue,
            }
            sum.dollars += if operation == "DeleteMessageBatch" { 2.0 * dollars } else { dollars };
        }
        sum.map(|value| value * 1e6 / COUNT as f64)
    }

    /// What is left beside another.
    fn without(&self, other: &Self) -> Self {
        Self {
            gateway_requests: self.gateway_requests - other.gateway_requests,
            sqs_requests: self.sqs_requests - other.sqs_requests,
            read_units: self.read_units - other.read_units,
            write_units: self.write_units - other.write_units,
            s3_requests: self.s3_requests - other.s3_requests,
            invocations: self.invocations - other.invocations,
            gigabyte_seconds: self.gigabyte_seconds - other.gigabyte_seconds,
            dollars: self.dollars - other.dollars,
            operations: self
                .operations
                .iter()
                .map(|(name, count)| (name.clone(), count - other.of_operation(name)))
                .collect(),
        }
    }

    fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            gateway_requests: change(self.gateway_requests),
            sqs_requests: change(self.sqs_requests),
            read_units: change(self.read_units),
            write_units: change(self.write_units),
            s3_requests: change(self.s3_requests),
            invocations: change(self.invocations),
            gigabyte_seconds: change(self.gigabyte_seconds),
            dollars: change(self.dollars),
            operations: self.operations.iter().map(|(name, count)| (name.clone(), change(*count))).collect(),
        }
    }

    fn of_operation(&self, name: &str) -> f64 {
        self.operations.get(name).copied().unwrap_or_default()
    }
}
