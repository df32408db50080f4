//! Writes what the queues note, in order and in groups, and tells those who wait when it is safe.
//!
//! One thread commits, another waits for the disk, so that the next group is written while the
//! last one is still on its way. Everybody whose commit came before an `fdatasync` began shares it.

use std::fs::File;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::error::{CloudError, lock};
use crate::sqs::change::Change;
use crate::sqs::engine::Engine;
use crate::sqs::{Bells, rows};
use crate::store::Store;
use dunlin_aws::Clock;

/// Works written in one transaction at most: bounds how long others wait for the lock.
const GROUP: usize = 1024;

/// Tells one caller that its changes are on the disk, or that they will never be.
type Done = oneshot::Sender<Result<(), CloudError>>;

/// What one caller changed.
#[derive(Default)]
pub(crate) struct Work {
    /// What to write, in order.
    pub(crate) changes: Vec<Change>,
    /// Messages to show once it is committed: queue and key.
    pub(crate) arrivals: Vec<(Arc<str>, u64)>,
    /// Who waits for it to be safe.
    pub(crate) done: Option<Done>,
}

/// What the writing thread works with.
pub(crate) struct Desk {
    pub(crate) store: Arc<Store>,
    pub(crate) engine: Arc<Mutex<Engine>>,
    pub(crate) bells: Bells,
    pub(crate) clock: Clock,
}

/// The journal's two threads; dropping it waits until all that was noted is written.
pub(crate) struct Journal {
    sender: Option<Sender<Work>>,
    threads: Vec<JoinHandle<()>>,
}

impl Journal {
    /// Starts the threads.
    pub(crate) fn start(desk: Desk, wal: File) -> Result<Self, CloudError> {
        let (sender, works) = channel();
        let (committed, waiting) = channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write_all(&desk, &works, &committed))?;
        let syncer =
            std::thread::Builder::new().name("fdatasync".to_owned()).spawn(move || sync_all(&wal, &waiting))?;
        Ok(Self { sender: Some(sender), threads: vec![writer, syncer] })
    }

    /// Notes work. The caller holds the engine's lock, so that the order is the engine's.
    pub(crate) fn note(&self, work: Work) {
        if let Some(sender) = &self.sender {
            // If the writer has ended, `done` is dropped here, and who waits for it is told so.
            let _ = sender.send(work);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.sender = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn write_all(desk: &Desk, works: &Receiver<Work>, committed: &Sender<Vec<Done>>) {
    while let Ok(first) = works.recv() {
        let mut group = vec![first];
        group.extend(works.try_iter().take(GROUP - 1));
        let written = desk
            .store
            .write(|rows| group.iter().flat_map(|work| &work.changes).try_for_each(|change| rows::apply(rows, change)));
        if let Err(error) = written {
            tracing::error!(error = &error as &dyn std::error::Error, "the journal cannot be written");
            withdraw(desk, group);
            // No more: what is noted later would be written without what came before it.
            return;
        }
        show(desk, &group);
        let done: Vec<Done> = group.into_iter().filter_map(|work| work.done).collect();
        if !done.is_empty() && committed.send(done).is_err() {
            return;
        }
    }
}

fn show(desk: &Desk, group: &[Work]) {
    if group.iter().all(|work| work.arrivals.is_empty()) {
        return;
    }
    let now = desk.clock.now().as_millisecond();
    let mut engine = lock(&desk.engine);
    for (queue, key) in group.iter().flat_map(|work| &work.arrivals) {
        engine.arrive(queue, &[*key], now);
    }
    drop(engine);
    for (queue, _) in group.iter().flat_map(|work| &work.arrivals) {
        desk.bells.ring(queue);
    }
}

fn withdraw(desk: &Desk, group: Vec<Work>) {
    let mut engine = lock(&desk.engine);
    for work in group {
        for (queue, key) in &work.arrivals {
            engine.withdraw(queue, &[*key]);
        }
        if let Some(done) = work.done {
            let _ = done.send(Err(CloudError::JournalClosed));
        }
    }
}

fn sync_all(wal: &File, waiting: &Receiver<Vec<Done>>) {
    while let Ok(mut done) = waiting.recv() {
        done.extend(waiting.try_iter().flatten());
        let synced = wal.sync_data();
        for done in done {
            let result = match &synced {
                Ok(()) => Ok(()),
                Err(error) => Err(CloudError::File(error.kind().into())),
            };
            let _ = done.send(result);
        }
        if synced.is_err() {
            // After a failed sync nobody knows what the disk holds: the next one may not say yes.
            return;
        }
    }
}
