//! A batch of messages from one of the two lanes of calls: one piece of work a person, in the order of their messages.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dunlin_aws::batch::{Fates, Record, read, settle, source};
use dunlin_aws::resources::Queue;
use dunlin_aws::turns::Turns;
use dunlin_aws::{Error, Kind, resources};
use dunlin_core::call::Call;
use dunlin_core::ids::{ProjectId, UserId};
use dunlin_core::task::Calls;
use jiff::Timestamp;

use crate::Evaluate;

/// Times a person's calls are decided again at once when somebody else stored the profile in between.
const CONFLICTS: usize = 4;

impl Evaluate {
    /// Handles a batch; holds it while a service is away. When one message of a person comes back, the later ones of that person come back with it.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        self.pulses.around(event, |event| self.batch(event)).await
    }

    async fn batch(&self, event: SqsEvent) -> SqsBatchResponse {
        let (lane, now) = (source(&event).unwrap_or(resources::EVENTS), self.clock.now());
        let mut fates = Fates::of(lane);
        let records = read::<Calls>(event, &self.parked, now, &mut fates).await;
        let mut people = by_person(records);
        for records in &mut people {
            let urgent = records.iter().any(|record| self.is_urgent(&record.task));
            // All of a person's, since they come back in their order.
            records.iter_mut().for_each(|record| record.urgent = urgent);
        }
        let turns = Turns::of(people.iter().filter_map(|records| project(records)));
        let work = |records| {
            turns.take(project(records), async move {
                self.hold.in_time(now)?;
                self.person(lane, records).await
            })
        };
        let results = self.hold.through(&people, now, |records| work(records)).await;
        for (records, result) in people.iter().zip(results) {
            match result {
                Err(error) if !error.kind.is_retryable() && records.len() > 1 => {
                    self.one_by_one(lane, records, now, &mut fates).await
                }
                Err(error) if error.kind.is_retryable() => {
                    records.iter().for_each(|record| fates.again(record, &error));
                }
                result => self.settle_all(records, result, &mut fates).await,
            }
        }
        fates.response(&self.hold).await
    }

    /// Whether a call of these may start a transactional campaign, as far as this environment knows.
    fn is_urgent(&self, task: &Calls) -> bool {
        task.calls.iter().any(|call| {
            let Some(live) = self.catalog.known(&call.project) else { return false };
            live.campaigns.asked_by(call).iter().any(|asking| asking.published.campaign.ignores_unsubscribes())
        })
    }

    async fn settle_all(&self, records: &[Record<Calls>], result: Result<(), Error>, fates: &mut Fates) {
        if let (Err(error), Some(record)) = (result, records.first()) {
            settle(record, Err(error), &self.parked, self.clock.now(), fates).await;
        }
    }

    /// Some message is poison: each by itself tells which, and the others are not harmed.
    async fn one_by_one(&self, lane: Queue, records: &[Record<Calls>], started: Timestamp, fates: &mut Fates) {
        let mut blocked = None;
        for record in records {
            if blocked.is_none() {
                blocked = self.hold.in_time(started).err();
            }
            if let Some(error) = &blocked {
                fates.again(record, error);
                continue;
            }
            match self.person(lane, std::slice::from_ref(record)).await {
                Err(error) if error.kind.is_retryable() => {
                    fates.again(record, &error);
                    blocked = Some(error);
                }
                result => {
                    settle(record, result, &self.parked, self.clock.now(), fates).await;
                    // Where not even parking worked, the order within the group still holds.
                    blocked = fates.comes_back(record).then(|| Error::bare(Kind::Unavailable, "park a task"));
                }
            }
        }
    }

    async fn person(&self, lane: Queue, records: &[Record<Calls>]) -> Result<(), Error> {
        let calls: Vec<&Call> = records.iter().flat_map(|record| &record.task.calls).collect();
        let mut last = Error::bare(Kind::Conflict, "evaluate");
        for _ in 0..CONFLICTS {
            match self.take(lane, &calls).await {
                Err(error) if error.kind == Kind::Conflict => last = error,
                result => return result,
            }
        }
        Err(last)
    }
}

/// The records of each person, in order; the people in the order of their first record.
fn by_person(records: Vec<Record<Calls>>) -> Vec<Vec<Record<Calls>>> {
    let mut people: Vec<Vec<Record<Calls>>> = Vec::new();
    for record in records {
        let Some(person) = person(&record) else { continue };
        match people.iter_mut().find(|known| known.first().and_then(self::person) == Some(person)) {
            Some(records) => records.push(record),
            None => people.push(vec![record]),
        }
    }
    people
}

/// Whose person the records are about.
fn project(records: &[Record<Calls>]) -> Option<&ProjectId> {
    Some(person(records.first()?)?.0)
}

/// Whom a record is about.
fn person(record: &Record<Calls>) -> Option<(&ProjectId, &UserId)> {
    record.task.calls.first().map(|call| (&call.project, &call.user))
}
