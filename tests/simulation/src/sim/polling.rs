//! Lambda's pollers: who looks at which queue, and how soon again.

use dunlin_aws::resources::Queue;
use dunlin_local::{Cloud, Function};
use rand::RngExt;

use super::environment::{Role, Subject};
use super::{Event, Sim};

/// Milliseconds until a poller takes up what is there.
const SOON: i64 = 30;
/// Milliseconds until it looks again where a receive brought nothing, at most: its long poll comes back by then.
const LATER: i64 = 2_000;

/// A queue and who reads it.
#[derive(Debug)]
struct Poll {
    function: Function,
    queue: &'static Queue,
    name: String,
    /// Whether a look is on the agenda.
    is_coming: bool,
    /// Milliseconds to the next look after one that brought nothing.
    pause: i64,
}

/// All queues that are read.
#[derive(Debug)]
pub(crate) struct Polls(Vec<Poll>);

impl Polls {
    pub(crate) fn new(prefix: &str) -> Self {
        let read = |function: Function| function.queues().iter().map(move |queue| (function, queue));
        let poll = |(function, queue): (Function, &'static Queue)| {
            let name = format!("{prefix}{}", queue.name());
            Poll { function, queue, name, is_coming: false, pause: 0 }
        };
        Self(Function::ALL.into_iter().flat_map(read).map(poll).collect())
    }

    /// Whether no queue holds anything.
    pub(crate) fn are_empty(&self, cloud: &Cloud) -> bool {
        self.0.iter().all(|poll| cloud.sqs().depth(&poll.name).total() == 0)
    }
}

impl Sim {
    /// Puts the looks on the agenda that are worth it.
    pub(super) fn look(&mut self) {
        let now = self.millis();
        for index in 0..self.polls.0.len() {
            let Some(poll) = self.polls.0.get(index) else { continue };
            if poll.is_coming || self.cloud.sqs().depth(&poll.name).visible == 0 || !self.has_room(poll) {
                continue;
            }
            let soon = now + poll.pause + self.chance.random_range(1..=SOON);
            if let Some(poll) = self.polls.0.get_mut(index) {
                poll.is_coming = true;
            }
            self.put(soon, Event::Poll(index));
        }
    }

    fn has_room(&self, poll: &Poll) -> bool {
        let busy = self.environments.values().filter(|one| match &one.work {
            Some(work) => matches!(work.subject, Subject::Batch { queue, .. } if queue.stem == poll.queue.stem),
            None => false,
        });
        u32::try_from(busy.count()).unwrap_or(u32::MAX) < self.conduct.concurrency(poll.queue)
    }

    /// A poller looks at its queue, and hands over what it finds.
    pub(super) fn poll(&mut self, index: usize) {
        let size = if self.conduct.batch > 1 { self.chance.random_range(1..=self.conduct.batch) } else { 1 };
        let Some(poll) = self.polls.0.get_mut(index) else { return };
        poll.is_coming = false;
        let messages = self.cloud.sqs().receive(&poll.name, size);
        if messages.is_empty() {
            poll.pause = (poll.pause * 2).clamp(SOON, LATER);
            return;
        }
        poll.pause = 0;
        let (role, queue, name) = (Role::Function(poll.function), poll.queue, poll.name.clone());
        self.take_batch(role, queue, &name, messages);
    }
}
