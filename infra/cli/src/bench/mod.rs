//! `dunlin bench`: the durable local system over loopback, and its price on AWS by the meter.

mod calls;
mod cost;
mod intake;
mod latency;
mod load;
mod machine;
mod report;
mod road;
mod stage;
pub(crate) mod timers;
mod virtual_time;

use std::time::Duration;

use crate::args::Bench;
use crate::bench::report::Report;
use crate::run::Outcome;
use crate::say;

/// Measures phase after phase, each with a dunlin of its own in an empty folder.
pub(crate) async fn bench(asked: Bench) -> anyhow::Result<Outcome> {
    let progress = say::spinner("timing the disk");
    let mut syncs = machine::syncs()?;
    progress.set_message("taking events, one a call");
    let one_a_call = intake::one_a_call(&asked).await?;
    progress.set_message("taking events in batches");
    let in_batches = intake::in_batches(&asked).await?;
    progress.set_message("taking events the whole road");
    let events = road::events(&asked).await?;
    progress.set_message("sending mails");
    let mails = road::mails(&asked).await?;
    progress.set_message("watching single events at moderate load");
    let latency = latency::latency(&asked).await?;
    progress.set_message("counting what AWS would charge");
    let costs = cost::costs(&latency.gigabyte_seconds).await?;
    progress.finish_and_clear();
    let report = Report {
        optimised: !cfg!(debug_assertions),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        sync_ms: [machine::percentile(&mut syncs, 50), machine::percentile(&mut syncs, 99)],
        one_a_call,
        in_batches,
        events,
        mails,
        latency,
        peak_mebibytes: machine::peak_mebibytes(),
        costs,
    };
    if asked.json {
        say::line(serde_json::to_string_pretty(&report)?);
    } else {
        report.show();
    }
    Ok(Outcome::Well)
}

/// A count over a time.
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}
