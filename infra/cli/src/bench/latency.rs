//! How long one event takes at moderate load, from the moment at which its call begins (so the answer's time is in it):
//! until it is evaluated, which a watcher sees in the profile it reads every other millisecond, and until its mail is in
//! the outbox, which the outbox's own time says.

use std::collections::BTreeMap;
use std::time::Duration;

use dunlin_aws::Clock;
use dunlin_aws::profiles::Profiles;
use dunlin_core::ids::UserId;
use dunlin_local::{Function, Service, Usage};
use jiff::Timestamp;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::args::Bench;
use crate::bench::load::Connection;
use crate::bench::machine::percentile;
use crate::bench::stage::Stage;

/// One event in so many buys something, and triggers a mail.
const PURCHASE: u64 = 10;
/// One event in so many is watched.
const WATCHED: u64 = 10;
/// Users of the other events.
const USERS: u64 = 2_000;
/// Connections that share the load.
const CONNECTIONS: u64 = 16;
/// How often a watcher looks.
const LOOK: Duration = Duration::from_millis(2);
/// When a watcher, or who waits for mails, gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Times at moderate load, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Latency {
    /// Events a second.
    pub(crate) rate: u64,
    /// Events that were watched until they were evaluated.
    pub(crate) evaluated: usize,
    /// Call to evaluated: half of them.
    pub(crate) evaluated_p50_ms: f64,
    /// Call to evaluated: 99 of 100.
    pub(crate) evaluated_p99_ms: f64,
    /// Mails.
    pub(crate) mails: usize,
    /// Call to mail: half of them.
    pub(crate) mail_p50_ms: f64,
    /// Call to mail: 99 of 100.
    pub(crate) mail_p99_ms: f64,
    /// Gigabyte-seconds of one invocation, by function.
    pub(crate) gigabyte_seconds: BTreeMap<String, f64>,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    /// When the call of order `B-n` began.
    purchases: BTreeMap<String, Timestamp>,
    watchers: JoinSet<Option<Duration>>,
}

/// Runs at the asked rate for the asked time.
pub(crate) async fn latency(asked: &Bench) -> anyhow::Result<Latency> {
    let mut stage = Stage::start("latency", USERS).await?;
    stage.poll();
    let (events, started, before) = (asked.rate * asked.seconds, Instant::now(), stage.usage());
    let mut connections = JoinSet::new();
    for first in 0..CONNECTIONS {
        let pace = Pace { first, events, rate: asked.rate, started };
        connections.spawn(pace.run(Connection::open(stage.address).await?, stage.calls.clone(), profiles(&stage)));
    }
    let (mut purchases, mut evaluated) = (BTreeMap::new(), Vec::new());
    while let Some(seen) = connections.join_next().await {
        let mut seen = seen??;
        purchases.append(&mut seen.purchases);
        while let Some(watched) = seen.watchers.join_next().await {
            // One that gave up counts as its patience.
            evaluated.push(watched?.unwrap_or(PATIENCE));
        }
    }
    stage.drained(&[Function::Evaluate, Function::Schedule, Function::Send], PATIENCE).await;
    let mut mails = arrivals(&stage, &purchases);
    Ok(Latency {
        rate: asked.rate,
        evaluated: evaluated.len(),
        evaluated_p50_ms: percentile(&mut evaluated, 50),
        evaluated_p99_ms: percentile(&mut evaluated, 99),
        mails: mails.len(),
        mail_p50_ms: percentile(&mut mails, 50),
        mail_p99_ms: percentile(&mut mails, 99),
        gigabyte_seconds: durations(&stage.usage().difference(&before)),
    })
}

/// The calls of one connection: each begins at its own instant, however long the last one took.
#[derive(Clone, Copy)]
struct Pace {
    first: u64,
    events: u64,
    rate: u64,
    started: Instant,
}

impl Pace {
    async fn run(
        self,
        mut connection: Connection,
        calls: crate::bench::calls::Calls,
        profiles: Watched,
    ) -> anyhow::Result<Seen> {
        let (mut seen, mut text, mut n) = (Seen::default(), Vec::new(), self.first);
        while n < self.events {
            tokio::time::sleep_until(self.started + Duration::from_micros(n * 1_000_000 / self.rate)).await;
            text.clear();
            match n {
                _ if n.is_multiple_of(PURCHASE) => {
                    calls.purchase(n, &mut text);
                    seen.purchases.insert(format!("B-{n}"), Clock::System.now());
                }
                _ if n % WATCHED == 5 => {
                    calls.alone(n, &mut text);
                    seen.watchers.spawn(profiles.clone().watch(format!("alone-{n}")));
                }
                _ => calls.event(n, &mut text),
            }
            connection.ask(&text).await?;
            n += CONNECTIONS;
        }
        Ok(seen)
    }
}

/// Reads profiles as `evaluate` does.
#[derive(Clone)]
struct Watched {
    profiles: Profiles,
    project: dunlin_core::ids::ProjectId,
}

fn profiles(stage: &Stage) -> Watched {
    let prefix = &stage.world.settings().prefix;
    Watched { profiles: Profiles::new(stage.world.clients(), prefix), project: stage.place.id.clone() }
}

impl Watched {
    /// How long it takes until the user is there; none for one who does not come.
    async fn watch(self, user: String) -> Option<Duration> {
        let (user, begun) = (UserId::parse(&user).ok()?, Instant::now());
        while begun.elapsed() < PATIENCE {
            if self.profiles.get(&self.project, &user).await.is_ok_and(|stored| stored.state.exists()) {
                return Some(begun.elapsed());
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }
}

/// How long each mail took; one that did not come counts as the patience.
fn arrivals(stage: &Stage, purchases: &BTreeMap<String, Timestamp>) -> Vec<Duration> {
    let mails = stage.world.cloud().outbox().list(purchases.len() * 2, 0);
    let at: BTreeMap<&str, Timestamp> =
        mails.iter().filter_map(|mail| Some((mail.subject.split(' ').next_back()?, mail.at))).collect();
    let took = |order: &str, begun: Timestamp| Duration::try_from(at.get(order)?.duration_since(begun)).ok();
    purchases.iter().map(|(order, begun)| took(order, *begun).unwrap_or(PATIENCE)).collect()
}

/// Gigabyte-seconds of one invocation of each function.
fn durations(usage: &Usage) -> BTreeMap<String, f64> {
    let lambda = usage.iter().filter(|(service, _, count)| *service == Service::Lambda && count.requests > 0);
    lambda.map(|(_, function, count)| (function.to_owned(), count.gigabyte_seconds / count.requests as f64)).collect()
}
