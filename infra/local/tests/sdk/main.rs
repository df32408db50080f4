//! What the local AWS has beside AWS: its meter, faults, outbox and restart. Whether it answers as AWS does is asked in
//! `tests/conformance`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod dynamodb;
mod faults;
mod outbox;
mod restart;
mod s3;
mod ses;
mod sqs;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_credential_types::Credentials;
use dunlin_aws::Clock;
use dunlin_local::Cloud;
use jiff::{SignedDuration, Timestamp};

/// The instant at which tests begin.
pub fn start() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

/// A cloud in memory, in virtual time.
pub fn cloud() -> Cloud {
    Cloud::in_memory(Clock::virtual_at(start()), 42).unwrap()
}

/// Moves a cloud's time forward.
pub fn pass(cloud: &Cloud, seconds: i64) {
    cloud.clock().advance_to(cloud.clock().now() + SignedDuration::from_secs(seconds));
}

/// A folder of its own, removed with the value.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn fresh() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::SeqCst);
        Self(std::env::temp_dir().join(format!("dunlin-local-{}-{n}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

macro_rules! client {
    ($name:ident, $sdk:ident) => {
        pub fn $name(cloud: &Cloud) -> $sdk::Client {
            let config = $sdk::Config::builder()
                .behavior_version($sdk::config::BehaviorVersion::latest())
                .region($sdk::config::Region::new("us-east-1"))
                .credentials_provider(Credentials::new("local", "local", None, None, "local"))
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .endpoint_url("http://aws.local")
                .http_client(cloud.http_client());
            $sdk::Client::from_conf(config.build())
        }
    };
}

client!(dynamodb_client, aws_sdk_dynamodb);
client!(sqs_client, aws_sdk_sqs);
client!(ses_client, aws_sdk_sesv2);

pub fn s3_client(cloud: &Cloud) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url("http://aws.local")
        .force_path_style(true)
        .http_client(cloud.http_client());
    aws_sdk_s3::Client::from_conf(config.build())
}
