//! The SDK's clients, built once at cold start, with a time-out on everything.

use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;

use crate::chance::Chance;
use crate::clock::Clock;

/// Time to open a connection. A healthy one in the region takes single milliseconds.
const CONNECT: Duration = Duration::from_secs(1);
/// Time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Time for an operation with its retries; a function's time-out is longer (`resources`).
const OPERATION: Duration = Duration::from_secs(8);
/// Time for SES to answer: no retries there, so one attempt may take longer before it counts as unknown.
const SEND: Duration = Duration::from_secs(10);

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
}

impl Clients {
    /// Clients for AWS itself: region, credentials and endpoints (`AWS_ENDPOINT_URL`) from the environment.
    pub async fn from_environment() -> Self {
        let config =
            aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts(ATTEMPT, OPERATION)).load().await;
        Self::over(&config, Clock::System, Chance::system(), false)
    }

    /// Clients whose requests go to `http`, in process: the real SDK, other answers.
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
            // Whatever sleeps moves virtual time: only waits between retries may, and without the SDK's own dice.
            builder
                .retry_config(RetryConfig::standard().with_use_static_exponential_base(true))
                .sleep_impl(SharedAsyncSleep::new(Jump(clock.clone())))
                .timeout_config(TimeoutConfig::disabled())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        } else {
            builder.timeout_config(timeouts(ATTEMPT, OPERATION))
        };
        Self::over(&builder.build(), clock, chance, true)
    }

    fn over(config: &SdkConfig, clock: Clock, chance: Chance, path_style: bool) -> Self {
        let ses = aws_sdk_sesv2::config::Builder::from(config).retry_config(RetryConfig::disabled());
        let ses = if clock.is_virtual() { ses } else { ses.timeout_config(timeouts(SEND, SEND)) };
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .force_path_style(path_style);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            ses: aws_sdk_sesv2::Client::from_conf(ses.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            clock,
            chance,
        }
    }
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// Sleep in virtual time: the clock jumps, once somebody really waits (a time-out beside an answer that is there never
/// comes to it).
#[derive(Debug)]
struct Jump(Clock);

impl AsyncSleep for Jump {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move {
            clock.advance_to(clock.now().checked_add(duration).unwrap_or(jiff::Timestamp::MAX));
        })
    }
}
