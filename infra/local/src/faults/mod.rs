//! Faults at the seam: what may go wrong with a request, when, and how often; seeded, so that the
//! same seed gives the same faults.

mod crash;
mod kind;
mod rule;

use std::future::Future;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;

pub(crate) use crash::Crash;
pub use crash::Side;
pub use kind::Kind;
pub(crate) use rule::{Asked, Strike, Touched};
pub use rule::{Fault, When};

use crate::error::lock;
use crate::meter::Service;

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

    /// Whether there is no rule at all, as in ordinary runs.
    pub(crate) fn is_quiet(&self) -> bool {
        lock(&self.state).rules.is_empty()
    }

    /// What strikes a request in the connection or at the service's door, if anything does.
    pub(crate) fn at_the_door(&self, asked: &Asked<'_>) -> Option<Strike> {
        self.strike(asked, Kind::is_at_the_door)
    }

    /// Whether one kind of fault strikes a request.
    pub(crate) fn strikes(&self, asked: &Asked<'_>, kind: Kind) -> Option<Strike> {
        self.strike(asked, |of| of == kind)
    }

    /// Whether there is a rule of this kind at all.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        lock(&self.state).rules.iter().any(|(fault, _)| fault.kind == kind)
    }

    /// The widest extent of this kind's rules; none if there is no such rule.
    pub(crate) fn extent(&self, kind: Kind) -> Option<SignedDuration> {
        lock(&self.state)
            .rules
            .iter()
            .filter(|(fault, _)| fault.kind == kind)
            .filter_map(|(fault, _)| fault.extent())
            .max()
    }

    /// A number below `below` (at least 1), from the seed: which of several things a fault befalls.
    pub(crate) fn draw(&self, below: usize) -> usize {
        lock(&self.state).random.random_range(0..below.max(1))
    }

    /// A seed of its own, for a fault that draws more than once.
    pub(crate) fn seed(&self) -> u64 {
        lock(&self.state).random.random()
    }

    fn strike(&self, asked: &Asked<'_>, of_interest: impl Fn(Kind) -> bool) -> Option<Strike> {
        let mut state = lock(&self.state);
        let State { rules, random, injected, .. } = &mut *state;
        let mut struck = None;
        for (fault, calls) in rules.iter_mut() {
            if !of_interest(fault.kind) || !fault.fits(asked) {
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
                let (at, service, operation) = (asked.at, asked.service, asked.operation.to_owned());
                injected.push(Injected { at, service, operation, kind: fault.kind });
                let extent = fault.extent().map(|extent| i64::try_from(extent.as_millis()).unwrap_or(i64::MAX));
                let late_millis = extent.map_or(0, |extent| random.random_range(1..=extent.max(1)));
                struck = Some(Strike { kind: fault.kind, late_millis, item: fault.item(asked) });
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(service: Service, operation: &str) -> Asked<'_> {
        Asked::new(Timestamp::UNIX_EPOCH, service, operation)
    }

    #[test]
    fn a_fault_strikes_at_its_call_and_no_other() {
        let faults = Faults::new(1);
        faults.set(vec![Fault::new(Kind::Throttle, When::Call(2)).on("PutItem")]);
        let mut struck = Vec::new();
        for operation in ["PutItem", "GetItem", "PutItem", "PutItem"] {
            struck.push(faults.at_the_door(&asked(Service::DynamoDb, operation)).is_some());
        }
        assert_eq!(struck, [false, false, true, false]);
        assert_eq!(faults.injected().len(), 1);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let run = |seed| {
            let faults = Faults::new(seed);
            faults.set(vec![Fault::new(Kind::ServerError, When::Chance(0.5)).times(20)]);
            (0..100).map(|_| faults.at_the_door(&asked(Service::Ses, "SendEmail")).is_some()).collect::<Vec<_>>()
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
