//! The SDK's clients, built once at cold start, with a time-out on everything.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_sqs::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use dunlin_core::hook::Reach;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::planted;
use crate::resources::{HASH_KEY, Queue, SORT_KEY, Table};
use crate::settings::Settings;
use crate::web::Way;

/// Time to open a connection. A healthy one in the region takes single milliseconds.
const CONNECT: Duration = Duration::from_secs(1);
/// Time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Time for an operation with its retries; a function's time-out is longer (`outage`).
pub const OPERATION: Duration = Duration::from_secs(8);
/// Time for SES to answer: no retries there, so one attempt may take longer before it counts as unknown.
pub const SEND: Duration = Duration::from_secs(10);

/// What every handler is built from.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Mail. Never retries: `SendEmail` has no idempotency token, a retry is a second mail.
    pub ses: aws_sdk_sesv2::Client,
    /// Spill and view-online copies.
    pub s3: aws_sdk_s3::Client,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
    /// How requests to the web leave.
    pub way: Way,
}

/// What a function's first invocation asks first.
#[derive(Clone, Copy, Debug)]
pub struct Warm {
    /// A table it reads.
    pub table: Option<Table>,
    /// A queue it fills.
    pub queue: Option<Queue>,
}

impl Clients {
    /// Clients over the network, for AWS itself or for what answers at `settings.endpoint`. The credentials are those that
    /// Lambda puts into the environment: looking for others (files, SSO, instance metadata) is left out, and so is the time
    /// and the size it costs. All clients share one pool of connections.
    #[must_use]
    pub fn over_network(settings: &Settings) -> Self {
        let credentials = EnvironmentVariableCredentialsProvider::new();
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(IdentityCache::lazy().build())
            .http_client(https())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SharedTimeSource::new(Clock::System))
            .timeout_config(timeouts(ATTEMPT, OPERATION));
        builder.set_endpoint_url(settings.endpoint.clone());
        // Buckets as host names need a DNS that the local AWS has not.
        let clients = Self::over(&builder.build(), Clock::System, Chance::system(), settings.endpoint.is_some());
        clients.reaching(Way::Network(Reach::Public))
    }

    /// Opens the connections that the first invocation will use, by a read of nothing and a look at a queue. At init
    /// Lambda lends whole cores; afterwards a function of 256 MB has a seventh of one, and TLS hand-shakes cost it most. What
    /// fails here fails again, and is told, when it is needed.
    pub async fn warm(&self, settings: &Settings, needs: Warm) {
        let read = async {
            let Some(table) = needs.table else { return };
            let nothing = AttributeValue::S("-".to_owned());
            let request = self.dynamodb.get_item().table_name(format!("{}{}", settings.prefix, table.name));
            let request = request.key(HASH_KEY, nothing.clone()).key(SORT_KEY, nothing);
            drop(request.send().await);
        };
        let look = async {
            let Some(queue) = needs.queue else { return };
            let request = self.sqs.get_queue_attributes().queue_url(settings.queue_url(queue));
            drop(request.attribute_names(QueueAttributeName::QueueArn).send().await);
        };
        tokio::join!(read, look);
    }

    /// The same clients with another way to the web.
    #[must_use]
    pub fn reaching(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// Clients whose requests go to `http`, in process: the real SDK, other answers. Nothing leaves for the web.
    #[must_use]
    pub fn in_process(http: SharedHttpClient, clock: Clock, chance: Chance) -> Self {
        let credentials = Credentials::new("local", "local", None, None, "local");
        let builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url("http://aws.local")
            .http_client(http)
            .time_source(SharedTimeSource::new(clock.clone()));
        let builder = if clock.is_virtual() {
            // Without the SDK's own dice, so that the same seed gives the same waits between retries.
            builder
                .retry_config(RetryConfig::standard().with_use_static_exponential_base(true))
                .sleep_impl(SharedAsyncSleep::new(clock.clone()))
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        } else {
            builder
        };
        // Where whoever sleeps moves time, only waits between retries may: a time-out beside an answer would end the answer.
        let timeouts = if clock.jumps() { TimeoutConfig::disabled() } else { timeouts(ATTEMPT, OPERATION) };
        Self::over(&builder.timeout_config(timeouts).build(), clock, chance, true)
    }

    /// The queues' client with less time for an operation.
    pub(crate) fn sqs_within(&self, limit: Duration) -> aws_sdk_sqs::Client {
        if self.clock.jumps() {
            return self.sqs.clone();
        }
        let config = self.sqs.config().to_builder().timeout_config(timeouts(limit, limit));
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    fn over(config: &SdkConfig, clock: Clock, chance: Chance, path_style: bool) -> Self {
        let ses = aws_sdk_sesv2::config::Builder::from(config);
        let ses = if planted!(SesRetries) { ses } else { ses.retry_config(RetryConfig::disabled()) };
        let ses = if clock.jumps() { ses } else { ses.timeout_config(timeouts(SEND, SEND)) };
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(config).retry_partition(own_retries());
        let sqs = aws_sdk_sqs::config::Builder::from(config).retry_partition(own_retries());
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .retry_partition(own_retries())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .force_path_style(path_style);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            ses: aws_sdk_sesv2::Client::from_conf(ses.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            clock,
            chance,
            way: Way::Nowhere,
        }
    }
}

/// An HTTP client with ring for TLS: 2 MB smaller than with the SDK's default, and quicker to load.
#[must_use]
pub fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Retries by the SDK's own budget, one for each client. By default all clients of a process share it, for ever: where one
/// process plays many environments, one would take the others' retries away.
fn own_retries() -> RetryPartition {
    RetryPartition::custom("client").token_bucket(TokenBucket::default()).build()
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
