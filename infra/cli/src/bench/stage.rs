//! A durable dunlin in a folder that goes afterwards, behind real sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use dunlin_aws::{Chance, Clock};
use dunlin_local::{Cloud, Function, Usage, World};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::bench::calls::Calls;
use crate::examples;
use crate::keys::Keys;
use crate::project::{Place, settings};

/// How often queues are looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A running dunlin.
pub(crate) struct Stage {
    /// The functions and the cloud.
    pub(crate) world: World,
    /// The project.
    pub(crate) place: Place,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Writes calls about its users.
    pub(crate) calls: Calls,
    server: JoinHandle<()>,
    pollers: Option<JoinHandle<()>>,
    folder: PathBuf,
}

impl Stage {
    /// Starts it with the example campaigns; nothing reads the queues yet.
    pub(crate) async fn start(name: &str, users: u64) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("dunlin-bench-{}-{name}", std::process::id()));
        let chance = Chance::system();
        let cloud = Cloud::open(&folder, Clock::System, chance.next())?;
        let world = World::new(cloud, settings(&Keys::generate(), "http://localhost:9000")?, chance.next());
        let place = Place::find_or_make(&world).await?;
        place.publish(&examples::built_in().campaigns).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (listener, router) = (listener.tap_io(|stream| drop(stream.set_nodelay(true))), world.router());
        // Ends when it is aborted; what it answers is checked by who asks.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        let calls = Calls::new(&place.token, users);
        Ok(Self { world, place, address, calls, server, pollers: None, folder })
    }

    /// Starts the functions that read queues.
    pub(crate) fn poll(&mut self) {
        let world = self.world.clone();
        self.pollers = Some(tokio::spawn(async move { world.run().await }));
    }

    /// Messages in a function's queues.
    pub(crate) fn depth(&self, function: Function) -> u64 {
        let depth = |queue| self.world.cloud().sqs().depth(&self.world.queue_name(queue)).total();
        function.queues().iter().map(depth).sum()
    }

    /// Waits until these queues are empty; whether they are, after `most`.
    pub(crate) async fn drained(&self, functions: &[Function], most: Duration) -> bool {
        let until = Instant::now() + most;
        while functions.iter().any(|function| self.depth(*function) > 0) {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }

    /// What was used so far.
    pub(crate) fn usage(&self) -> Usage {
        self.world.cloud().meter().snapshot()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
        if let Some(pollers) = &self.pollers {
            pollers.abort();
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
