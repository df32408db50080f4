//! The outbox: every mail that SES accepted, kept as it would have left.

mod body;
mod pages;
mod style;
mod view;

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::CloudError;
use crate::store::Store;

pub(crate) use pages::router;

/// A mail that SES accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// SES's message id.
    pub id: String,
    /// When SES accepted it.
    pub at: Timestamp,
    /// The sender, as the request or the mail names it.
    pub from: String,
    /// Every recipient's address.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The configuration set that it was sent with.
    pub configuration_set: Option<String>,
    /// The tags that it was sent with.
    pub tags: Vec<(String, String)>,
    /// The message as it left SES: with SES's `Message-ID` and `Date`.
    pub raw: Vec<u8>,
}

/// The mails that left; clones read the same.
#[derive(Clone)]
pub struct Outbox {
    store: Arc<Store>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Outbox").finish_non_exhaustive()
    }
}

const COLUMNS: &str = "id, at, sender, recipients, subject, configuration_set, tags, raw";

impl Outbox {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Mails, newest first: `limit` of them after the first `offset`. What cannot be read is
    /// logged and left out.
    #[must_use]
    pub fn list(&self, limit: usize, offset: usize) -> Vec<Mail> {
        let sql = format!("SELECT {COLUMNS} FROM local_mails ORDER BY number DESC LIMIT ?1 OFFSET ?2");
        let (limit, offset) = (i64::try_from(limit).unwrap_or(i64::MAX), i64::try_from(offset).unwrap_or(i64::MAX));
        let mails = self.store.read(|rows| {
            let mut query = rows.prepare_cached(&sql)?;
            let mails = query.query_map(params![limit, offset], mail)?.collect::<Result<Vec<_>, _>>()?;
            Ok(mails)
        });
        mails.unwrap_or_else(|error| logged(&error))
    }

    /// The mail with SES's message id `id`.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Mail> {
        let sql = format!("SELECT {COLUMNS} FROM local_mails WHERE id = ?1");
        let mail = self.store.read(|rows| Ok(rows.prepare_cached(&sql)?.query_row([id], mail).optional()?));
        mail.unwrap_or_else(|error| logged(&error))
    }

    /// How many mails left.
    #[must_use]
    pub fn count(&self) -> u64 {
        let sql = "SELECT coalesce(max(number), 0) FROM local_mails";
        let count = self.store.read(|rows| Ok(rows.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?));
        u64::try_from(count.unwrap_or_else(|error| logged(&error))).unwrap_or(0)
    }
}

fn logged<T: Default>(error: &CloudError) -> T {
    tracing::error!(error = error as &dyn std::error::Error, "the outbox cannot be read");
    T::default()
}

/// Writes a mail, inside the caller's transaction.
pub(crate) fn insert(rows: &Connection, mail: &Mail) -> Result<(), CloudError> {
    let json =
        |what, value: serde_json::Result<String>| value.map_err(|source| CloudError::Unreadable { what, source });
    rows.prepare_cached(
        "INSERT INTO local_mails (id, at, sender, recipients, subject, configuration_set, tags, raw)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        mail.id,
        mail.at.as_millisecond(),
        mail.from,
        json("recipients", serde_json::to_string(&mail.to))?,
        mail.subject,
        mail.configuration_set,
        json("tags", serde_json::to_string(&mail.tags))?,
        mail.raw,
    ])?;
    Ok(())
}

fn mail(row: &Row<'_>) -> rusqlite::Result<Mail> {
    let recipients: String = row.get(3)?;
    let tags: String = row.get(6)?;
    Ok(Mail {
        id: row.get(0)?,
        at: Timestamp::from_millisecond(row.get(1)?).unwrap_or_default(),
        from: row.get(2)?,
        to: serde_json::from_str(&recipients).unwrap_or_default(),
        subject: row.get(4)?,
        configuration_set: row.get(5)?,
        tags: serde_json::from_str(&tags).unwrap_or_default(),
        raw: row.get(7)?,
    })
}
