//! The Lambda function `manage`.

#![recursion_limit = "256"]

use dunlin_aws::{Clients, Settings, log};
use dunlin_manage::{Manage, service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    log::start();
    let settings = Settings::from_environment(dunlin_manage::SETTINGS)?;
    let clients = Clients::over_network(&settings);
    clients.warm(&settings, dunlin_manage::WARM).await;
    lambda_http::run(service(Manage::new(&clients, &settings))).await
}
