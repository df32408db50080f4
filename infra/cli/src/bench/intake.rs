//! How fast calls are taken durably: answered with 200, and on the disk. Nothing reads the queues meanwhile.

use std::time::Duration;

use anyhow::ensure;
use dunlin_local::Function;
use serde::Serialize;

use crate::args::Bench;
use crate::bench::calls::BATCH;
use crate::bench::load::{Load, Loaded};
use crate::bench::machine::percentile;
use crate::bench::{per_second, stage::Stage};

/// Users that events are spread over.
const USERS: u64 = 10_000;
/// Events at most in one phase: bounds the memory of the queue that nobody reads.
const MOST: u64 = 1_000_000;

/// Acknowledged events.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Taken {
    /// Events.
    pub(crate) events: u64,
    /// Events a second.
    pub(crate) per_second: f64,
    /// Time to answer a request, in milliseconds: half of them.
    pub(crate) p50_ms: f64,
    /// Time to answer a request, in milliseconds: 99 of 100.
    pub(crate) p99_ms: f64,
}

/// One event a call.
pub(crate) async fn one_a_call(asked: &Bench) -> anyhow::Result<Taken> {
    let stage = Stage::start("one", USERS).await?;
    let load = load(asked, &stage, asked.connections, MOST);
    let calls = stage.calls.clone();
    let loaded = load.run(move |n, text| calls.event(n, text)).await?;
    taken(&stage, loaded, 1)
}

/// Segment batches.
pub(crate) async fn in_batches(asked: &Bench) -> anyhow::Result<Taken> {
    let stage = Stage::start("batch", USERS).await?;
    // A batch keeps a connection busy for long: a quarter of the connections does it.
    let load = load(asked, &stage, asked.connections.div_ceil(4), MOST / BATCH);
    let calls = stage.calls.clone();
    let loaded = load.run(move |n, text| calls.batch(n, text)).await?;
    taken(&stage, loaded, BATCH)
}

fn load(asked: &Bench, stage: &Stage, connections: u64, most: u64) -> Load {
    Load { address: stage.address, connections, time: Duration::from_secs(asked.seconds), most }
}

fn taken(stage: &Stage, mut loaded: Loaded, events_a_request: u64) -> anyhow::Result<Taken> {
    let events = loaded.requests * events_a_request;
    let depth = stage.depth(Function::Evaluate);
    ensure!(depth >= events, "{events} events were acknowledged, but the queue holds {depth}");
    Ok(Taken {
        events,
        per_second: per_second(events, loaded.time),
        p50_ms: percentile(&mut loaded.answers, 50),
        p99_ms: percentile(&mut loaded.answers, 99),
    })
}
