//! When the schedule fires. In AWS it does every minute; a sweep that would find nothing need not be played: only those
//! are that a timer, the spill or a failure calls for. Before one of them the cursors are put where the sweeps in between
//! would have left them.

#![allow(clippy::indexing_slicing, reason = "a JSON value without such a member indexes to null")]

use std::collections::BTreeSet;

use bytes::Bytes;
use dunlin_aws::Clients;
use dunlin_aws::resources::TIMERS;
use dunlin_aws::timers::{AHEAD, Cursor, OVERDUE, Timers, Walk};
use dunlin_local::Service;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::environment::instant;

/// Milliseconds between sweeps.
const MINUTE: i64 = 60_000;
/// Milliseconds by which clocks may be off, and a little.
const MARGIN: i64 = 5_000;

/// What is known of timers, the spill and past sweeps.
#[derive(Debug)]
pub(crate) struct Sweeps {
    timers: BTreeSet<i64>,
    spilled: bool,
    last: i64,
    /// Up to when the walks have seen everything: ahead of time, and behind it.
    cursors: [i64; 2],
    failed: bool,
    is_under_way: bool,
    /// Whether every sweep is played, also those that find nothing.
    pub(crate) is_each_played: bool,
}

impl Sweeps {
    pub(crate) fn new(now: i64) -> Self {
        let last = now - now.rem_euclid(MINUTE);
        Self {
            timers: BTreeSet::new(),
            spilled: false,
            last,
            cursors: [last; 2],
            failed: false,
            is_under_way: false,
            is_each_played: false,
        }
    }

    /// Takes note of a timer that was put, of a cursor that went on, or of a call that was spilled.
    pub(crate) fn see(&mut self, service: Service, operation: &str, request: &Request<Bytes>) {
        match (service, operation) {
            (Service::S3, _) if request.method() == Method::PUT && request.uri().path().contains("/spill/") => {
                self.spilled = true;
            }
            (Service::DynamoDb, "PutItem") => self.put(request),
            _ => {}
        }
    }

    fn put(&mut self, request: &Request<Bytes>) {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        if !body["TableName"].as_str().is_some_and(|name| name.ends_with(TIMERS.name)) {
            return;
        }
        let (pk, sk) = (body["Item"]["pk"]["S"].as_str(), body["Item"]["sk"]["S"].as_str().unwrap_or_default());
        if pk != Some("cursors") {
            self.timers.extend(sk.split('#').next().and_then(|millis| millis.parse::<i64>().ok()));
            return;
        }
        let state = body["Item"]["b"]["S"].as_str().and_then(|text| serde_json::from_str::<Timestamp>(text).ok());
        let [due, overdue] = &mut self.cursors;
        let cursor = if sk == "due" { due } else { overdue };
        *cursor = state.map_or(*cursor, |state| state.as_millisecond());
    }

    /// When the next sweep is called for, while none is under way.
    pub(crate) fn due(&self) -> Option<i64> {
        if self.is_under_way {
            return None;
        }
        let [due, overdue] = self.cursors;
        let soon = (self.spilled || self.failed || self.is_each_played).then_some(self.last + MINUTE);
        let ahead = self.timers.range(due + 1..).next().map(|at| at - millis(AHEAD) + MARGIN);
        let behind = self.timers.range(overdue + 1..).next().map(|at| at + millis(OVERDUE) + MARGIN);
        let next = [soon, ahead, behind].into_iter().flatten().min()?.max(self.last + MINUTE);
        Some(next + (MINUTE - next.rem_euclid(MINUTE)) % MINUTE)
    }

    /// A sweep begins: puts the cursors where those would have left them that found nothing.
    pub(crate) async fn begin(&mut self, now: i64, clients: &Clients, prefix: &str) {
        let idle = now - self.last > 2 * MINUTE && !self.failed;
        (self.last, self.spilled, self.is_under_way) = (now, false, true);
        if !idle {
            return;
        }
        let timers = Timers::new(clients, prefix);
        let reaches = [(Walk::Due, millis(AHEAD)), (Walk::Overdue, -millis(OVERDUE))];
        for (cursor, (walk, reach)) in self.cursors.iter_mut().zip(reaches) {
            let found = self.timers.range(*cursor + 1..).next().map_or(i64::MAX, |at| at - 1);
            let to = (now - MINUTE + reach).min(found);
            let Ok(there) = timers.cursor(walk).await else { continue };
            let version = there.map_or(0, |there| there.version);
            let there = Cursor { upto: instant(to), under_way: None, version };
            if to > *cursor && timers.advance(walk, &there).await.is_ok() {
                *cursor = to;
            }
        }
        let gone = self.cursors.into_iter().min().unwrap_or_default();
        self.timers = self.timers.split_off(&gone);
    }

    pub(crate) fn ended(&mut self, swept: bool) {
        self.is_under_way = false;
        self.failed = !swept;
    }
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
