//! The world: dunlin's functions wired to the cloud on this machine, as Lambda and API Gateway wire them in AWS. The
//! same handlers, data layer and SDK; only who answers and who calls differs.

mod front;
mod function;
mod lambda;
mod live;
mod poll;
mod serve;
mod virtual_time;

use dunlin_aws::resources::Queue;
use dunlin_aws::web::Way;
use dunlin_aws::{Chance, Clients, Settings};
use dunlin_intake::RevocationList;

pub use dunlin_sweep::Sweep;
pub use front::Door;
pub use function::{Function, Handler};
pub use lambda::{Lambda, Uninvoked};
pub use poll::{BATCH, event};

use crate::Cloud;

/// Dunlin on one machine.
#[derive(Clone)]
pub struct World {
    cloud: Cloud,
    clients: Clients,
    /// Those of `intake`, for the refresh beside its answers.
    intake: Clients,
    settings: Settings,
    handlers: [Handler; Function::ALL.len()],
    sweep: Sweep,
    /// Who is invoked in place of the handlers here.
    lambda: Option<Lambda>,
    revocations: RevocationList,
    router: axum::Router,
}

impl std::fmt::Debug for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("World").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

impl World {
    /// Starts every function anew over `cloud`, as a deployment or a restart does. Nothing leaves for the web.
    #[must_use]
    pub fn new(cloud: Cloud, settings: Settings, seed: u64) -> Self {
        Self::reaching(Way::Nowhere, cloud, settings, seed)
    }

    /// The same, with a way to the web for webhooks.
    #[must_use]
    pub fn reaching(way: Way, cloud: Cloud, settings: Settings, seed: u64) -> Self {
        let clients = Clients::in_process(cloud.http_client(), cloud.clock().clone(), Chance::seeded(seed));
        let clients = clients.reaching(way);
        Self::wired(cloud, settings, |_| clients.clone())
    }

    /// The same, with clients of its own for each function, as in Lambda: asked for by the function's name, and by
    /// `world` for its own.
    #[must_use]
    pub fn wired(cloud: Cloud, settings: Settings, clients: impl Fn(&'static str) -> Clients) -> Self {
        let (router, revocations) = front::router(&cloud, &clients, &settings);
        Self {
            handlers: Function::ALL.map(|function| Handler::start(function, &clients(function.name()), &settings)),
            sweep: Sweep::new(&clients("sweep"), &settings),
            lambda: None,
            revocations,
            router,
            intake: clients("intake"),
            clients: clients("world"),
            cloud,
            settings,
        }
    }

    /// The same, with functions that are invoked over HTTP instead of in this process.
    #[must_use]
    pub fn watched(self, lambda: Lambda) -> Self {
        Self { lambda: Some(lambda), ..self }
    }

    /// The cloud it runs on.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The SDK's clients, as a function has them; the world's own, for tests and tools.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The settings of every function.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What API Gateway serves: `intake`, `link`, `manage`; and the outbox.
    pub fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// The name of a queue here.
    #[must_use]
    pub fn queue_name(&self, queue: &Queue) -> String {
        format!("{}{}", self.settings.prefix, queue.name())
    }
}
