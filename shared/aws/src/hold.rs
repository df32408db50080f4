//! Holding a batch while a service is away: nothing else is taken from the queue meanwhile, one request at a time asks
//! whether the service is back, and what still cannot be done is given back for a short time. Why and how long: `outage`.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use dunlin_core::limits::SQS_BATCH;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};

use crate::batch::Failed;
use crate::chance::Chance;
use crate::clients::Clients;
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::outage::{HOLD, PAUSE, RELEASE, WORK, back_after};
use crate::resources::Queue;
use crate::settings::Settings;

/// What a function that reads queues does while a service is away. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Hold {
    sqs: aws_sdk_sqs::Client,
    /// A queue's URL is this and its name.
    queues: String,
    clock: Clock,
    chance: Chance,
    /// Whether the last batch ended with the service away: the next one begins with one attempt, not with all.
    is_away: Arc<AtomicBool>,
}

impl Hold {
    /// For the queues of a stage.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self {
            sqs: clients.sqs_within(RELEASE),
            queues: format!("{}/{}", settings.queues, settings.prefix),
            clock: clients.clock.clone(),
            chance: clients.chance.clone(),
            is_away: Arc::default(),
        }
    }

    /// Works through `all`, beside each other, for a function that was started at `started`. When nothing gets through,
    /// a service is away: one of them at a time is tried again, in turn, with growing pauses; once one gets through, all
    /// others are tried. When some get through and some do not, it is not the service: those have one more attempt.
    ///
    /// The results are in the order of `all`. Every attempt may have had its effect; what is not done within [`WORK`] is
    /// left in the middle, as by a death.
    pub async fn through<'a, W, F, Fut>(&self, all: &'a [W], started: Timestamp, work: F) -> Vec<Result<()>>
    where
        F: Fn(&'a W) -> Fut,
        Fut: Future<Output = Result<()>>,
    {
        let mut results: Vec<Result<()>> = all.iter().map(|_| Err(not_tried())).collect();
        let mut waiting: VecDeque<usize> = (0..all.len()).collect();
        let (mut one_by_one, mut got_through, mut pause) = (self.is_away.load(Ordering::Relaxed), false, PAUSE);
        while !waiting.is_empty() {
            let trying: Vec<usize> = waiting.drain(..if one_by_one { 1 } else { waiting.len() }).collect();
            let attempts = trying.into_iter().filter_map(|place| Some((place, work(all.get(place)?))));
            let mut attempts: FuturesUnordered<_> =
                attempts.map(|(place, attempt)| async move { (place, attempt.await) }).collect();
            let mut failed = false;
            while let Some(Some((place, result))) = self.clock.timeout(self.left(started, WORK), attempts.next()).await
            {
                match &result {
                    Err(error) if error.kind.is_outage() => {
                        failed = true;
                        waiting.push_back(place);
                    }
                    _ => got_through = true,
                }
                if let Some(of) = results.get_mut(place) {
                    *of = result;
                }
            }
            // What is not done by then is left where it is, so that there is time to give it back.
            if !attempts.is_empty() {
                break;
            }
            one_by_one = !got_through;
            if failed {
                if got_through && pause > PAUSE || !self.wait(started, pause).await {
                    break;
                }
                pause = pause.saturating_mul(2);
            }
        }
        self.is_away.store(!got_through && !all.is_empty(), Ordering::Relaxed);
        results
    }

    /// Pauses, within the time that a function may hold a batch; whether there was any left.
    async fn wait(&self, started: Timestamp, pause: Duration) -> bool {
        let left = self.left(started, HOLD);
        if left.is_zero() {
            return false;
        }
        if pause == PAUSE {
            tracing::warn!("batch held: a service does not answer");
        }
        self.clock.sleep(pause.min(left)).await;
        true
    }

    /// Asks whether a function that was started at `started` may still begin something: a record whose turn comes late had
    /// better come back.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] later than [`HOLD`].
    pub fn in_time(&self, started: Timestamp) -> Result<()> {
        if self.left(started, HOLD).is_zero() { Err(not_tried()) } else { Ok(()) }
    }

    /// What is left of a time for a function that was started at `started`.
    fn left(&self, started: Timestamp, of: Duration) -> Duration {
        let gone = self.clock.now().duration_since(started).max(SignedDuration::ZERO);
        of.saturating_sub(gone.unsigned_abs())
    }

    /// Gives messages back to their queue for a short time, in place of the rest of their visibility time-out.
    pub(crate) async fn give_back(&self, queue: Queue, failed: &[Failed]) -> Result<()> {
        let chance = self.chance.next();
        for part in failed.chunks(SQS_BATCH) {
            let entries = part.iter().enumerate().map(|(number, failed)| {
                let seconds = back_after(failed.receives, failed.urgent, chance).as_secs();
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&failed.receipt)
                    .visibility_timeout(i32::try_from(seconds).unwrap_or_default())
                    .build()
                    .map_err(|error| Error::new(Kind::Invalid, "give tasks back", error))
            });
            let entries = entries.collect::<Result<Vec<_>>>()?;
            let request =
                self.sqs.change_message_visibility_batch().queue_url(format!("{}{}", self.queues, queue.name()));
            request.set_entries(Some(entries)).send().await.map_err(Error::of("give tasks back"))?;
        }
        Ok(())
    }
}

/// What is not begun, or not done, in time.
fn not_tried() -> Error {
    Error::bare(Kind::Unavailable, "find the time")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn hold() -> Hold {
        let clock = Clock::virtual_at(START);
        let clients = Clients::in_process(crate::clients::https(), clock.clone(), Chance::seeded(1));
        Hold { sqs: clients.sqs, queues: String::new(), clock, chance: clients.chance, is_away: Arc::default() }
    }

    /// Works through `all`, each of which answers what `answer` says for its name and the second; returns what was tried
    /// when, in order, and the kinds of the results.
    async fn play(
        hold: &Hold,
        all: &[char],
        answer: impl Fn(char, i64) -> Option<Kind>,
    ) -> (Vec<(char, i64)>, Vec<Option<Kind>>) {
        let (started, tried) = (hold.clock.now(), RefCell::new(Vec::new()));
        let work = async |name: &char| {
            let second = hold.clock.now().duration_since(started).as_secs();
            tried.borrow_mut().push((*name, second));
            answer(*name, second).map_or(Ok(()), |kind| Err(Error::bare(kind, "try")))
        };
        let results = hold.through(all, started, work).await;
        (tried.into_inner(), results.into_iter().map(|result| result.err().map(|error| error.kind)).collect())
    }

    #[tokio::test]
    async fn while_nothing_gets_through_one_at_a_time_is_tried_with_growing_pauses() {
        let (tried, results) = play(&hold(), &['a', 'b', 'c'], |_, _| Some(Kind::Unavailable)).await;
        assert_eq!(tried, [('a', 0), ('b', 0), ('c', 0), ('a', 1), ('b', 3), ('c', 6)]);
        assert_eq!(results, [Some(Kind::Unavailable); 3]);
    }

    #[tokio::test]
    async fn the_next_batch_begins_with_one_attempt_until_something_gets_through() {
        let hold = hold();
        play(&hold, &['a'], |_, _| Some(Kind::Throttled)).await;
        let (tried, results) = play(&hold, &['b', 'c'], |_, _| Some(Kind::Throttled)).await;
        assert_eq!(tried, [('b', 0), ('c', 1), ('b', 3), ('c', 6)]);
        assert_eq!(results, [Some(Kind::Throttled); 2]);
        let (tried, _) = play(&hold, &['d', 'e', 'f'], |_, _| None).await;
        assert_eq!(tried, [('d', 0), ('e', 0), ('f', 0)], "and does not wait when the service is back");
        let (_, results) = play(&hold, &['g', 'h'], |_, _| None).await;
        assert_eq!(results, [None; 2]);
    }

    #[tokio::test]
    async fn once_one_gets_through_all_others_are_tried_at_once() {
        let back = |_, second| (second < 3).then_some(Kind::Unavailable);
        let (tried, results) = play(&hold(), &['a', 'b', 'c'], back).await;
        assert_eq!(tried, [('a', 0), ('b', 0), ('c', 0), ('a', 1), ('b', 3), ('c', 3), ('a', 3)]);
        assert_eq!(results, [None; 3]);
    }

    #[tokio::test]
    async fn what_fails_while_others_get_through_has_one_more_attempt_and_they_have_none() {
        let (tried, results) = play(&hold(), &['a', 'b'], |name, _| (name == 'a').then_some(Kind::Throttled)).await;
        assert_eq!(tried, [('a', 0), ('b', 0), ('a', 1)]);
        assert_eq!(results, [Some(Kind::Throttled), None]);
    }

    #[tokio::test]
    async fn poison_and_conflicts_are_not_held() {
        for kind in [Kind::Invalid, Kind::NotFound, Kind::Conflict, Kind::Internal] {
            let (tried, results) = play(&hold(), &['a'], |_, _| Some(kind)).await;
            assert_eq!((tried.len(), results), (1, vec![Some(kind)]));
        }
    }

    #[tokio::test]
    async fn what_takes_too_long_is_left_in_time_to_be_given_back_and_the_others_are_done() {
        let mut hold = hold();
        hold.clock = Clock::stepped_at(START);
        let work = async |name: &char| {
            if *name == 'b' {
                hold.clock.sleep(WORK * 2).await;
            }
            Ok(())
        };
        let all = ['a', 'b', 'c'];
        let mut through = std::pin::pin!(hold.through(&all, START, work));
        assert!(futures::poll!(through.as_mut()).is_pending());
        let woken = hold.clock.next_wake().expect("a sleeper");
        assert_eq!(woken, START + WORK);
        hold.clock.advance_to(woken);
        let results: Vec<bool> = through.await.iter().map(Result::is_ok).collect();
        assert_eq!(results, [true, false, true]);
    }

    #[tokio::test]
    async fn no_attempt_begins_when_there_is_no_time_left_for_it() {
        let hold = hold();
        let started = hold.clock.now();
        hold.clock.advance_to(started + HOLD);
        let tries = RefCell::new(0);
        let work = async |(): &()| {
            *tries.borrow_mut() += 1;
            Err(Error::bare(Kind::Unavailable, "try"))
        };
        assert!(hold.through(&[(), ()], started, work).await.iter().all(Result::is_err));
        assert_eq!(tries.into_inner(), 2, "the first attempts only");
    }
}
