//! Runs that wait, as rows: what the domain decides at a run's start, in the items that functions make of it, put into the
//! tables below the protocol. A test holds them against what the functions store.

use std::sync::Arc;

use dunlin_aws::resources::{RUNS, TIMERS};
use dunlin_aws::timers::{SHARDS, Timer};
use dunlin_aws::waiters::Waiter;
use dunlin_core::campaign::Campaign;
use dunlin_core::condition::Facts;
use dunlin_core::event_name::EventName;
use dunlin_core::ids::{EventId, ProjectId, RunId, UserId, digest, person};
use dunlin_core::profile::Profile;
use dunlin_core::run::{self, Command, Run};
use dunlin_core::task::{Lane, TriggerEvent};
use dunlin_core::trigger::Published;
use dunlin_core::wait::zone::Zone;
use dunlin_local::Cloud;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::project::Place;

/// Rows put into the tables at a time: some tens of megabytes.
const CHUNK: usize = 50_000;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// How long timers and waiters outlive their wait.
const TIMER_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
const WAITER_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The rows of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// The run.
    pub(crate) run: Vec<Value>,
    /// Its timer.
    pub(crate) timers: Vec<Value>,
    /// What it listens for.
    pub(crate) waiters: Vec<Value>,
}

/// A project's campaign, whose runs are to wait.
#[derive(Clone, Debug)]
pub(crate) struct Rowed {
    project: ProjectId,
    published: Published,
}

impl Rowed {
    /// The first version of a campaign of a place.
    pub(crate) fn new(place: &Place, campaign: Campaign, published_at: Timestamp) -> Self {
        let published = Published { campaign: Arc::new(campaign), version: 1, published_at, paused: false };
        Self { project: place.id.clone(), published }
    }

    /// The `n`-th run, of a person, started by an event of this instant; `cart` is what it may be told apart by.
    pub(crate) fn of(&self, n: u64, user: &str, at: Timestamp, cart: &str) -> anyhow::Result<Rows> {
        let data = json!({ "cart": cart }).as_object().cloned().unwrap_or_default();
        let name = EventName::parse("Began").map_err(anyhow::Error::msg)?;
        let event = TriggerEvent { id: EventId::derive(&["bench", &n.to_string()]), name, at, data };
        self.started(UserId::parse(user).map_err(anyhow::Error::msg)?, event, at)
    }

    fn started(&self, user: UserId, event: TriggerEvent, now: Timestamp) -> anyhow::Result<Rows> {
        let profile = Profile::new(user.clone());
        let facts = Facts::new(&profile, &event, now);
        let project = self.project.clone();
        let started =
            run::start(&self.published, project, user, event.clone(), Lane::Triggered, &facts, &Zone::default());
        rows(&started.run, &started.commands)
    }
}

/// A run and what its commands write.
fn rows(run: &Run, commands: &[Command]) -> anyhow::Result<Rows> {
    let (project, id) = (&run.project, &run.id);
    let mut rows = Rows { run: vec![item(&format!("{project}#{id}"), "run", run, None)?], ..Rows::default() };
    for command in commands {
        match command {
            Command::Wake { due_at, moves } => {
                let timer = Timer { project: project.clone(), run: id.clone(), moves: *moves, due_at: *due_at };
                let millis = due_at.as_millisecond();
                let pk = format!("{}#{:02}", millis.div_euclid(DAY), shard(id));
                rows.timers.push(item(&pk, &format!("{millis:013}#{id}#{moves}"), &timer, Some(*due_at + TIMER_KEPT))?);
            }
            Command::Listen { topics, moves, until } => {
                let pk = format!("{project}#{}", person(project, &run.user));
                let waiter = Waiter { run: id.clone(), moves: *moves };
                for topic in topics {
                    let sk = format!("waiter#{}#{id}", topic.as_str());
                    rows.waiters.push(item(&pk, &sk, &waiter, Some(*until + WAITER_KEPT))?);
                }
            }
            _ => {}
        }
    }
    Ok(rows)
}

fn shard(run: &RunId) -> u32 {
    let hex = digest(&[run.as_str()]);
    hex.get(..4).and_then(|start| u32::from_str_radix(start, 16).ok()).unwrap_or(0) % SHARDS
}

fn item(pk: &str, sk: &str, state: &impl Serialize, goes: Option<Timestamp>) -> anyhow::Result<Value> {
    let mut item = json!({
        "pk": {"S": pk},
        "sk": {"S": sk},
        "v": {"N": "1"},
        "b": {"S": serde_json::to_string(state)?},
    });
    if let (Some(goes), Some(item)) = (goes, item.as_object_mut()) {
        item.insert("ttl".to_owned(), json!({"N": goes.as_second().to_string()}));
    }
    Ok(item)
}

/// Puts rows into the tables of a cloud, many at a time.
pub(crate) struct Filling<'c> {
    cloud: &'c Cloud,
    prefix: &'c str,
    runs: Vec<Value>,
    timers: Vec<Value>,
}

impl<'c> Filling<'c> {
    /// Nothing yet.
    pub(crate) fn new(cloud: &'c Cloud, prefix: &'c str) -> Self {
        Self { cloud, prefix, runs: Vec::new(), timers: Vec::new() }
    }

    /// Takes rows.
    pub(crate) fn add(&mut self, rows: Rows) -> anyhow::Result<()> {
        self.runs.extend(rows.run.into_iter().chain(rows.waiters));
        self.timers.extend(rows.timers);
        if self.runs.len().max(self.timers.len()) >= CHUNK { self.put() } else { Ok(()) }
    }

    /// Puts what is left.
    pub(crate) fn put(&mut self) -> anyhow::Result<()> {
        for (table, rows) in [(RUNS.name, &mut self.runs), (TIMERS.name, &mut self.timers)] {
            self.cloud.import(&format!("{}{table}", self.prefix), std::mem::take(rows))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bench::timers::matching::CART;
    use crate::bench::virtual_time::Virtual;

    /// Every item of a table, as DynamoDB's JSON.
    async fn scan(stage: &Virtual, table: &str) -> Vec<Value> {
        let table = format!("{}{table}", stage.world.settings().prefix);
        let scanned = stage.world.clients().dynamodb.scan().table_name(table).send().await.expect("a scan");
        let item = |item: &std::collections::HashMap<String, _>| {
            let json = item.iter().map(|(name, value): (_, &aws_sdk_dynamodb::types::AttributeValue)| {
                let value = match (value.as_s(), value.as_n()) {
                    (Ok(text), _) => json!({ "S": text }),
                    (_, Ok(number)) => json!({ "N": number }),
                    _ => Value::Null,
                };
                (name.clone(), value)
            });
            json.collect::<serde_json::Map<_, _>>().into()
        };
        scanned.items().iter().map(item).collect()
    }

    #[tokio::test]
    async fn rows_are_as_functions_make_them() {
        let stage = Virtual::start().await.expect("a stage");
        let campaign = stage.publish(CART).await.expect("a campaign");
        stage.world.advance(SignedDuration::from_secs(10)).await;
        let began = json!({"identity": {"id": "ann"}, "event_name": "Began", "data": {"cart": "red"}});
        stage.post("/api/v2/events/track", began.to_string()).await.expect("a call");
        stage.world.settle().await;
        let (runs, timers) = (scan(&stage, RUNS.name).await, scan(&stage, TIMERS.name).await);
        let of = |rows: &[Value], sort_key: &str| -> Vec<String> {
            let of = rows.iter().filter(|row| row["sk"]["S"].as_str().is_some_and(|key| key.starts_with(sort_key)));
            of.map(Value::to_string).collect()
        };
        let stored = of(&runs, "run");
        let body: Value = serde_json::from_str(&stored[0]).expect("an item");
        let run: Run = serde_json::from_str(body["b"]["S"].as_str().expect("a body")).expect("a run");
        let now = run.started_at;
        let made = Rowed::new(&stage.place, campaign, now).started(run.user, run.event, now).expect("rows");
        assert_eq!(of(&made.run, "run"), stored);
        assert_eq!(of(&made.waiters, "waiter"), of(&runs, "waiter"));
        let all: BTreeSet<String> = of(&timers, "").into_iter().collect();
        assert!(made.timers.iter().all(|timer| all.contains(&timer.to_string())), "{made:?} {all:?}");
        assert_eq!((made.timers.len(), made.waiters.len()), (1, 1));
    }
}
