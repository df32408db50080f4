//! How environments behave: how long AWS takes, how many there are, and what befalls them.

use dunlin_aws::resources::Queue;
use dunlin_local::{Service, faults::Side};
use rand::RngExt;
use rand::rngs::StdRng;

/// The behaviour of all environments.
#[derive(Clone, Debug, PartialEq)]
pub struct Conduct {
    /// Batches of each queue handled at once at most, in place of the queue's own `concurrency`; none keeps it.
    pub concurrency: Option<u32>,
    /// Messages in a batch at most.
    pub batch: usize,
    /// How far clocks of environments are off at most, in milliseconds, either way.
    pub skew_millis: i64,
    /// Chance of each invocation to be killed at some await.
    pub kill: f64,
    /// Chance of each invocation to be frozen at some await, for up to an hour, and to go on.
    pub freeze: f64,
    /// Chance of each invocation to be so slow that it may run into its time-out.
    pub drag: f64,
    /// Requests at which their environment dies, counted over all environments from 1.
    pub deaths: Vec<(u64, Side)>,
}

impl Conduct {
    /// Nothing befalls anybody.
    #[must_use]
    pub fn smooth() -> Self {
        Self { concurrency: None, batch: 10, skew_millis: 0, kill: 0.0, freeze: 0.0, drag: 0.0, deaths: Vec::new() }
    }

    /// Batches of a queue that are handled at once.
    #[must_use]
    pub fn concurrency(&self, queue: &Queue) -> u32 {
        self.concurrency.unwrap_or(queue.concurrency)
    }

    /// What befalls the next invocation.
    pub(crate) fn fate(&self, chance: &mut StdRng) -> Fate {
        let side = if chance.random_bool(0.5) { Side::Before } else { Side::After };
        let at = chance.random_range(1..=AWAITS);
        let roll: f64 = chance.random();
        if roll < self.kill {
            Fate::Die { at, side }
        } else if roll < self.kill + self.freeze {
            Fate::Freeze { at, side, millis: frozen(chance) }
        } else if roll < self.kill + self.freeze + self.drag {
            Fate::Drag { millis: chance.random_range(500..6_000) }
        } else {
            Fate::Live
        }
    }
}

/// Awaits of an invocation among which one is drawn; an invocation with fewer goes on unharmed more often.
const AWAITS: u64 = 14;
/// The longest freeze, in milliseconds: an hour.
const FREEZE_MILLIS: i64 = 3_600_000;

/// Freezes of all sizes: a tenth of a second is as likely as an hour.
fn frozen(chance: &mut StdRng) -> i64 {
    let longest = chance.random_range(100..=FREEZE_MILLIS);
    let shorter = [longest, longest / 10, longest / 100, longest / 1000];
    shorter.get(chance.random_range(0..shorter.len())).copied().unwrap_or(longest).max(1)
}

/// What befalls one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing.
    Live,
    /// The environment dies at its n-th request.
    Die { at: u64, side: Side },
    /// It stands still at its n-th request for this long, and goes on.
    Freeze { at: u64, side: Side, millis: i64 },
    /// Every request takes this long.
    Drag { millis: i64 },
}

/// Milliseconds that a request takes: single digits within a region for tables and queues, tens for objects and mail.
pub(crate) fn latency(service: Service, chance: &mut StdRng) -> i64 {
    match service {
        Service::DynamoDb => chance.random_range(2..=8),
        Service::S3 => chance.random_range(15..=50),
        Service::Ses => chance.random_range(30..=120),
        _ => chance.random_range(4..=15),
    }
}
