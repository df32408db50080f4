//! The Lambda function `intake`.

use dunlin_aws::calls::Queue;
use dunlin_aws::settings::Settings;
use dunlin_aws::spill::Spill;
use dunlin_aws::{Clients, log, resources};
use dunlin_intake::{Intake, service};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    log::start();
    let (settings, clients) = (Settings::from_environment()?, Clients::from_environment().await);
    let queue = Queue::new(clients.sqs, settings.queue_url(resources::EVENTS));
    let spill = Spill::new(clients.s3, settings.bucket());
    lambda_http::run(service(Intake::new(settings.keyring, queue, spill, clients.clock, clients.chance))).await
}
