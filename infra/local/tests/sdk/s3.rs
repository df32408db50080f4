use aws_sdk_s3::error::ProvideErrorMetadata as _;

use crate::{cloud, s3_client};

#[tokio::test]
async fn a_bucket_without_a_lifecycle_says_so() {
    let client = s3_client(&cloud());
    assert!(client.head_bucket().bucket("dunlin-store").send().await.is_ok());
    let error = client.get_bucket_lifecycle_configuration().bucket("dunlin-store").send().await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchLifecycleConfiguration"));
}
