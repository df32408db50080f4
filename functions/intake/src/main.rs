//! The Lambda function `intake`.

#![recursion_limit = "256"]

use dunlin_aws::{Clients, Settings, log};
use dunlin_intake::{Intake, refresh, service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    log::start();
    let settings = Settings::from_environment(dunlin_intake::SETTINGS)?;
    let clients = Clients::over_network(&settings);
    clients.warm(&settings, dunlin_intake::WARM).await;
    let intake = Intake::of(&clients, &settings);
    drop(tokio::spawn(refresh(intake.revocations(), clients, settings)));
    lambda_http::run(service(intake)).await
}
