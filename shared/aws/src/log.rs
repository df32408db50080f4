//! Logs: JSON lines on standard output, filtered by `RUST_LOG`.

use tracing_subscriber::EnvFilter;

/// Starts logging for a function. Lambda adds the time itself.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,aws=warn,hyper=warn"));
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_target(false).with_env_filter(filter);
    // Only fails when a subscriber is there already: then logging has started.
    drop(lines.try_init());
}
