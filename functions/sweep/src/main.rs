//! The Lambda function `sweep`.

#![recursion_limit = "256"]

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use dunlin_aws::{Clients, Settings, log};
use dunlin_sweep::Sweep;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let settings = Settings::from_environment(dunlin_sweep::SETTINGS)?;
    let clients = Clients::over_network(&settings);
    clients.warm(&settings, dunlin_sweep::WARM).await;
    let function = Sweep::new(&clients, &settings);
    let function = &function;
    run(service_fn(move |_: LambdaEvent<EventBridgeEvent>| async move { Ok::<_, Error>(function.handle().await?) }))
        .await
}
