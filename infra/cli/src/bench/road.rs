//! How fast events and mails go the whole road: from the first call until the last one has had its effect.

use std::time::Duration;

use dunlin_local::Function;
use serde::Serialize;
use tokio::time::Instant;

use crate::args::Bench;
use crate::bench::calls::BATCH;
use crate::bench::load::Load;
use crate::bench::{per_second, stage::Stage};

/// Users that events are spread over: a user's calls go one after the other.
const USERS: u64 = 2_000;
/// The longest wait for queues to become empty; what is left then does not count.
const WAIT: Duration = Duration::from_secs(12);

/// What went the whole road.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Gone {
    /// Events, or mails.
    pub(crate) count: u64,
    /// How many a second.
    pub(crate) per_second: f64,
    /// Whether all of them arrived before we stopped waiting.
    pub(crate) complete: bool,
}

/// Events from the call to the profile.
pub(crate) async fn events(asked: &Bench) -> anyhow::Result<Gone> {
    let mut stage = Stage::start("events", USERS).await?;
    stage.poll();
    let (calls, started) = (stage.calls.clone(), Instant::now());
    let requests = asked.events.div_ceil(BATCH);
    let load = Load { address: stage.address, connections: 4, time: Duration::from_secs(60), most: requests };
    let loaded = load.run(move |n, text| calls.batch(n, text)).await?;
    let complete = stage.drained(&[Function::Evaluate, Function::Schedule], WAIT).await;
    let count = (loaded.requests * BATCH).saturating_sub(stage.depth(Function::Evaluate));
    Ok(Gone { count, per_second: per_second(count, started.elapsed()), complete })
}

/// Receipts from the call to the outbox; SES's reports on the first ones are taken home meanwhile.
pub(crate) async fn mails(asked: &Bench) -> anyhow::Result<Gone> {
    let mut stage = Stage::start("mails", USERS).await?;
    stage.poll();
    let (calls, started) = (stage.calls.clone(), Instant::now());
    let most = (asked.events / 4).max(1);
    let load = Load { address: stage.address, connections: 16, time: Duration::from_secs(60), most };
    let loaded = load.run(move |n, text| calls.purchase(n, text)).await?;
    let until = Instant::now() + WAIT;
    while stage.world.cloud().outbox().count() < loaded.requests && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (count, time) = (stage.world.cloud().outbox().count(), started.elapsed());
    Ok(Gone { count, per_second: per_second(count, time), complete: count == loaded.requests })
}
