//! `dunlin aws`: the local AWS alone. Its queues are polled here; the functions run under `cargo lambda watch`.

mod told;

use axum::serve::ListenerExt as _;
use dunlin_local::Lambda;
use tokio::net::TcpListener;

use crate::args::Aws;
use crate::dev::banner::{Banner, row};
use crate::dev::{hold, open, port, stop};
use crate::run::Outcome;
use crate::say;

/// Starts the local AWS, says how to watch the functions, and runs until it is told to stop.
pub(crate) async fn aws(asked: Aws) -> anyhow::Result<Outcome> {
    let functions = asked.functions.trim_end_matches('/');
    let lambda = Lambda::at(functions)?;
    let held = hold(&asked.kept)?;
    let listener = port::bind(asked.port, "--port").await?;
    let aws_port = listener.local_addr()?.port();
    let mut opened = open(&asked.kept, held, functions).await?;
    let file = told::write(&asked.kept.data, &told::environment(&opened.keys, aws_port, functions))?;

    let outbox = format!("http://localhost:{aws_port}");
    let banner = Banner { name: "dunlin aws", front: functions, outbox: &outbox, opened: &opened };
    banner.show(|| {
        row("local AWS", format!("{outbox}, as {} says", file.display()));
        row("functions", say::cyan(told::command(functions, &file)));
    });
    opened.world = opened.world.watched(lambda);
    serve(&opened.world, listener).await?;
    say::aside("stopped; `dunlin aws` goes on from here");
    Ok(Outcome::Well)
}

/// Serves and polls until a signal comes.
async fn serve(world: &dunlin_local::World, listener: TcpListener) -> anyhow::Result<()> {
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let router = world.cloud().outbox_router().merge(world.cloud().router());
    tokio::select! {
        served = axum::serve(listener, router) => served?,
        () = world.run() => {}
        stopped = stop::asked() => stopped?,
    }
    Ok(())
}
