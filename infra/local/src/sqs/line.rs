//! One queue's messages: which may be received, which wait, in which order. Pure: time comes in.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::message::{Millis, Stored};

/// Most messages of a queue that may be in flight (SQS quotas: 120,000, standard and FIFO).
pub(crate) const MAX_IN_FLIGHT: usize = 120_000;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Accepted, and not yet safely stored: nobody sees it.
    Arriving,
    /// Its delay has not passed.
    Delayed,
    /// It may be received.
    Visible,
    /// Received and hidden.
    InFlight,
}

#[derive(Debug)]
struct Entry {
    stored: Stored,
    state: State,
}

/// The messages of one group. All messages without a group are one lane of a standard queue.
#[derive(Debug, Default)]
struct Lane {
    visible: BTreeSet<u64>,
    in_flight: usize,
    in_ring: bool,
}

impl Lane {
    fn can_give(&self, fifo: bool) -> bool {
        let closed = fifo && self.in_flight > 0;
        !self.visible.is_empty() && !closed
    }
}

type Group = Option<Arc<str>>;

/// Ways in which a receive may go wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disturbance {
    /// What is handed out stays visible.
    pub(crate) duplicate: bool,
    /// The newest goes first.
    pub(crate) reorder: bool,
    /// The groups' turns are drawn, from this seed.
    pub(crate) any_group: Option<u64>,
}

/// How a receive is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Take {
    pub(crate) max: usize,
    pub(crate) visible_at: Millis,
    /// Receives before a message is given up.
    pub(crate) max_receive_count: Option<u32>,
    pub(crate) disturbance: Disturbance,
}

/// What a receive brought.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Handed to the receiver.
    pub(crate) given: Vec<Stored>,
    /// Received too often: to the dead-letter queue.
    pub(crate) spent: Vec<Stored>,
}

/// The messages of one queue. Every operation costs the logarithm of their number.
#[derive(Debug, Default)]
pub(crate) struct Line {
    fifo: bool,
    entries: BTreeMap<u64, Entry>,
    /// Delayed and in-flight messages by the instant at which they become visible.
    later: BTreeSet<(Millis, u64)>,
    lanes: HashMap<Group, Lane>,
    /// Groups that can give a message, in turn: the fair order.
    ring: VecDeque<Group>,
    visible: usize,
    delayed: usize,
    in_flight: usize,
}

impl Line {
    pub(crate) fn new(fifo: bool) -> Self {
        Self { fifo, ..Self::default() }
    }

    /// Accepts a message that nobody sees before [`Line::arrive`].
    pub(crate) fn reserve(&mut self, stored: Stored) {
        self.entries.insert(stored.key, Entry { stored, state: State::Arriving });
    }

    /// Makes an accepted message visible, or lets its delay begin.
    pub(crate) fn arrive(&mut self, key: u64, now: Millis) {
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.state == State::Arriving) else { return };
        let visible_at = entry.stored.visible_at;
        if visible_at <= now {
            self.show(key);
            return;
        }
        if entry.stored.receives > 0 {
            entry.state = State::InFlight;
            self.in_flight += 1;
            let group = entry.stored.content.group.clone();
            self.lanes.entry(group).or_default().in_flight += 1;
        } else {
            entry.state = State::Delayed;
            self.delayed += 1;
        }
        self.later.insert((visible_at, key));
    }

    /// Makes visible what became due.
    pub(crate) fn tick(&mut self, now: Millis) {
        while let Some(&(at, key)) = self.later.first().filter(|(at, _)| *at <= now) {
            self.later.remove(&(at, key));
            self.hide(key);
            self.show(key);
        }
    }

    /// Removes messages sent at or before an instant (retention), up to `max` of them.
    pub(crate) fn expire(&mut self, sent_before: Millis, max: usize) -> Vec<u64> {
        let old: Vec<u64> = self
            .entries
            .values()
            .take(max)
            .take_while(|entry| entry.stored.content.sent_at <= sent_before)
            .map(|entry| entry.stored.key)
            .collect();
        old.iter().for_each(|key| drop(self.remove(*key)));
        old
    }

    /// Receives messages: group by group in turn. A FIFO queue gives as many of one group as it
    /// can before it goes on to the next, and nothing of a group that has one in flight.
    pub(crate) fn take(&mut self, take: &Take) -> Taken {
        let mut taken = Taken::default();
        let mut shown_again = Vec::new();
        let mut turns = take.disturbance.any_group.map(StdRng::seed_from_u64);
        while taken.given.len() < take.max && self.in_flight < MAX_IN_FLIGHT {
            let turn = turns.as_mut().map_or(0, |turns| turns.random_range(0..self.ring.len().max(1)));
            let Some(group) = self.ring.remove(turn) else { break };
            if let Some(lane) = self.lanes.get_mut(&group) {
                lane.in_ring = false;
                if lane.can_give(self.fifo) {
                    let of_this_group = if self.fifo { take.max - taken.given.len() } else { 1 };
                    self.take_of_group(&group, of_this_group, take, &mut taken, &mut shown_again);
                }
            }
            self.line_up(&group);
        }
        shown_again.into_iter().for_each(|key| self.show(key));
        taken
    }

    fn take_of_group(&mut self, group: &Group, max: usize, take: &Take, taken: &mut Taken, shown_again: &mut Vec<u64>) {
        let mut given = 0;
        while given < max {
            let Some(lane) = self.lanes.get(group) else { break };
            let next = if take.disturbance.reorder { lane.visible.last() } else { lane.visible.first() };
            let Some(&key) = next else { break };
            let Some(entry) = self.entries.get(&key) else { break };
            if take.max_receive_count.is_some_and(|max| entry.stored.receives >= max) {
                taken.spent.extend(self.remove(key));
                continue;
            }
            self.unshow(key);
            let Some(entry) = self.entries.get_mut(&key) else { break };
            given += 1;
            if take.disturbance.duplicate {
                // The copy's receipt is not the message's own, so that deleting it deletes nothing.
                taken.given.push(Stored { receives: entry.stored.receives + 1, ..entry.stored.clone() });
                shown_again.push(key);
                continue;
            }
            entry.stored.receives += 1;
            entry.stored.visible_at = take.visible_at;
            entry.state = State::InFlight;
            taken.given.push(entry.stored.clone());
            self.later.insert((take.visible_at, key));
            self.in_flight += 1;
            if let Some(lane) = self.lanes.get_mut(group) {
                lane.in_flight += 1;
            }
        }
    }

    /// Notes the first receive, which the caller's clock knows.
    pub(crate) fn note_first_receive(&mut self, key: u64, now: Millis) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.stored.first_received_at.get_or_insert(now);
        }
    }

    /// Takes a message out of the queue.
    pub(crate) fn remove(&mut self, key: u64) -> Option<Stored> {
        let entry = self.entries.get(&key)?;
        match entry.state {
            State::Arriving => {}
            State::Visible => self.unshow(key),
            State::Delayed | State::InFlight => {
                self.later.remove(&(entry.stored.visible_at, key));
                self.hide(key);
            }
        }
        let stored = self.entries.remove(&key)?.stored;
        self.line_up(&stored.content.group);
        Some(stored)
    }

    /// Changes when a message in flight becomes visible.
    pub(crate) fn set_visible_at(&mut self, key: u64, at: Millis) {
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.state == State::InFlight) else { return };
        self.later.remove(&(entry.stored.visible_at, key));
        entry.stored.visible_at = at;
        self.later.insert((at, key));
    }

    /// A message and where it stands.
    pub(crate) fn get(&self, key: u64) -> Option<(&Stored, State)> {
        self.entries.get(&key).map(|entry| (&entry.stored, entry.state))
    }

    /// The keys of all messages, oldest first.
    pub(crate) fn keys(&self) -> Vec<u64> {
        self.entries.keys().copied().collect()
    }

    /// When the next message becomes visible.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Whether a receive would bring something.
    pub(crate) fn can_give(&self) -> bool {
        self.in_flight < MAX_IN_FLIGHT
            && self.ring.iter().any(|group| self.lanes.get(group).is_some_and(|lane| lane.can_give(self.fifo)))
    }

    /// Visible, delayed and in-flight messages, and when the oldest of all was sent.
    pub(crate) fn counts(&self) -> (usize, usize, usize, Option<Millis>) {
        let oldest = self.entries.values().next().map(|entry| entry.stored.content.sent_at);
        (self.visible, self.delayed, self.in_flight, oldest)
    }

    /// Ends a delay or a flight: takes a message out of those counts.
    fn hide(&mut self, key: u64) {
        let Some(entry) = self.entries.get(&key) else { return };
        match entry.state {
            State::Delayed => self.delayed -= 1,
            State::InFlight => {
                self.in_flight -= 1;
                if let Some(lane) = self.lanes.get_mut(&entry.stored.content.group) {
                    lane.in_flight -= 1;
                }
            }
            State::Arriving | State::Visible => {}
        }
    }

    fn show(&mut self, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.state = State::Visible;
        let group = entry.stored.content.group.clone();
        self.visible += 1;
        self.lanes.entry(group.clone()).or_default().visible.insert(key);
        self.line_up(&group);
    }

    fn unshow(&mut self, key: u64) {
        let Some(entry) = self.entries.get(&key) else { return };
        if let Some(lane) = self.lanes.get_mut(&entry.stored.content.group)
            && lane.visible.remove(&key)
        {
            self.visible -= 1;
        }
    }

    /// Puts a group into the ring if it can give, and forgets it if it is empty.
    fn line_up(&mut self, group: &Group) {
        let Some(lane) = self.lanes.get_mut(group) else { return };
        if lane.can_give(self.fifo) && !lane.in_ring {
            lane.in_ring = true;
            self.ring.push_back(group.clone());
        } else if lane.visible.is_empty() && lane.in_flight == 0 && !lane.in_ring {
            self.lanes.remove(group);
        }
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
