//! Faults at the seam: what may go wrong with a request, when, and how often; seeded, so that the
//! same seed gives the same faults.

use std::future::Future;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;

use crate::error::lock;
use crate::meter::Service;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The service refuses, with its own code for too many requests.
    Throttle,
    /// The request has its effect, and the answer never comes.
    TimeoutApplied,
    /// The request never has its effect, and no answer comes.
    TimeoutNotApplied,
    /// No connection.
    Unreachable,
    /// The service answers 500 without an effect.
    ServerError,
    /// A received message of a standard queue stays visible, so that it is delivered again at once.
    DuplicateDelivery,
    /// A standard queue hands out the newest message in place of the oldest.
    Reorder,
    /// Messages are counted as received and hidden, but do not arrive.
    LostReceive,
    /// An eventually consistent `GetItem` answers as the same read did up to a second ago.
    StaleRead,
    /// SES's events about a mail never arrive (`SendEmail`).
    LostFeedback,
    /// SES's events about a mail arrive twice (`SendEmail`).
    DuplicateFeedback,
    /// SES's events about a mail arrive ten minutes later, in reverse order (`SendEmail`).
    LateFeedback,
}

impl Kind {
    /// Whether it happens in the connection or at the service's door, for every operation.
    fn is_at_the_door(self) -> bool {
        matches!(
            self,
            Self::Throttle | Self::TimeoutApplied | Self::TimeoutNotApplied | Self::Unreachable | Self::ServerError
        )
    }
}

/// When a fault strikes, among the requests that it fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Each time with this probability, 0 to 1.
    Chance(f64),
    /// At the n-th fitting request since the rules were set, counted from 1.
    Call(u64),
}

/// A rule: what goes wrong, where, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The service, or any.
    pub service: Option<Service>,
    /// The operation as the service names it (`PutItem`), or any.
    pub operation: Option<String>,
    /// What goes wrong.
    pub kind: Kind,
    /// When it does.
    pub when: When,
    /// How often it may still strike; `None` is without end.
    pub remaining: Option<u32>,
}

impl Fault {
    /// A fault of any service and operation, without end.
    #[must_use]
    pub fn new(kind: Kind, when: When) -> Self {
        Self { service: None, operation: None, kind, when, remaining: None }
    }

    /// The same fault at one service only.
    #[must_use]
    pub fn at(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }

    /// The same fault for one operation only.
    #[must_use]
    pub fn on(self, operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..self }
    }

    /// The same fault, striking no more than `times`.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { remaining: Some(times), ..self }
    }

    fn fits(&self, service: Service, operation: &str) -> bool {
        self.service.is_none_or(|of| of == service)
            && self.operation.as_deref().is_none_or(|of| of == operation)
            && self.remaining != Some(0)
    }
}

/// A fault that struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// When, by the cloud's clock.
    pub at: Timestamp,
    /// The service.
    pub service: Service,
    /// The operation.
    pub operation: String,
    /// What went wrong.
    pub kind: Kind,
}

/// Which side of its effect a crash comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The n-th request is never sent.
    Before,
    /// The n-th request has its effect; its answer finds nobody.
    After,
}

/// What the crash layer says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Go on.
    None,
    /// Never resolve, without the effect.
    Before,
    /// Let it have its effect, then never resolve.
    After,
}

#[derive(Debug)]
struct State {
    rules: Vec<(Fault, u64)>,
    random: StdRng,
    injected: Vec<Injected>,
    requests: u64,
    crash_at: Option<(u64, Side)>,
}

/// The fault layers; clones share them.
#[derive(Clone, Debug)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    crashed: Arc<watch::Sender<bool>>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            rules: Vec::new(),
            random: StdRng::seed_from_u64(seed ^ 0xFA17_FA17),
            injected: Vec::new(),
            requests: 0,
            crash_at: None,
        };
        Self { state: Arc::new(Mutex::new(state)), crashed: Arc::new(watch::Sender::new(false)) }
    }

    /// Sets the rules, in place of those before; their calls are counted from here.
    pub fn set(&self, faults: Vec<Fault>) {
        lock(&self.state).rules = faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    /// Ends all faults and takes back a crash, past or to come.
    pub fn clear(&self) {
        let mut state = lock(&self.state);
        state.rules.clear();
        state.crash_at = None;
        self.crashed.send_replace(false);
    }

    /// What struck so far, in order.
    #[must_use]
    pub fn injected(&self) -> Vec<Injected> {
        lock(&self.state).injected.clone()
    }

    /// What struck last.
    #[must_use]
    pub fn latest(&self) -> Option<Injected> {
        lock(&self.state).injected.last().cloned()
    }

    /// AWS requests answered or broken so far: the crash points there were.
    #[must_use]
    pub fn requests(&self) -> u64 {
        lock(&self.state).requests
    }

    /// From the `n`-th request from now on (1 is the next), no request ever resolves; `side` says
    /// whether the n-th still has its effect. [`Faults::clear`] is the restart.
    pub fn crash_at(&self, n: u64, side: Side) {
        let mut state = lock(&self.state);
        state.crash_at = Some((state.requests.saturating_add(n), side));
        self.crashed.send_replace(false);
    }

    /// Resolves as soon as a request ran into [`Faults::crash_at`].
    pub fn crashed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut crashed = self.crashed.subscribe();
        async move {
            if crashed.wait_for(|yes| *yes).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether a request ran into [`Faults::crash_at`].
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        *self.crashed.borrow()
    }

    /// Counts a request and says whether the process crashes at it.
    pub(crate) fn count(&self) -> Crash {
        let mut state = lock(&self.state);
        state.requests += 1;
        match state.crash_at {
            Some((at, Side::After)) if state.requests == at => Crash::After,
            Some((at, _)) if state.requests >= at => Crash::Before,
            _ => Crash::None,
        }
    }

    /// Tells those who wait for [`Faults::crashed`].
    pub(crate) fn tell_crashed(&self) {
        self.crashed.send_replace(true);
    }

    /// What strikes a request in the connection or at the service's door, if anything does.
    pub(crate) fn at_the_door(&self, now: Timestamp, service: Service, operation: &str) -> Option<Kind> {
        self.strike(now, service, operation, Kind::is_at_the_door)
    }

    /// Whether one kind of fault strikes a request.
    pub(crate) fn strikes(&self, now: Timestamp, service: Service, operation: &str, kind: Kind) -> bool {
        self.strike(now, service, operation, |of| of == kind).is_some()
    }

    /// Whether there is a rule of this kind at all.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        lock(&self.state).rules.iter().any(|(fault, _)| fault.kind == kind)
    }

    fn strike(
        &self,
        now: Timestamp,
        service: Service,
        operation: &str,
        of_interest: impl Fn(Kind) -> bool,
    ) -> Option<Kind> {
        let mut state = lock(&self.state);
        let State { rules, random, injected, .. } = &mut *state;
        let mut struck = None;
        for (fault, calls) in rules.iter_mut() {
            if !of_interest(fault.kind) || !fault.fits(service, operation) {
                continue;
            }
            *calls += 1;
            if struck.is_some() {
                continue;
            }
            let strikes = match fault.when {
                When::Chance(chance) => random.random_bool(chance.clamp(0.0, 1.0)),
                When::Call(n) => *calls == n,
            };
            if strikes {
                fault.remaining = fault.remaining.map(|left| left.saturating_sub(1));
                injected.push(Injected { at: now, service, operation: operation.to_owned(), kind: fault.kind });
                struck = Some(fault.kind);
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_fault_strikes_at_its_call_and_no_other() {
        let faults = Faults::new(1);
        faults.set(vec![Fault::new(Kind::Throttle, When::Call(2)).on("PutItem")]);
        let mut struck = Vec::new();
        for operation in ["PutItem", "GetItem", "PutItem", "PutItem"] {
            struck.push(faults.at_the_door(NOW, Service::DynamoDb, operation).is_some());
        }
        assert_eq!(struck, [false, false, true, false]);
        assert_eq!(faults.injected().len(), 1);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let run = |seed| {
            let faults = Faults::new(seed);
            faults.set(vec![Fault::new(Kind::ServerError, When::Chance(0.5)).times(20)]);
            (0..100).map(|_| faults.at_the_door(NOW, Service::Ses, "SendEmail").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert_eq!(run(7).iter().filter(|struck| **struck).count(), 20);
    }

    #[test]
    fn a_crash_stops_everything_from_its_request_on() {
        let faults = Faults::new(1);
        assert_eq!(faults.count(), Crash::None);
        faults.crash_at(2, Side::After);
        assert_eq!([faults.count(), faults.count(), faults.count()], [Crash::None, Crash::After, Crash::Before]);
        faults.clear();
        assert_eq!(faults.count(), Crash::None);
        assert_eq!(faults.requests(), 5);
    }
}
