//! How a process is told to stop.

/// Resolves at Ctrl-C and, where there are signals, at SIGTERM.
#[cfg(unix)]
pub(crate) async fn asked() -> std::io::Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn asked() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
