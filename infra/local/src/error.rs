//! What can go wrong while the local AWS starts, and what a broken connection looks like.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why the local AWS could not start, or could not write.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// DynamoDB's engine refused.
    #[error("dynamodb: {0}")]
    Tables(#[from] dynoxide::DynoxideError),
    /// The SQLite file could not be read or written.
    #[error("sqlite")]
    Sqlite(#[from] rusqlite::Error),
    /// A folder or file could not be made, read or written.
    #[error("file")]
    File(#[from] std::io::Error),
    /// Something stored is not what this version writes.
    #[error("stored {what} cannot be read")]
    Unreadable {
        /// What it was meant to be.
        what: &'static str,
        /// Why it is not.
        source: serde_json::Error,
    },
    /// The thread that writes the journal has ended, after an earlier failure to write.
    #[error("the journal is closed")]
    JournalClosed,
}

/// A request that got no answer: the connection broke, or nobody answered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// No connection: the request never arrived.
    #[error("connection refused")]
    Unreachable,
    /// The connection ended in place of an answer; whether the request had its effect is not to be seen from here.
    #[error("connection reset by peer")]
    Reset,
    /// No answer in time; whether the request had its effect is not to be seen from here.
    #[error("no answer in time")]
    TimedOut,
}

/// Takes a lock; a panic of another holder does not make the data unusable here, because every
/// change under our locks is finished before anything can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
