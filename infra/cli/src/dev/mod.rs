//! `dunlin dev`: everything on this machine, in real time, kept in a folder.

pub(crate) mod banner;
pub(crate) mod folder;
mod log;
pub(crate) mod port;
pub(crate) mod stop;

use anyhow::Context as _;
use dunlin_aws::web::Way;
use dunlin_aws::{Chance, Clock};
use dunlin_core::hook::Reach;
use dunlin_local::{Cloud, World};
use tokio::net::TcpListener;

use crate::args::{Dev, Kept};
use crate::dev::banner::{Banner, row};
use crate::keys::Keys;
use crate::project::{Place, settings};
use crate::run::Outcome;
use crate::{check, examples, say};

/// Starts everything, says how to use it, and runs until it is told to stop. Nothing needs to be finished then: what
/// was not acknowledged comes again.
pub(crate) async fn dev(asked: Dev) -> anyhow::Result<Outcome> {
    let held = hold(&asked.kept)?;
    let front = port::bind(asked.port, "--port").await?;
    let aws = match asked.aws_port {
        0 => None,
        port => Some(port::bind(port, "--aws-port").await?),
    };
    let address = format!("http://localhost:{}", front.local_addr()?.port());
    let opened = open(&asked.kept, held, &address).await?;

    let banner = Banner { name: "dunlin", front: &address, outbox: &address, opened: &opened };
    banner.show(|| {
        if let Some(address) = aws.as_ref().and_then(|aws| aws.local_addr().ok()) {
            row("local AWS", format!("AWS_ENDPOINT_URL=http://localhost:{}", address.port()));
        }
    });
    serve(&opened.world, front, aws).await?;
    say::aside("stopped; `dunlin` goes on from here");
    Ok(Outcome::Well)
}

/// Starts the log, and takes the data folder.
pub(crate) fn hold(kept: &Kept) -> anyhow::Result<folder::Held> {
    log::start(&kept.log)?;
    folder::hold(&kept.data)
}

/// What a data folder holds.
pub(crate) struct Opened {
    /// The functions over the cloud.
    pub(crate) world: World,
    /// The secrets.
    pub(crate) keys: Keys,
    /// The project.
    pub(crate) place: Place,
    /// The campaigns that are published.
    pub(crate) campaigns: Vec<String>,
    /// Where it is.
    pub(crate) data: String,
    _held: folder::Held,
}

/// Opens a data folder for functions at `address`, and publishes what was asked for.
pub(crate) async fn open(kept: &Kept, held: folder::Held, address: &str) -> anyhow::Result<Opened> {
    let keys = Keys::read_or_make(&kept.data)?;
    let starting = say::spinner("opening the data folder");
    let chance = Chance::system();
    let cloud = Cloud::open(&kept.data, Clock::System, chance.next())
        .with_context(|| format!("cannot open the data in {}", kept.data.display()))?;
    let way = Way::Network(Reach::Anywhere);
    let world = World::reaching(way, cloud, settings(&keys, address)?, chance.next());
    let place = Place::find_or_make(&world).await?;
    starting.set_message("publishing the campaigns");
    let campaigns = publish(kept, &place).await?;
    starting.finish_and_clear();
    Ok(Opened { world, keys, place, campaigns, data: kept.data.display().to_string(), _held: held })
}

/// Serves and polls until a signal comes.
async fn serve(world: &World, front: TcpListener, aws: Option<TcpListener>) -> anyhow::Result<()> {
    let aws_router = world.cloud().router();
    let aws = async move {
        match aws {
            Some(listener) => axum::serve(listener, aws_router).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = world.serve(front) => {}
        served = aws => served?,
        () = world.run() => {}
        stopped = stop::asked() => stopped?,
    }
    Ok(())
}

/// Publishes the campaigns asked for, else those examples that are not there yet: what was pushed since stays. Says what
/// is wrong with them instead of failing. Returns all that is published.
async fn publish(asked: &Kept, place: &Place) -> anyhow::Result<Vec<String>> {
    if !asked.no_examples {
        let (folder, origin) = examples::find(asked.examples.as_deref())?;
        if folder.is_publishable() && asked.examples.is_some() {
            place.publish(&folder.campaigns).await?;
        } else if folder.is_publishable() {
            place.publish_missing(folder.campaigns).await?;
        } else {
            check::show(&folder.problems);
            say::line(format!("{origin}: {}; what is published stays", check::verdict(&folder)));
        }
    }
    let heads = place.heads().await?;
    Ok(heads.into_iter().map(|head| format!("{} v{}", head.name, head.version)).collect())
}
