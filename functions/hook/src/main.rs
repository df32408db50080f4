//! The Lambda function `hook`.

#![recursion_limit = "256"]

use aws_lambda_events::event::sqs::SqsEvent;
use dunlin_aws::{Clients, Settings, log};
use dunlin_hook::Caller;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let settings = Settings::from_environment(dunlin_hook::SETTINGS)?;
    let clients = Clients::over_network(&settings);
    clients.warm(&settings, dunlin_hook::WARM).await;
    let function = Caller::new(&clients, &settings);
    let function = &function;
    run(service_fn(
        move |event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(function.handle(event.payload).await) },
    ))
    .await
}
