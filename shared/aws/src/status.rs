//! Status: the readings that `sweep` takes each minute, and the history that it keeps of them. The history is an object,
//! not an item, so that it does not rest on the tables whose outage it tells of.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use dunlin_core::status::{History, QueueReading, Readings, State, present};
use jiff::{SignedDuration, Timestamp};

use crate::clients::Clients;
use crate::error::{Error, Kind, Result};
use crate::pulses::Pulses;
use crate::resources::{QUEUES, Queue};
use crate::settings::Settings;
use crate::timers::{Timers, Walk};

/// Where the history lies in the bucket.
const KEY: &str = "status/history.json";

/// The history in the bucket: about 20 KB, one object.
#[derive(Clone, Debug)]
pub struct Histories {
    s3: aws_sdk_s3::Client,
    bucket: String,
}

impl Histories {
    /// The history in `bucket` (`Settings::bucket`).
    #[must_use]
    pub fn new(s3: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { s3, bucket }
    }

    /// The history; nothing before the first reading.
    ///
    /// # Errors
    /// When S3 does not answer, or the object is not ours ([`Kind::Invalid`]).
    pub async fn get(&self) -> Result<Option<History>> {
        let request = self.s3.get_object().bucket(&self.bucket).key(KEY);
        let object = match request.send().await.map_err(Error::of("get the history")) {
            Ok(object) => object,
            Err(error) if error.kind == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let content = object.body.collect().await;
        let content = content.map_err(|error| Error::new(Kind::Unavailable, "get the history", error))?;
        let history = serde_json::from_slice(&content.to_vec());
        history.map(Some).map_err(|error| Error::new(Kind::Invalid, "get the history", error))
    }

    async fn put(&self, history: &History) -> Result<()> {
        let content =
            serde_json::to_vec(history).map_err(|error| Error::new(Kind::Invalid, "put the history", error))?;
        let request = self.s3.put_object().bucket(&self.bucket).key(KEY).content_type("application/json");
        request.body(ByteStream::from(content)).send().await.map(drop).map_err(Error::of("put the history"))
    }
}

/// What takes the readings.
#[derive(Clone, Debug)]
pub struct Watch {
    pulses: Pulses,
    timers: Timers,
    sqs: aws_sdk_sqs::Client,
    queues: Vec<(Queue, String)>,
    histories: Histories,
}

impl Watch {
    /// Watches the stage that `settings` name.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self {
            pulses: Pulses::new(clients, &settings.prefix),
            timers: Timers::new(clients, &settings.prefix),
            sqs: clients.sqs.clone(),
            queues: QUEUES.map(|queue| (queue, settings.queue_url(queue))).into(),
            histories: Histories::new(clients.s3.clone(), settings.bucket.clone()),
        }
    }

    /// Takes the readings of `now` into the history; one line of log for each component that is not as promised. A
    /// history that does not decode is begun anew.
    ///
    /// # Errors
    /// When S3 does not answer; the next minute takes its own readings.
    pub async fn look(&self, now: Timestamp) -> Result<()> {
        let (readings, history) = futures::future::join(self.read(now), self.histories.get()).await;
        let mut history = match history {
            Err(error) if error.kind == Kind::Invalid => History::default(),
            history => history?.unwrap_or_default(),
        };
        let mut readings = readings;
        history.remember(&mut readings);
        history.take(&readings);
        for (component, state) in present(&history, now).into_iter().filter(|(_, state)| *state != State::Operational) {
            tracing::warn!(component.name = component.name(), component.state = %state, "component unwell");
        }
        self.histories.put(&history).await
    }

    /// Every reading is taken beside the others: what is away takes its time-out once.
    async fn read(&self, now: Timestamp) -> Readings {
        let queues = futures::future::join_all(self.queues.iter().map(|(_, url)| self.waiting(url)));
        let cursor = self.timers.cursor(Walk::Due);
        let (pulses, cursor, waiting) = futures::future::join3(self.pulses.read(), cursor, queues).await;
        let tables = pulses.is_ok();
        let pulses = pulses.unwrap_or_default();
        let queue = |((queue, _), waiting): (&(Queue, String), Option<u64>)| {
            let pulse = pulses.queues.get(queue.stem).copied();
            (queue.stem.to_owned(), waiting.map(|waiting| QueueReading { waiting, since: None, pulse }))
        };
        let queues: BTreeMap<_, _> = self.queues.iter().zip(waiting).map(queue).collect();
        // A cursor is ahead of time, unless nobody swept.
        let behind = |upto: Timestamp| now.duration_since(upto).max(SignedDuration::ZERO);
        let timers = cursor.ok().map(|cursor| cursor.map_or(SignedDuration::ZERO, |cursor| behind(cursor.upto)));
        Readings { at: now, tables, timers, queues, provider: pulses.provider }
    }

    /// Messages that wait or are in work; nothing when the queue does not answer.
    async fn waiting(&self, url: &str) -> Option<u64> {
        let names = [Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible];
        let request = self.sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
        let attributes = request.send().await.ok()?.attributes.unwrap_or_default();
        Some(names.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dunlin_core::status::{Component, FLOODS, UNTOLD};

    use super::*;

    #[test]
    fn every_queue_is_some_components_or_only_for_floods_or_without_pulses() {
        let theirs = Component::ALL.iter().flat_map(|component| component.queues()).chain(&FLOODS).chain(&UNTOLD);
        let known: BTreeSet<&str> = theirs.copied().collect();
        assert_eq!(known, QUEUES.iter().map(|queue| queue.stem).collect());
    }
}
