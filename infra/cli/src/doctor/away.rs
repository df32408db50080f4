//! A stage in AWS: who asks, then what is there, then its front door.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use dunlin_aws::clients::https;
use dunlin_aws::resources::{BUCKET, EVENTS};
use dunlin_aws::web::Way;
use dunlin_aws::{Chance, Clients, Clock};

use super::front;
use super::refusal::chain;
use super::report::{Finding, Report};
use super::stage::{self, Stage};
use crate::args::Doctor;

/// Time for one question, and with its repeats.
const ATTEMPT: Duration = Duration::from_secs(5);
const OPERATION: Duration = Duration::from_secs(15);

/// Looks at all of it.
pub(crate) async fn look(asked: &Doctor, report: &mut Report) {
    let mut config = aws_config::defaults(BehaviorVersion::latest()).http_client(https()).timeout_config(timeouts());
    if let Some(profile) = &asked.profile {
        config = config.profile_name(profile);
    }
    if let Some(region) = &asked.region {
        config = config.region(Region::new(region.clone()));
    }
    let config = config.load().await;
    if look_at_caller(&config, report).await {
        let clients = clients(&config);
        let bucket = match &asked.bucket {
            Some(bucket) => bucket.clone(),
            None => bucket(&clients, &asked.prefix, config.region()).await,
        };
        let stage = Stage { clients, prefix: asked.prefix.clone(), bucket, aws_cli: "aws".to_owned(), is_aws: true };
        stage::look(&stage, report).await;
    } else {
        report.skip(&["tables, queues, bucket, mail"], "AWS cannot be asked without a region and credentials");
    }
    match &asked.url {
        Some(url) => {
            let mend = "see whether the API and the domain are deployed, and what the log of `intake` says";
            front::look(url, asked.admin_key.as_deref(), mend, report).await;
        }
        None => report.skip(&["front door", "admin key"], "no address was given: --url"),
    }
}

/// The bucket's name, as the template makes it: account and region are its end, and a queue's address tells the account.
async fn bucket(clients: &Clients, prefix: &str, region: Option<&Region>) -> String {
    let queue = clients.sqs.get_queue_url().queue_name(format!("{prefix}{}", EVENTS.name())).send().await;
    let url = queue.ok().and_then(|queue| queue.queue_url).unwrap_or_default();
    let account = url.rsplit('/').nth(1).unwrap_or_default();
    format!("{prefix}{BUCKET}-{account}-{}", region.map(AsRef::as_ref).unwrap_or_default())
}

/// Whether there are a region and credentials.
async fn look_at_caller(config: &SdkConfig, report: &mut Report) -> bool {
    let region = Finding::of("region");
    let has_region = report.add(match config.region() {
        Some(name) => region.saw(name.to_string()),
        None => region.wrong("none was found", "name it: --region, AWS_REGION, or `region` in the profile"),
    });
    let check = Finding::of("credentials");
    let found = match config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.map_err(|error| chain(&error)),
        None => Err("none were found".to_owned()),
    };
    let has_credentials = report.add(match found {
        Ok(credentials) => check.saw(format!("of {}", credentials.access_key_id())),
        Err(why) => check.wrong(
            why,
            "name a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a profile of IAM \
             Identity Center: eval \"$(aws configure export-credentials --profile NAME --format env)\"",
        ),
    });
    has_region && has_credentials
}

/// The SDK's clients over a configuration.
pub(crate) fn clients(config: &SdkConfig) -> Clients {
    Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(config),
        sqs: aws_sdk_sqs::Client::new(config),
        ses: aws_sdk_sesv2::Client::new(config),
        s3: aws_sdk_s3::Client::new(config),
        clock: Clock::System,
        chance: Chance::system(),
        way: Way::Nowhere,
    }
}

/// How long is waited for an answer.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build()
}
