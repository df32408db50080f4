//! A dunlin to besiege: what `dunlin dev --data DIR` runs, with a project, on a port that the system chooses. It prints
//! where it listens, the project and a token, and runs until it is killed. Other options of `dunlin dev` are ignored.

use std::error::Error;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;

use dunlin_aws::control::{Control, Project};
use dunlin_aws::{Chance, Clock, Stored};
use dunlin_core::ids::ProjectId;
use dunlin_local::{Cloud, World};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().skip_while(|word| word != "--data").nth(1).ok_or("the data folder is missing")?;
    let (clock, seed) = (Clock::System, Chance::system().next());
    let cloud = Cloud::open(Path::new(&folder), clock.clone(), seed)?;
    let world = World::new(cloud, dunlin_tests::settings(), seed);
    let (control, project, now) =
        (Control::new(world.clients(), "dunlin-"), ProjectId::derive(&["besieged"]), clock.now());
    let state = Project {
        id: project.clone(),
        name: "Besieged".to_owned(),
        from: None,
        created_at: now,
        timezone: None,
        tokens: 0,
    };
    control.put_project(&Stored { state, version: 0 }).await?;
    let token = world.settings().keyring.issue(&control.issue(&project, "siege", now).await?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    writeln!(std::io::stdout(), "http://localhost:{port}\nproject {project}\ntoken {token}")?;
    tokio::select! {
        () = world.serve(listener) => {}
        () = world.run() => {}
    }
    Ok(())
}
