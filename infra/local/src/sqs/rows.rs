//! The queues' changes as rows of the SQLite file, and back.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::change::{Change, Remembered, Settings};
use super::engine::Engine;
use super::message::{Content, Millis, Stored};
use crate::error::CloudError;
use crate::outbox;

/// Writes one change, inside the caller's transaction.
pub(crate) fn apply(rows: &Connection, change: &Change) -> Result<(), CloudError> {
    match change {
        Change::Queue { name, settings } => {
            let settings = to_json("queue settings", settings)?;
            rows.prepare_cached("INSERT OR REPLACE INTO local_queues (name, settings) VALUES (?1, ?2)")?
                .execute(params![name, settings])?;
        }
        Change::QueueGone { name } => {
            rows.prepare_cached("DELETE FROM local_queues WHERE name = ?1")?.execute([name])?;
            rows.prepare_cached("DELETE FROM local_known WHERE queue = ?1")?.execute([name])?;
        }
        Change::Insert { queue, stored } => insert(rows, queue, stored)?,
        Change::Received { key, visible_at, receives, first_received_at } => {
            rows.prepare_cached(
                "UPDATE local_messages SET visible_at = ?2, receives = ?3, first_received_at = ?4 WHERE key = ?1",
            )?
            .execute(params![signed(*key), visible_at, receives, first_received_at])?;
        }
        Change::VisibleAt { key, visible_at } => {
            rows.prepare_cached("UPDATE local_messages SET visible_at = ?2 WHERE key = ?1")?
                .execute(params![signed(*key), visible_at])?;
        }
        Change::Move { key, queue, source } => {
            rows.prepare_cached("UPDATE local_messages SET queue = ?2, source = ?3, visible_at = 0 WHERE key = ?1")?
                .execute(params![signed(*key), &**queue, &**source])?;
        }
        Change::Remove { key } => {
            rows.prepare_cached("DELETE FROM local_messages WHERE key = ?1")?.execute([signed(*key)])?;
        }
        Change::Remember { queue, remembered } => {
            rows.prepare_cached(
                "INSERT INTO local_known (key, queue, deduplication, id, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                signed(remembered.key),
                &**queue,
                remembered.deduplication,
                remembered.id,
                remembered.at
            ])?;
        }
        Change::Forget { below_key } => {
            rows.prepare_cached("DELETE FROM local_known WHERE key < ?1")?.execute([signed(*below_key)])?;
        }
        Change::Mail(mail) => outbox::insert(rows, mail)?,
    }
    Ok(())
}

fn insert(rows: &Connection, queue: &str, stored: &Stored) -> Result<(), CloudError> {
    let content = &stored.content;
    let attributes =
        if content.attributes.is_empty() { String::new() } else { to_json("message attributes", &content.attributes)? };
    rows.prepare_cached(
        "INSERT INTO local_messages (key, queue, id, body, message_group, deduplication, attributes, source,
             sent_at, visible_at, receives, first_received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        signed(stored.key),
        queue,
        content.id,
        content.body,
        content.group.as_deref(),
        content.deduplication,
        attributes,
        content.source.as_deref(),
        content.sent_at,
        stored.visible_at,
        stored.receives,
        stored.first_received_at,
    ])?;
    Ok(())
}

/// Puts every stored queue, message and deduplication id back into an engine.
pub(crate) fn load(rows: &Connection, engine: &mut Engine, now: Millis) -> Result<(), CloudError> {
    let mut queues = rows.prepare("SELECT name, settings FROM local_queues ORDER BY name")?;
    let queues = queues.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for queue in queues {
        let (name, settings) = queue?;
        let settings: Settings = serde_json::from_str(&settings)
            .map_err(|source| CloudError::Unreadable { what: "queue settings", source })?;
        engine.set_queue(&name, settings);
    }
    let mut messages = rows.prepare(
        "SELECT key, queue, id, body, message_group, deduplication, attributes, source, sent_at, visible_at,
             receives, first_received_at
         FROM local_messages ORDER BY key",
    )?;
    let mut messages = messages.query([])?;
    while let Some(row) = messages.next()? {
        let (queue, mut stored) = message(row)?;
        if stored.receives > 0 {
            // Who received it died with its receipt: nobody has to wait for the visibility time-out.
            stored.visible_at = stored.visible_at.min(now);
        }
        engine.restore(&queue, stored, now);
    }
    let mut known = rows.prepare("SELECT key, queue, deduplication, id, at FROM local_known ORDER BY key")?;
    let mut known = known.query([])?;
    while let Some(row) = known.next()? {
        let queue: String = row.get(1)?;
        let remembered =
            Remembered { key: unsigned(row.get(0)?), deduplication: row.get(2)?, id: row.get(3)?, at: row.get(4)? };
        engine.restore_known(&queue, &remembered);
    }
    Ok(())
}

fn message(row: &Row<'_>) -> Result<(String, Stored), CloudError> {
    let attributes: String = row.get(6)?;
    let attributes = if attributes.is_empty() {
        Default::default()
    } else {
        serde_json::from_str(&attributes)
            .map_err(|source| CloudError::Unreadable { what: "message attributes", source })?
    };
    let content = Content {
        id: row.get(2)?,
        body: row.get(3)?,
        group: row.get::<_, Option<String>>(4)?.map(Arc::from),
        deduplication: row.get(5)?,
        attributes,
        source: row.get::<_, Option<String>>(7)?.map(Arc::from),
        sent_at: row.get(8)?,
    };
    let stored = Stored {
        key: unsigned(row.get(0)?),
        content: Arc::new(content),
        visible_at: row.get(9)?,
        receives: row.get(10)?,
        first_received_at: row.get(11)?,
    };
    Ok((row.get(1)?, stored))
}

fn to_json(what: &'static str, value: &impl serde::Serialize) -> Result<String, CloudError> {
    serde_json::to_string(value).map_err(|source| CloudError::Unreadable { what, source })
}

/// Keys stay below 2^63: 2^40 messages for each of 8 million starts.
fn signed(key: u64) -> i64 {
    i64::try_from(key).unwrap_or(i64::MAX)
}

fn unsigned(key: i64) -> u64 {
    u64::try_from(key).unwrap_or(0)
}
