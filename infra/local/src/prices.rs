//! List prices of us-east-1 in US dollars, without free tiers; where each is published stands beside it.

use crate::meter::{Count, Service};

/// One DynamoDB write request unit, on demand (aws.amazon.com/dynamodb/pricing/on-demand).
pub const DYNAMODB_WRITE_UNIT: f64 = 0.625 / 1e6;
/// One DynamoDB read request unit, on demand (aws.amazon.com/dynamodb/pricing/on-demand).
pub const DYNAMODB_READ_UNIT: f64 = 0.125 / 1e6;
/// One request of up to 64 KiB to a standard queue (aws.amazon.com/sqs/pricing).
pub const SQS_STANDARD_REQUEST: f64 = 0.40 / 1e6;
/// One request of up to 64 KiB to a FIFO queue (aws.amazon.com/sqs/pricing).
pub const SQS_FIFO_REQUEST: f64 = 0.50 / 1e6;
/// One mail to one recipient, without attachments (aws.amazon.com/ses/pricing).
pub const SES_RECIPIENT: f64 = 0.10 / 1e3;
/// One PUT, COPY, POST or LIST request, standard class (aws.amazon.com/s3/pricing).
pub const S3_WRITE: f64 = 5.0 / 1e6;
/// One GET request and all others but DELETE, which is free (aws.amazon.com/s3/pricing).
pub const S3_READ: f64 = 0.40 / 1e6;
/// One invocation of a function (aws.amazon.com/lambda/pricing).
pub const LAMBDA_REQUEST: f64 = 0.20 / 1e6;
/// One gigabyte-second of a function on arm64 (aws.amazon.com/lambda/pricing).
pub const LAMBDA_GIGABYTE_SECOND: f64 = 0.000_013_333_4;
/// One request of up to 512 KB to an HTTP API (aws.amazon.com/api-gateway/pricing).
pub const HTTP_API_REQUEST: f64 = 1.00 / 1e6;

/// What was counted for an operation, in dollars.
#[must_use]
pub fn dollars(service: Service, operation: &str, count: &Count) -> f64 {
    match service {
        Service::DynamoDb => count.read_units * DYNAMODB_READ_UNIT + count.write_units * DYNAMODB_WRITE_UNIT,
        Service::SqsStandard => times(count.chunks) * SQS_STANDARD_REQUEST,
        Service::SqsFifo => times(count.chunks) * SQS_FIFO_REQUEST,
        Service::Ses => times(count.chunks) * SES_RECIPIENT,
        Service::S3 => times(count.requests) * s3_price(operation),
        Service::Lambda => times(count.requests) * LAMBDA_REQUEST + count.gigabyte_seconds * LAMBDA_GIGABYTE_SECOND,
        Service::ApiGateway => times(count.chunks) * HTTP_API_REQUEST,
    }
}

fn s3_price(operation: &str) -> f64 {
    match operation {
        "DeleteObject" => 0.0,
        "PutObject" | "ListObjectsV2" | "CreateBucket" => S3_WRITE,
        _ => S3_READ,
    }
}

/// A count as a factor; counts stay far below 2^52, where this would lose precision.
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^52")]
fn times(count: u64) -> f64 {
    count as f64
}
