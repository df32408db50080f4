//! Logs: JSON lines on standard output, filtered by `RUST_LOG`.

use std::io::stdout;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged where `RUST_LOG` says nothing, or nothing that can be read.
const USUAL: &str = "info,aws=warn,hyper=warn";

/// Starts logging for a function. Lambda adds the time itself. Plain targets and levels: filters by field would bring a
/// regular-expression engine, a tenth of a function's size.
#[expect(clippy::disallowed_methods, reason = "the level is wanted before there are settings, and has a default")]
pub fn start() {
    let asked = std::env::var("RUST_LOG").ok().and_then(|asked| asked.parse().ok());
    let filter: Targets = asked.or_else(|| USUAL.parse().ok()).unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(stdout);
    // Only fails when a subscriber is there already: then logging has started.
    drop(tracing_subscriber::registry().with(filter).with(lines).try_init());
}
