//! `dunlin bench timers`: what waiting costs, and whether a minute in which much is due is got over (promise P7).
//!
//! All of it is counted, or follows in virtual time from how long AWS takes for a request (`fleet`). Nothing is timed.

mod due;
mod fleet;
mod matching;
mod report;
mod rows;

use clap::Args as Options;
use serde::Serialize;

use crate::bench::machine;
use crate::bench::timers::due::Due;
use crate::bench::timers::matching::{Carts, Matching};
use crate::run::Outcome;
use crate::say;

/// Options of `bench timers`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin bench timers                                             a minute or two
  dunlin bench timers --due 1000000                               a million within one minute
  dunlin bench timers --waiting 10000,100000,1000000,10000000     ten million take about 8 GB of memory")]
pub(crate) struct Timers {
    /// How many wait for something far off; a line for each of several numbers
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [10_000, 100_000], value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    pub(crate) waiting: Vec<u64>,
    /// How many are due within one minute; 0 leaves that out
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub(crate) due: u64,
    /// Leave out what awaited events cost
    #[arg(long)]
    pub(crate) no_events: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Everything that was counted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The minute in which much is due, once for each number that waits.
    pub(crate) due: Vec<Due>,
    /// What an awaited event costs, once for each.
    pub(crate) matching: Vec<Matching>,
    /// Peak memory, in MiB.
    pub(crate) peak_mebibytes: Option<u64>,
}

/// Plays them one after the other.
pub(crate) async fn bench(asked: Timers) -> anyhow::Result<Outcome> {
    let progress = say::spinner("filling the tables");
    let mut waiting = asked.waiting.clone();
    waiting.sort_unstable();
    let (mut due, mut matching) = (Vec::new(), Vec::new());
    for waiting in waiting.iter().filter(|_| asked.due > 0) {
        progress.set_message(format!("playing {} that are due, among {waiting}", asked.due));
        due.push(due::play(*waiting, asked.due).await?);
    }
    if !asked.no_events {
        let mut carts = Carts::start().await?;
        for waiting in &waiting {
            progress.set_message(format!("playing events for which {waiting} wait"));
            matching.push(carts.among(*waiting).await?);
        }
    }
    progress.finish_and_clear();
    let report = Report { due, matching, peak_mebibytes: machine::peak_mebibytes() };
    if asked.json {
        say::line(serde_json::to_string_pretty(&report)?);
    } else {
        report.show();
    }
    Ok(Outcome::Well)
}
