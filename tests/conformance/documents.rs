//! Pages of AWS's documentation that more than one rule cites.

/// A page of DynamoDB's API reference.
macro_rules! dynamodb_api {
    ($action:literal) => {
        concat!("https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_", $action, ".html")
    };
}
/// A page of DynamoDB's developer guide.
macro_rules! dynamodb_guide {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/", $page, ".html")
    };
}
/// A page of SQS's API reference.
macro_rules! sqs_api {
    ($action:literal) => {
        concat!("https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_", $action, ".html")
    };
}
/// A page of SQS's developer guide.
macro_rules! sqs_guide {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/", $page, ".html")
    };
}
/// A page of SES's API v2 reference.
macro_rules! ses_api {
    ($action:literal) => {
        concat!("https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_", $action, ".html")
    };
}
/// A page of SES's developer guide.
macro_rules! ses_guide {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/ses/latest/dg/", $page, ".html")
    };
}
/// A page of S3's API reference.
macro_rules! s3_api {
    ($action:literal) => {
        concat!("https://docs.aws.amazon.com/AmazonS3/latest/API/API_", $action, ".html")
    };
}
/// A page of S3's user guide.
macro_rules! s3_guide {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/AmazonS3/latest/userguide/", $page, ".html")
    };
}
/// A page of SNS's developer guide.
macro_rules! sns_guide {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/sns/latest/dg/", $page, ".html")
    };
}
pub(crate) use {dynamodb_api, dynamodb_guide, s3_api, s3_guide, ses_api, ses_guide, sns_guide, sqs_api, sqs_guide};
