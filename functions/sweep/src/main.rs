//! The Lambda function `sweep`.

#![recursion_limit = "256"]

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use dunlin_aws::{Clients, Settings, log};
use dunlin_sweep::Sweep;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let settings = Settings::from_environment()?;
    let function = Sweep::new(&Clients::from_environment().await, &settings);
    let function = &function;
    run(service_fn(move |_: LambdaEvent<EventBridgeEvent>| async move { Ok::<_, Error>(function.handle().await?) }))
        .await
}
