//! The SQLite file: DynamoDB's tables by dynoxide, and our rows beside them, under one lock.
//!
//! Both connections write the same file in WAL mode with `synchronous=NORMAL`, so a commit does not
//! wait for the disk. Whoever must be sure waits for an `fdatasync` of the WAL that began after its
//! commit (`journal`). One WAL, one order: what is durable is always a prefix of what was written.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use dynoxide::Database;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{CloudError, lock};

/// Our tables; dynoxide's begin with `_` or are named after what they hold.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS local_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS local_queues (name TEXT PRIMARY KEY, settings TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS local_messages (
    key INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, message_group TEXT,
    deduplication TEXT, attributes TEXT NOT NULL, source TEXT, sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL, receives INTEGER NOT NULL, first_received_at INTEGER);
CREATE TABLE IF NOT EXISTS local_known (
    key INTEGER PRIMARY KEY, queue TEXT NOT NULL, deduplication TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS local_mails (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, sender TEXT NOT NULL,
    recipients TEXT NOT NULL, subject TEXT NOT NULL, configuration_set TEXT, tags TEXT NOT NULL, raw BLOB NOT NULL);
";

/// What the one lock guards.
pub(crate) struct Held {
    /// DynamoDB.
    pub(crate) tables: Database,
    /// Queues, deduplication ids, mails.
    pub(crate) rows: Connection,
}

/// The file, or the memory in its place.
pub(crate) struct Store {
    held: Mutex<Held>,
    /// A second connection that only reads, so that pages do not wait for writers.
    reader: Option<Mutex<Connection>>,
    folder: Option<PathBuf>,
    opens: i64,
}

impl Store {
    /// A store that ends with the process.
    pub(crate) fn in_memory(tables: Database) -> Result<Self, CloudError> {
        let rows = Connection::open_in_memory()?;
        rows.execute_batch(SCHEMA)?;
        Ok(Self { held: Mutex::new(Held { tables, rows }), reader: None, folder: None, opens: 0 })
    }

    /// The store in `folder/dunlin.sqlite`.
    pub(crate) fn open(folder: &Path) -> Result<Self, CloudError> {
        fs::create_dir_all(folder)?;
        let path = folder.join("dunlin.sqlite");
        let tables = Database::new(&path.to_string_lossy())?;
        tables.disable_bulk_loading()?;
        let rows = connect(&path)?;
        rows.execute_batch(SCHEMA)?;
        let opens = count_open(&rows)?;
        let reader = Some(Mutex::new(connect(&path)?));
        File::open(folder)?.sync_all()?;
        let held = Mutex::new(Held { tables, rows });
        Ok(Self { held, reader, folder: Some(folder.to_owned()), opens })
    }

    /// How often this file was opened, this time included; 0 in memory.
    pub(crate) fn opens(&self) -> i64 {
        self.opens
    }

    /// Whether it ends with the process.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.folder.is_none()
    }

    /// The WAL file, to wait for; none in memory.
    pub(crate) fn wal(&self) -> Result<Option<File>, CloudError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        Ok(Some(File::open(folder.join("dunlin.sqlite-wal"))?))
    }

    /// Uses DynamoDB, alone.
    pub(crate) fn with_tables<T>(&self, work: impl FnOnce(&Database) -> T) -> T {
        work(&lock(&self.held).tables)
    }

    /// Changes our rows, alone and in one transaction: all or nothing.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T, CloudError>) -> Result<T, CloudError> {
        let mut held = lock(&self.held);
        let transaction = held.rows.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Reads our rows as last committed.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, CloudError>) -> Result<T, CloudError> {
        match &self.reader {
            Some(reader) => work(&lock(reader)),
            None => work(&lock(&self.held).rows),
        }
    }
}

fn connect(path: &Path) -> Result<Connection, CloudError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn count_open(rows: &Connection) -> Result<i64, CloudError> {
    let before: Option<i64> =
        rows.query_row("SELECT value FROM local_meta WHERE name = 'opens'", [], |row| row.get(0)).optional()?;
    let opens = before.unwrap_or(0) + 1;
    rows.execute("INSERT OR REPLACE INTO local_meta (name, value) VALUES ('opens', ?1)", [opens])?;
    Ok(opens)
}
