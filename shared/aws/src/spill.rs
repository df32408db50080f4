//! The spill: what the events queue did not take, kept as objects until `sweep` puts it on the queue.

use aws_sdk_s3::primitives::ByteStream;
use dunlin_core::ids::digest;
use futures::future::join_all;
use jiff::Timestamp;

use crate::calls::{Outgoing, Queue};
use crate::error::{Error, Kind, Result};
use crate::resources;

/// Where spilled objects lie in the bucket.
pub const PREFIX: &str = "spill/";

/// Where those lie that go to the second lane: behind all others in the order of names.
const BACKLOG_PREFIX: &str = "spill/backlog/";

/// The lane that an object's messages were meant for: `events` or `backlog`.
#[must_use]
pub fn lane(key: &str) -> resources::Queue {
    if key.starts_with(BACKLOG_PREFIX) { resources::BACKLOG } else { resources::EVENTS }
}

/// The spill prefix of the bucket.
#[derive(Clone, Debug)]
pub struct Spill {
    s3: aws_sdk_s3::Client,
    bucket: String,
}

impl Spill {
    /// The spill in `bucket` (stage prefix and `resources::BUCKET`).
    #[must_use]
    pub fn new(s3: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { s3, bucket }
    }

    /// Keeps messages for `lane` as one object, `spill/<milliseconds>-<digest>.json` (of `backlog`:
    /// `spill/backlog/…`): the same messages at the same instant are the same object. Returns its key.
    ///
    /// # Errors
    /// When S3 does not take it.
    pub async fn put(&self, lane: resources::Queue, accepted_at: Timestamp, messages: &[Outgoing]) -> Result<String> {
        let names: Vec<&str> = messages.iter().map(|message| message.dedup.as_str()).collect();
        // 13 digits last until the year 2286: names sort by time.
        let prefix = if lane.stem == resources::BACKLOG.stem { BACKLOG_PREFIX } else { PREFIX };
        let key = format!("{prefix}{:013}-{}.json", accepted_at.as_millisecond(), digest(&names));
        let content = serde_json::to_vec(messages).map_err(|error| Error::new(Kind::Invalid, "put spill", error))?;
        let request = self.s3.put_object().bucket(&self.bucket).key(&key).content_type("application/json");
        request.body(ByteStream::from(content)).send().await.map_err(Error::of("put spill"))?;
        Ok(key)
    }

    /// The keys of the oldest objects, `limit` (at most 1,000) of them.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn list(&self, limit: u16) -> Result<Vec<String>> {
        let request = self.s3.list_objects_v2().bucket(&self.bucket).prefix(PREFIX).max_keys(i32::from(limit));
        let page = request.send().await.map_err(Error::of("list spill"))?;
        Ok(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect())
    }

    /// The messages of one object; nothing when it is gone.
    ///
    /// # Errors
    /// When S3 does not answer, or the object is not ours ([`Kind::Invalid`]).
    pub async fn get(&self, key: &str) -> Result<Option<Vec<Outgoing>>> {
        let object =
            match self.s3.get_object().bucket(&self.bucket).key(key).send().await.map_err(Error::of("get spill")) {
                Ok(object) => object,
                Err(error) if error.kind == Kind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
        let content = object.body.collect().await.map_err(|error| Error::new(Kind::Unavailable, "get spill", error))?;
        let messages = serde_json::from_slice(&content.to_vec());
        messages.map(Some).map_err(|error| Error::new(Kind::Invalid, "get spill", error))
    }

    /// Removes an object; one that is gone is removed.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let request = self.s3.delete_object().bucket(&self.bucket).key(key);
        request.send().await.map(drop).map_err(Error::of("delete spill"))
    }

    /// Puts the messages of objects on the queue, and then removes each whose messages are there; returns how many those
    /// were, in the order of `keys`. Messages of one group leave in that order, too, unless an object cannot be read or
    /// put: it comes later. A crash between the two puts them twice, which their ids make harmless.
    ///
    /// # Errors
    /// For an object of which the queue does not take everything: it stays, and the first reason is the kind.
    pub async fn requeue(&self, keys: &[String], queue: &Queue) -> Vec<Result<usize>> {
        let objects = join_all(keys.iter().map(|key| self.get(key))).await;
        let begun = keys.iter().zip(objects).map(|(key, object)| {
            let put = object.map(|messages| messages.map(|messages| (messages.len(), queue.put(messages))));
            async move {
                let Some((count, put)) = put? else { return Ok(0) };
                if let Err(unsent) = put.await {
                    let kind = unsent.messages.first().map_or(Kind::Internal, |(_, error)| error.kind);
                    return Err(Error::new(kind, "requeue spill", unsent));
                }
                self.delete(key).await?;
                Ok(count)
            }
        });
        join_all(begun).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::tests::{Wire, message, queue};
    use crate::resources::{BACKLOG, EVENTS};

    #[tokio::test]
    async fn spilled_messages_come_back_to_the_queue_as_they_were() {
        let wire = Wire::default();
        let (spill, queue) = (Spill::new(wire.clients().s3, "store".into()), queue(&wire));
        let messages = [message("a", "first"), message("a", "second")];
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1);
        let second = spill.put(EVENTS, later, &messages).await.expect("stored");
        let first = spill.put(EVENTS, Timestamp::UNIX_EPOCH, &messages).await.expect("stored");
        assert!(first.starts_with("spill/0000000000000-") && first.ends_with(".json"), "{first}");
        assert_eq!(spill.list(10).await.expect("a list"), [first.clone(), second.clone()], "oldest first");
        assert_eq!(spill.get(&first).await.expect("an object").as_deref(), Some(messages.as_slice()));
        let first = [first];
        assert!(matches!(spill.requeue(&first, &queue).await[..], [Ok(2)]));
        assert_eq!(wire.state().requests.concat(), ["first", "second"]);
        assert!(matches!(spill.requeue(&first, &queue).await[..], [Ok(0)]), "gone");
        assert_eq!(spill.list(10).await.expect("a list"), [second]);
    }

    #[tokio::test]
    async fn spilled_messages_name_the_lane_they_were_meant_for_and_those_of_a_flood_come_last() {
        let wire = Wire::default();
        let spill = Spill::new(wire.clients().s3, "store".into());
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1);
        let flood = spill.put(BACKLOG, Timestamp::UNIX_EPOCH, &[message("a", "first")]).await.expect("stored");
        let other = spill.put(EVENTS, later, &[message("b", "second")]).await.expect("stored");
        assert_eq!((lane(&flood).stem, lane(&other).stem), ("backlog", "events"));
        assert_eq!(spill.list(10).await.expect("a list"), [other, flood]);
    }

    #[tokio::test]
    async fn what_the_queue_refuses_stays_in_the_spill() {
        let wire = Wire::default();
        let (spill, queue) = (Spill::new(wire.clients().s3, "store".into()), queue(&wire));
        let key = spill.put(EVENTS, Timestamp::UNIX_EPOCH, &[message("a", "fails")]).await.expect("stored");
        let keys = [key];
        let results = spill.requeue(&keys, &queue).await;
        assert!(matches!(&results[..], [Err(error)] if error.kind == Kind::Throttled), "{results:?}");
        assert_eq!(spill.list(10).await.expect("a list"), keys);
        wire.state().objects.insert("spill/odd.json".into(), b"odd".to_vec());
        assert_eq!(spill.get("spill/odd.json").await.map_err(|error| error.kind), Err(Kind::Invalid));
    }
}
