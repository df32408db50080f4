//! The Lambda function `link`.

#![recursion_limit = "256"]

use dunlin_aws::{Clients, Settings, log};
use dunlin_link::{Link, service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    log::start();
    let settings = Settings::from_environment(dunlin_link::SETTINGS)?;
    let clients = Clients::over_network(&settings);
    clients.warm(&settings, dunlin_link::WARM).await;
    lambda_http::run(service(Link::new(&clients, &settings))).await
}
