//! The five incidents of comparable systems, played against dunlin. Each is a story that happened, a replay of it, and
//! what was promised beside what happened.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a replay that cannot be set up ends there: what it has to say is in its report"
)]

mod intake_memory;
mod long_delays;
mod process;
mod report;
mod stage;
mod stale_reads;
mod store_outage;
mod traffic;
mod traffic_flood;

use std::path::PathBuf;

use futures::future::LocalBoxFuture;

pub use report::{Line, Report};

/// How a replay is played.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How much of it: 1 is all, as the incident was.
    pub fraction: f64,
    /// The seed of every random number.
    pub seed: u64,
    /// The program, and its first arguments, that serves a data folder as `dunlin dev` does; the replay adds
    /// `--data DIR --port 0 --aws-port 0`. It prints where it listens and a token.
    pub server: Vec<PathBuf>,
}

/// An incident of a comparable system.
pub struct Incident {
    /// Its name: what, and when.
    pub name: &'static str,
    /// What happened there, and what is replayed here.
    pub story: &'static str,
    /// How much of it the tests play on every change, since all of it takes minutes.
    pub tested: f64,
    play: fn(Asked) -> LocalBoxFuture<'static, Report>,
}

impl std::fmt::Debug for Incident {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Incident").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All of them, with what the tests play of each.
pub const INCIDENTS: [Incident; 5] = [
    Incident {
        name: "long_delays_2017",
        story: "Delays of more than 30 days failed to save, at certain hours, by a library's time zones.",
        tested: 0.02,
        play: |asked| Box::pin(long_delays::play(asked)),
    },
    Incident {
        name: "store_outage_2018",
        story: "The store was away for 50 minutes; then what had been taken was worked off.",
        tested: 0.03,
        play: |asked| Box::pin(store_outage::play(asked)),
    },
    Incident {
        name: "intake_memory_2019",
        story: "API servers ran out of memory, and half of all calls got errors for nearly an hour.",
        tested: 0.1,
        play: |asked| Box::pin(intake_memory::play(asked)),
    },
    Incident {
        name: "traffic_flood_2022",
        story: "One unusual pattern of heavy traffic delayed everybody for almost five hours.",
        tested: 0.01,
        play: |asked| Box::pin(traffic_flood::play(asked)),
    },
    Incident {
        name: "stale_reads_2023",
        story: "A shard of user properties fell out of sync, and due delays were found slowly.",
        tested: 0.01,
        play: |asked| Box::pin(stale_reads::play(asked)),
    },
];

impl Incident {
    /// The incident of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        INCIDENTS.iter().find(|incident| incident.name == name)
    }

    /// Plays it. The same fraction and seed play the same, except where real processes and sockets are part of it.
    pub async fn play(&self, asked: Asked) -> Report {
        (self.play)(asked).await
    }
}
