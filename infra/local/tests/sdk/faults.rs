mod dynamodb;
mod readers;
mod ses;
mod sqs;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue::S;
use dunlin_local::{Cloud, Fault, FaultKind as Kind, Service, Side, When};

use crate::{cloud, dynamodb_client, sqs_client};

const SENDS: &str = "http://aws.local/0/dunlin-sends";

async fn put(cloud: &Cloud, pk: &str) -> Result<(), aws_sdk_dynamodb::Error> {
    let put = dynamodb_client(cloud).put_item().table_name("dunlin-runs").item("pk", S(pk.to_owned()));
    put.item("sk", S("-".to_owned())).send().await?;
    Ok(())
}

async fn items(cloud: &Cloud) -> i32 {
    dynamodb_client(cloud).scan().table_name("dunlin-runs").send().await.unwrap().count
}

#[tokio::test]
async fn a_lost_answer_may_or_may_not_have_had_its_effect() {
    for (kind, expected) in [
        (Kind::TimeoutApplied, 1),
        (Kind::TimeoutNotApplied, 0),
        (Kind::Unreachable, 0),
        (Kind::ServerError, 0),
        (Kind::ResetApplied, 1),
        (Kind::ResetNotApplied, 0),
    ] {
        let cloud = cloud();
        cloud.faults().set(vec![Fault::new(kind, When::Call(1)).at(Service::DynamoDb).on("PutItem")]);
        assert!(put(&cloud, "a").await.is_err());
        assert_eq!(items(&cloud).await, expected, "{kind:?}");
        assert_eq!(cloud.faults().injected()[0].kind, kind);
    }
}

#[tokio::test]
async fn a_throttled_request_says_so_in_the_services_words() {
    let cloud = cloud();
    cloud.faults().set(vec![Fault::new(Kind::Throttle, When::Chance(1.0))]);
    assert!(matches!(put(&cloud, "a").await, Err(aws_sdk_dynamodb::Error::ThrottlingException(_))));
    let refused = sqs_client(&cloud).send_message().queue_url(SENDS).message_body("x").send().await;
    assert!(refused.unwrap_err().into_service_error().is_request_throttled());
}

#[tokio::test]
async fn a_crash_drops_the_answer_of_its_request_and_all_later_ones() {
    let cloud = cloud();
    cloud.faults().crash_at(2, Side::After);
    let work = async {
        put(&cloud, "a").await.unwrap();
        put(&cloud, "b").await.unwrap();
        panic!("the second answer arrived");
    };
    tokio::select! {
        () = work => {}
        () = cloud.faults().crashed() => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nobody told of the crash"),
    }
    assert!(cloud.faults().has_crashed());
    cloud.faults().clear();
    assert_eq!(items(&cloud).await, 2);
}

#[tokio::test]
async fn storage_that_asks_for_less_is_a_throttle_and_one_that_is_away_is_not_reached() {
    use aws_sdk_s3::error::ProvideErrorMetadata as _;
    for (kind, code) in
        [(Kind::Throttle, Some("SlowDown")), (Kind::ServerError, Some("InternalError")), (Kind::Unreachable, None)]
    {
        let cloud = cloud();
        cloud.faults().set(vec![Fault::new(kind, When::Chance(1.0)).at(Service::S3)]);
        let client = crate::s3_client(&cloud);
        let put = client.put_object().bucket("dunlin-store").key("a").body(b"x".to_vec().into()).send().await;
        assert_eq!(put.unwrap_err().code(), code, "{kind:?}");
        cloud.faults().clear();
        assert!(client.get_object().bucket("dunlin-store").key("a").send().await.is_err(), "nothing was written");
    }
}
