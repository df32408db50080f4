//! Logs: JSON lines on standard output, filtered by `RUST_LOG`.

use std::io::stdout;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged where `RUST_LOG` says nothing, or nothing that can be read.
const USUAL: &str = "info";
/// What our own crates' targets begin with.
const OURS: &str = "dunlin";
/// The most that any other crate may log, whatever is asked for: below it the SDK and Lambda's runtime print requests whole,
/// and they are full of addresses.
const OTHERS: LevelFilter = LevelFilter::WARN;

/// Starts logging for a function. Lambda adds the time itself.
#[expect(clippy::disallowed_methods, reason = "the level is wanted before there are settings, and has a default")]
pub fn start() {
    let asked = std::env::var("RUST_LOG").ok();
    // Only fails when a subscriber is there already: then logging has started.
    drop(lines(asked.as_deref(), stdout).try_init());
}

/// The lines that a function writes to `writer` when `RUST_LOG` asks for `asked`. Plain targets and levels: filters by field
/// would bring a regular-expression engine, a tenth of a function's size.
pub fn lines<W>(asked: Option<&str>, writer: W) -> impl Subscriber + Send + Sync + 'static
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter: Targets = asked.and_then(|asked| asked.parse().ok()).or_else(|| USUAL.parse().ok()).unwrap_or_default();
    let ceiling = Targets::new().with_default(OTHERS).with_target(OURS, LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(ceiling).with(filter).with(lines)
}
