//! The Lambda function `feedback`.

#![recursion_limit = "256"]

use aws_lambda_events::event::sqs::SqsEvent;
use dunlin_aws::{Clients, Settings, log};
use dunlin_feedback::Home;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let settings = Settings::from_environment(dunlin_feedback::SETTINGS)?;
    let clients = Clients::over_network(&settings);
    clients.warm(&settings, dunlin_feedback::WARM).await;
    let function = Home::new(&clients, &settings);
    let function = &function;
    run(service_fn(
        move |event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(function.handle(event.payload).await) },
    ))
    .await
}
