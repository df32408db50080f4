//! All queues as one state machine: no I/O and no clock. What must be stored is left in `changes`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::change::{Accepted, BadReceipt, Change, Draft, Remembered, Settings, known_as};
use super::line::{Disturbance, Line, State, Take};
use super::message::{Content, Message, Millis, Receipt, Stored};

/// How long a FIFO queue remembers a deduplication id: five minutes (SQS developer guide).
pub(crate) const DEDUPLICATION_MILLIS: Millis = 5 * 60 * 1000;

/// Messages after which old deduplication ids are removed from the disk.
const FORGET_EVERY: u64 = 4096;

/// A queue: its settings, messages, and what it remembers.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: Arc<str>,
    pub(crate) settings: Settings,
    pub(crate) line: Line,
    known: HashMap<String, (String, u64)>,
    known_order: VecDeque<(Millis, u64, String)>,
}

/// Every queue of the account.
#[derive(Debug)]
pub(crate) struct Engine {
    queues: BTreeMap<Arc<str>, Queue>,
    random: StdRng,
    next_key: u64,
    changes: Vec<Change>,
    durable: bool,
}

impl Engine {
    /// An engine without queues; `first_key` is above every key ever given. `durable` says whether
    /// anybody collects the changes.
    pub(crate) fn new(seed: u64, first_key: u64, durable: bool) -> Self {
        Self {
            queues: BTreeMap::new(),
            random: StdRng::seed_from_u64(seed ^ first_key.rotate_left(17)),
            next_key: first_key.max(1),
            changes: Vec::new(),
            durable,
        }
    }

    /// The changes since the last call, in order.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    fn note(&mut self, change: Change) {
        if self.durable {
            self.changes.push(change);
        }
    }

    /// Creates a queue, or gives an existing one other settings.
    pub(crate) fn set_queue(&mut self, name: &str, settings: Settings) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.settings = settings.clone();
        } else {
            let name: Arc<str> = Arc::from(name);
            let line = Line::new(settings.fifo);
            let queue = Queue {
                name: Arc::clone(&name),
                settings: settings.clone(),
                line,
                known: HashMap::new(),
                known_order: VecDeque::new(),
            };
            self.queues.insert(name, queue);
        }
        self.note(Change::Queue { name: name.to_owned(), settings });
    }

    /// A queue, with time passed up to `now`.
    pub(crate) fn queue(&mut self, name: &str, now: Millis) -> Option<&mut Queue> {
        let durable = self.durable;
        let queue = self.queues.get_mut(name)?;
        for key in queue.pass(now) {
            if durable {
                self.changes.push(Change::Remove { key });
            }
        }
        Some(queue)
    }

    /// The names of all queues, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.queues.keys()
    }

    /// Puts back what was stored before.
    pub(crate) fn restore(&mut self, queue: &str, stored: Stored, now: Millis) {
        if let Some(queue) = self.queues.get_mut(queue) {
            let key = stored.key;
            queue.line.reserve(stored);
            queue.line.arrive(key, now);
        }
    }

    /// Puts back a deduplication id that was remembered before.
    pub(crate) fn restore_known(&mut self, queue: &str, remembered: &Remembered) {
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.remember(remembered);
        }
    }

    /// A random message id in the form of a UUID, as SQS gives.
    pub(crate) fn random_id(&mut self) -> String {
        let n: u128 = self.random.random();
        let hex = format!("{n:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }

    /// Accepts a message; it is seen after [`Engine::arrive`]. `None` if there is no such queue.
    pub(crate) fn reserve(&mut self, name: &str, draft: Draft, now: Millis) -> Option<Accepted> {
        let queue = self.queue(name, now)?;
        let known_as = draft.known_as(&queue.settings);
        if let Some((id, key)) = known_as.as_ref().and_then(|known_as| queue.known.get(known_as)) {
            return Some(Accepted { id: id.clone(), key: *key, fresh: false });
        }
        let name = Arc::clone(&queue.name);
        let delay =
            Millis::from(draft.delay_seconds.unwrap_or(queue.settings.delay_seconds)) * 1000 + draft.late_millis;
        let fifo = queue.settings.fifo;
        let id = self.random_id();
        let key = self.next_key;
        self.next_key += 1;
        let content = Content {
            id: id.clone(),
            body: draft.body,
            group: draft.group.map(Arc::from),
            deduplication: draft.deduplication,
            attributes: draft.attributes,
            sent_at: now,
            source: None,
        };
        let remembered =
            known_as.filter(|_| fifo).map(|deduplication| Remembered { deduplication, id: id.clone(), key, at: now });
        let visible_at = now + delay;
        let stored = Stored { key, content: Arc::new(content), visible_at, receives: 0, first_received_at: None };
        if self.durable {
            self.changes.push(Change::Insert { queue: Arc::clone(&name), stored: stored.clone() });
            if let Some(remembered) = &remembered {
                self.changes.push(Change::Remember { queue: Arc::clone(&name), remembered: remembered.clone() });
            }
        }
        if key.is_multiple_of(FORGET_EVERY) {
            self.note_forget();
        }
        let queue = self.queues.get_mut(&name)?;
        queue.line.reserve(stored);
        if let Some(remembered) = &remembered {
            queue.remember(remembered);
        }
        Some(Accepted { id, key, fresh: true })
    }

    /// Shows messages that were accepted, once they are safe.
    pub(crate) fn arrive(&mut self, name: &str, keys: &[u64], now: Millis) {
        if let Some(queue) = self.queues.get_mut(name) {
            keys.iter().for_each(|key| queue.line.arrive(*key, now));
        }
    }

    /// Takes back messages that were accepted and could not be stored.
    pub(crate) fn withdraw(&mut self, name: &str, keys: &[u64]) {
        if let Some(queue) = self.queues.get_mut(name) {
            for stored in keys.iter().filter_map(|key| queue.line.remove(*key)) {
                let (group, id) = (stored.content.group.as_deref(), stored.content.deduplication.as_deref());
                if let Some(known_as) = known_as(&queue.settings, group, id) {
                    queue.known.remove(&known_as);
                }
            }
        }
    }

    /// Receives up to `max` messages, hidden for `visibility_seconds` (or the queue's own). What
    /// was received too often goes to the dead-letter queue instead.
    pub(crate) fn receive(
        &mut self,
        name: &str,
        now: Millis,
        max: usize,
        visibility_seconds: Option<u32>,
        disturbance: Disturbance,
    ) -> Vec<Message> {
        let Some(queue) = self.queue(name, now) else { return Vec::new() };
        let seconds = visibility_seconds.unwrap_or(queue.settings.visibility_seconds);
        let visible_at = now + Millis::from(seconds) * 1000;
        let dead_letter = queue.settings.dead_letter.clone();
        let fifo = queue.settings.fifo;
        let source = Arc::clone(&queue.name);
        let max_receive_count = dead_letter.as_ref().map(|to| to.max_receive_count);
        let mut taken = queue.line.take(&Take { max, visible_at, max_receive_count, disturbance });
        for stored in &mut taken.given {
            stored.first_received_at.get_or_insert(now);
            queue.line.note_first_receive(stored.key, now);
        }
        for stored in &taken.given {
            self.note(Change::Received {
                key: stored.key,
                visible_at: stored.visible_at,
                receives: stored.receives,
                first_received_at: stored.first_received_at.unwrap_or(now),
            });
        }
        if let Some(to) = dead_letter {
            taken.spent.into_iter().for_each(|stored| self.give_up(&to.queue, &source, stored, now));
        }
        taken.given.iter().map(|stored| stored.message(fifo)).collect()
    }

    /// Moves a message to a dead-letter queue; it keeps its id, its age and its count.
    fn give_up(&mut self, to: &str, source: &Arc<str>, mut stored: Stored, now: Millis) {
        let key = stored.key;
        let content = Content { source: Some(Arc::clone(source)), ..(*stored.content).clone() };
        stored.content = Arc::new(content);
        stored.visible_at = now;
        let Some(queue) = self.queues.get_mut(to) else {
            self.note(Change::Remove { key });
            return;
        };
        let name = Arc::clone(&queue.name);
        queue.line.reserve(stored);
        queue.line.arrive(key, now);
        self.note(Change::Move { key, queue: name, source: Arc::clone(source) });
    }

    /// Deletes by receipt. On a standard queue a receipt older than the latest receive is ignored,
    /// as the API reference warns ("the request succeeds, but the message might not be deleted"). Returns what was deleted.
    pub(crate) fn delete(&mut self, name: &str, receipt: &str, now: Millis) -> Result<Option<Stored>, BadReceipt> {
        let receipt = Receipt::parse(receipt).ok_or(BadReceipt::Invalid)?;
        let Some(queue) = self.queue(name, now) else { return Err(BadReceipt::Invalid) };
        let fifo = queue.settings.fifo;
        let Some((stored, state)) = queue.line.get(receipt.key) else { return Ok(None) };
        let current = stored.receives == receipt.receive;
        if fifo && (!current || state != State::InFlight) {
            return Err(BadReceipt::Expired);
        }
        if !current {
            return Ok(None);
        }
        let deleted = queue.line.remove(receipt.key);
        self.note(Change::Remove { key: receipt.key });
        Ok(deleted)
    }

    /// Keeps a copy of a message that was deleted, to be seen once more: the same message, received by nobody yet.
    pub(crate) fn keep_copy(&mut self, name: &str, deleted: Stored, now: Millis, visible_at: Millis) {
        let key = self.next_key;
        let Some(queue) = self.queues.get_mut(name) else { return };
        self.next_key += 1;
        let copy = Stored { key, visible_at, receives: 0, first_received_at: None, ..deleted };
        queue.line.reserve(copy.clone());
        queue.line.arrive(key, now);
        let queue = Arc::clone(&queue.name);
        self.note(Change::Insert { queue, stored: copy });
    }

    /// Changes when a message in flight becomes visible: `seconds` from now, 0 is at once.
    pub(crate) fn change_visibility(
        &mut self,
        name: &str,
        receipt: &str,
        seconds: u32,
        now: Millis,
    ) -> Result<(), BadReceipt> {
        let receipt = Receipt::parse(receipt).ok_or(BadReceipt::Invalid)?;
        let Some(queue) = self.queue(name, now) else { return Err(BadReceipt::Invalid) };
        let current = queue
            .line
            .get(receipt.key)
            .is_some_and(|(stored, state)| stored.receives == receipt.receive && state == State::InFlight);
        if !current {
            return Err(BadReceipt::NotInFlight);
        }
        let visible_at = now + Millis::from(seconds) * 1000;
        queue.line.set_visible_at(receipt.key, visible_at);
        queue.line.tick(now);
        self.note(Change::VisibleAt { key: receipt.key, visible_at });
        Ok(())
    }

    /// Deletes everything in a queue, and says how many messages that were.
    pub(crate) fn purge(&mut self, name: &str, now: Millis) -> usize {
        let Some(queue) = self.queue(name, now) else { return 0 };
        let keys = queue.line.keys();
        for key in &keys {
            queue.line.remove(*key);
        }
        keys.iter().for_each(|key| self.note(Change::Remove { key: *key }));
        keys.len()
    }

    /// Removes a queue with all that it holds.
    pub(crate) fn remove_queue(&mut self, name: &str, now: Millis) {
        self.purge(name, now);
        self.queues.remove(name);
        self.note(Change::QueueGone { name: name.to_owned() });
    }

    /// Moves what a dead-letter queue holds back to where it came from, or to `to`. A moved message
    /// is new: id, age and receive count start again, as the SQS developer guide says of redrive.
    pub(crate) fn redrive(&mut self, name: &str, to: Option<&str>, now: Millis) -> Vec<(String, u64)> {
        let Some(queue) = self.queue(name, now) else { return Vec::new() };
        let mut moved = Vec::new();
        for key in queue.line.keys() {
            let Some(queue) = self.queues.get_mut(name) else { break };
            let source = queue.line.get(key).filter(|(_, state)| *state == State::Visible);
            let source = source.and_then(|(stored, _)| stored.content.source.clone());
            let Some(target) = to.map(Arc::from).or(source) else { continue };
            let Some(stored) = queue.line.remove(key) else { continue };
            self.note(Change::Remove { key });
            let content = &stored.content;
            let draft = Draft {
                body: content.body.clone(),
                group: content.group.as_deref().map(str::to_owned),
                deduplication: None,
                delay_seconds: Some(0),
                late_millis: 0,
                attributes: content.attributes.clone(),
            };
            if let Some(accepted) = self.reserve(&target, draft, now) {
                moved.push((target.to_string(), accepted.key));
            }
        }
        moved
    }

    /// The next instant at which any message becomes visible.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.queues.values().filter_map(|queue| queue.line.next_due()).min()
    }

    /// The key below which no deduplication id is remembered any more.
    fn known_from_key(&self) -> u64 {
        let oldest = self.queues.values().filter_map(|queue| queue.known_order.front().map(|(_, key, _)| *key));
        oldest.min().unwrap_or(self.next_key)
    }

    /// Notes something that is stored with the queues' changes, in their order.
    pub(crate) fn note_mail(&mut self, mail: crate::outbox::Mail) {
        self.note(Change::Mail(Box::new(mail)));
    }

    /// Notes that deduplication ids may be forgotten on disk as they were in memory.
    fn note_forget(&mut self) {
        let below_key = self.known_from_key();
        self.note(Change::Forget { below_key });
    }
}

impl Queue {
    /// Lets time pass; returns what retention removed. It removes some at a time, so that no
    /// request pays for a million.
    fn pass(&mut self, now: Millis) -> Vec<u64> {
        const AT_ONCE: usize = 100;
        self.line.tick(now);
        let is_over = |(at, _, _): &mut (Millis, u64, String)| *at + DEDUPLICATION_MILLIS <= now;
        while let Some((_, key, id)) = self.known_order.pop_front_if(is_over) {
            if self.known.get(&id).is_some_and(|(_, known)| *known == key) {
                self.known.remove(&id);
            }
        }
        self.line.expire(now - Millis::from(self.settings.retention_seconds) * 1000, AT_ONCE)
    }

    fn remember(&mut self, remembered: &Remembered) {
        self.known.insert(remembered.deduplication.clone(), (remembered.id.clone(), remembered.key));
        self.known_order.push_back((remembered.at, remembered.key, remembered.deduplication.clone()));
    }
}
