//! The beginning and the end: clients, a table, a bucket; and their removal.

use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use dunlin_aws::Chance;
use dunlin_aws::clients::https;

use crate::aws::{Aws, Made};
use crate::local::Local;
use crate::place::{Place, setting};

/// How long an answer may take: a busy machine is not a broken rule.
const ANSWER: Duration = Duration::from_secs(60);

/// Requests to one endpoint, each made once.
fn config(endpoint: &str, http: SharedHttpClient) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(ANSWER).build())
        .endpoint_url(endpoint)
        .http_client(http)
        .build()
}

impl Aws {
    /// Clients of a place, with a table and a bucket there.
    pub(crate) async fn begin(place: &Place, live: bool) -> Self {
        let (config, local) = match place {
            Place::InProcess => {
                let local = Local::in_memory(live);
                (config("http://aws.local", local.cloud.http_client()), Some(local))
            }
            Place::OverAPort => {
                let (local, endpoint) = Local::served(live).await;
                (config(&endpoint, https()), Some(local))
            }
            Place::Elsewhere { endpoint: Some(endpoint), .. } => (config(endpoint, https()), None),
            Place::Elsewhere { endpoint: None, .. } => {
                let retries = RetryConfig::standard().with_max_attempts(8);
                (
                    aws_config::defaults(BehaviorVersion::latest())
                        .http_client(https())
                        .retry_config(retries)
                        .load()
                        .await,
                    None,
                )
            }
        };
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .force_path_style(!place.is_aws());
        let prefix = match place {
            Place::Elsewhere { .. } => format!("dunlin-conformance-{:08x}-", Chance::system().next() as u32),
            _ => "conformance-".to_owned(),
        };
        let aws = Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            ses: aws_sdk_sesv2::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sns: aws_sdk_sns::Client::new(&config),
            table: format!("{prefix}table"),
            bucket: format!("{prefix}bucket"),
            from: setting("DUNLIN_CONFORMANCE_FROM").unwrap_or_else(|| "shop@example.com".to_owned()),
            local,
            is_aws: place.is_aws(),
            prefix,
            made: Mutex::default(),
            next: AtomicU32::new(1),
        };
        if aws.is_aws {
            println!("what is made at AWS, and removed in the end, begins with {}", aws.prefix);
        }
        aws.make_table().await;
        aws.make_bucket().await;
        if !place.is_local() && !place.is_aws() {
            // Who has no identities needs none; whether mail from others is refused is a rule.
            let domain = aws.from.rsplit('@').next().unwrap_or_default().to_owned();
            if aws.ses.create_email_identity().email_identity(&domain).send().await.is_ok() {
                aws.note(Made::Identity(domain));
            }
        }
        aws
    }

    async fn make_table(&self) {
        let key = |name: &str, kind: KeyType| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
        };
        let text = |name: &str| {
            let kind = ScalarAttributeType::S;
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("an attribute")
        };
        let create = self.dynamodb.create_table().table_name(&self.table).billing_mode(BillingMode::PayPerRequest);
        let create = create.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
        let create = create.attribute_definitions(text("pk")).attribute_definitions(text("sk"));
        create.send().await.expect("a table is made");
        self.note(Made::Table);
        loop {
            let described = self.dynamodb.describe_table().table_name(&self.table).send().await.expect("a table");
            if described.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn make_bucket(&self) {
        let region = self.s3.config().region().map_or("us-east-1", Region::as_ref);
        // The first region has no name here.
        let place = (region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
        });
        let create = self.s3.create_bucket().bucket(&self.bucket).set_create_bucket_configuration(place);
        create.send().await.expect("a bucket is made");
        self.note(Made::Bucket);
    }

    /// Removes what was made. What is left is said, and does not fail the rules.
    pub(crate) async fn end(&self) {
        let made = std::mem::take(&mut *self.made.lock().expect("no panic"));
        for made in made.into_iter().rev() {
            let removed = match &made {
                Made::Queue(url) => self.sqs.delete_queue().queue_url(url).send().await.is_ok(),
                Made::Topic(arn) => self.sns.delete_topic().topic_arn(arn).send().await.is_ok(),
                Made::ConfigurationSet(name) => {
                    self.ses.delete_configuration_set().configuration_set_name(name).send().await.is_ok()
                }
                Made::Identity(name) => self.ses.delete_email_identity().email_identity(name).send().await.is_ok(),
                Made::Table => self.dynamodb.delete_table().table_name(&self.table).send().await.is_ok(),
                Made::Bucket => self.remove_bucket().await,
            };
            if !removed {
                println!("left behind: {made:?}");
            }
        }
    }

    async fn remove_bucket(&self) -> bool {
        while let Ok(page) = self.s3.list_objects_v2().bucket(&self.bucket).send().await {
            if page.contents().is_empty() {
                break;
            }
            let removals = page.contents().iter().filter_map(|object| object.key());
            let removals = removals.map(|key| self.s3.delete_object().bucket(&self.bucket).key(key).send());
            futures::future::join_all(removals).await;
        }
        self.s3.delete_bucket().bucket(&self.bucket).send().await.is_ok()
    }
}
