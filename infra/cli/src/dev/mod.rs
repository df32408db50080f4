//! `dunlin dev`: everything on this machine, in real time, kept in a folder.

mod banner;
mod folder;
mod log;
mod port;
mod stop;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use dunlin_aws::{Chance, Clock};
use dunlin_local::{Cloud, World};
use tokio::net::TcpListener;

use crate::args::Dev;
use crate::dev::banner::Banner;
use crate::keys::Keys;
use crate::project::{Place, settings};
use crate::run::Outcome;
use crate::{check, examples, say};

/// Starts everything, says how to use it, and runs until it is told to stop. Nothing needs to be finished then: what
/// was not acknowledged comes again.
pub(crate) async fn dev(asked: Dev) -> anyhow::Result<Outcome> {
    log::start(&asked.log)?;
    let _held = folder::hold(&asked.data)?;
    let front = port::bind(asked.port, "--port").await?;
    let aws = match asked.aws_port {
        0 => None,
        port => Some(port::bind(port, "--aws-port").await?),
    };
    let address = format!("http://localhost:{}", front.local_addr()?.port());

    let keys = Keys::read_or_make(&asked.data)?;
    let starting = say::spinner("opening the data folder");
    let chance = Chance::system();
    let cloud = Cloud::open(&asked.data, Clock::System, chance.next())
        .with_context(|| format!("cannot open the data in {}", asked.data.display()))?;
    let world = World::new(cloud, settings(&keys, &address)?, chance.next());
    let place = Place::find_or_make(&world).await?;
    starting.set_message("publishing the campaigns");
    let campaigns = publish(&asked, &place).await?;
    starting.finish_and_clear();

    let aws_address = aws.as_ref().map(TcpListener::local_addr).transpose()?;
    let data = asked.data.display().to_string();
    Banner { address, data, place, keys, campaigns, aws_port: aws_address.map(|address| address.port()) }.show();
    serve(&world, front, aws).await?;
    say::aside("stopped; `dunlin` goes on from here");
    Ok(Outcome::Well)
}

/// Serves and polls until a signal comes.
async fn serve(world: &World, front: TcpListener, aws: Option<TcpListener>) -> anyhow::Result<()> {
    let front = front.tap_io(|stream| drop(stream.set_nodelay(true)));
    let aws_router = world.cloud().router();
    let aws = async move {
        match aws {
            Some(listener) => axum::serve(listener, aws_router).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = axum::serve(front, world.router()) => served?,
        served = aws => served?,
        () = world.run() => {}
        stopped = stop::asked() => stopped?,
    }
    Ok(())
}

/// Publishes the campaigns asked for, else those examples that are not there yet: what was pushed since stays. Says what
/// is wrong with them instead of failing. Returns all that is published.
async fn publish(asked: &Dev, place: &Place) -> anyhow::Result<Vec<String>> {
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
