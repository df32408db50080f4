//! Whoever is asked: the SDK's clients, names of our own, and time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dunlin_aws::Clock;
use jiff::SignedDuration;

use crate::local::Local;
use crate::rule::{Checked, Service, Wrong};

/// Clients of whoever is asked, and what was made there.
pub(crate) struct Aws {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) ses: aws_sdk_sesv2::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    /// A table with the keys `pk` and `sk`.
    pub(crate) table: String,
    pub(crate) bucket: String,
    /// An address that may send.
    pub(crate) from: String,
    /// Where what is asked is ours.
    pub(crate) local: Option<Local>,
    /// Where it is AWS, things take time.
    pub(crate) is_aws: bool,
    pub(crate) prefix: String,
    pub(crate) made: Mutex<Vec<Made>>,
    pub(crate) next: AtomicU32,
}

/// What is to be removed in the end.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    Queue(String),
    Topic(String),
    ConfigurationSet(String),
    Table,
    Bucket,
    Identity(String),
}

impl Aws {
    /// A name that nothing else has.
    pub(crate) fn fresh(&self, stem: &str) -> String {
        format!("{}{stem}-{}", self.prefix, self.next.fetch_add(1, Ordering::SeqCst))
    }

    /// Notes what is to be removed in the end.
    pub(crate) fn note(&self, made: Made) {
        self.made.lock().expect("no panic").push(made);
    }

    /// Whether `infra/local` is asked.
    pub(crate) fn is_ours(&self) -> bool {
        self.local.is_some()
    }

    fn clock(&self) -> Option<&Clock> {
        self.local.as_ref().map(|local| local.cloud.clock())
    }

    /// Why a whole service cannot be asked.
    pub(crate) fn lacks(&self, service: Service) -> Option<&'static str> {
        (self.is_ours() && service == Service::Sns).then_some("SES's events go to the queue without SNS")
    }

    /// Whether time is virtual here, so that minutes may pass.
    pub(crate) fn time_is_virtual(&self) -> bool {
        self.clock().is_some_and(Clock::is_virtual)
    }

    /// Lets time pass: virtual time jumps, else it is waited for, and a little more.
    pub(crate) async fn pass(&self, seconds: u32) {
        match self.clock() {
            Some(clock) if clock.is_virtual() => {
                clock.advance_to(clock.now() + SignedDuration::from_secs(seconds.into()));
            }
            _ => tokio::time::sleep(Duration::from_secs(seconds.into()) + Duration::from_millis(100)).await,
        }
    }

    /// Goes on only where time is virtual: elsewhere nobody waits so long.
    pub(crate) fn has_minutes(&self, minutes: u32) -> Checked {
        if self.time_is_virtual() { Ok(()) } else { Err(Wrong::NotOffered(format!("takes {minutes} minutes"))) }
    }

    /// How often something that should come is looked for, every 100 ms.
    pub(crate) fn patience(&self) -> u32 {
        match (self.time_is_virtual(), self.is_aws) {
            (true, _) => 1,
            (false, false) => 20,
            (false, true) => 300,
        }
    }
}
