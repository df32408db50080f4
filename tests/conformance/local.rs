//! `infra/local` as it is asked: in memory and in process, or on disk and over a port, as `dunlin dev` runs it. Each
//! rule has a cloud of its own, and by default virtual time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use dunlin_aws::Clock;
use dunlin_local::Cloud;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A local cloud, and what goes with it.
pub(crate) struct Local {
    pub(crate) cloud: Cloud,
    served: Option<(PathBuf, JoinHandle<()>)>,
}

fn clock(live: bool) -> Clock {
    if live { Clock::System } else { Clock::virtual_at("2026-03-01T09:00:00Z".parse().expect("an instant")) }
}

impl Local {
    /// In memory, in process.
    pub(crate) fn in_memory(live: bool) -> Self {
        Self { cloud: Cloud::in_memory(clock(live), 42).expect("a cloud"), served: None }
    }

    /// On disk, behind a port of this machine; with its address.
    pub(crate) async fn served(live: bool) -> (Self, String) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("conformance-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let cloud = Cloud::open(&folder, clock(live), 42).expect("a cloud");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = cloud.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        (Self { cloud, served: Some((folder, server)) }, endpoint)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some((folder, server)) = &self.served {
            server.abort();
            drop(std::fs::remove_dir_all(folder));
        }
    }
}
