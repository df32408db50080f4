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
async fn a_time_out_may_or_may_not_have_its_effect() {
    for (kind, expected) in
        [(Kind::TimeoutApplied, 1), (Kind::TimeoutNotApplied, 0), (Kind::Unreachable, 0), (Kind::ServerError, 0)]
    {
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
async fn a_duplicate_delivery_comes_twice_and_a_lost_receive_not_at_all() {
    let cloud = cloud();
    sqs_client(&cloud).send_message().queue_url(SENDS).message_body("x").send().await.unwrap();
    cloud
        .faults()
        .set(vec![Fault::new(Kind::DuplicateDelivery, When::Call(1)), Fault::new(Kind::LostReceive, When::Call(3))]);
    let first = cloud.sqs().receive("dunlin-sends", 10);
    cloud.sqs().delete("dunlin-sends", &[first[0].receipt.clone()]);
    let second = cloud.sqs().receive("dunlin-sends", 10);
    assert_eq!(first[0].id, second[0].id);
    crate::pass(&cloud, 120);
    assert!(cloud.sqs().receive("dunlin-sends", 10).is_empty());
    assert_eq!(cloud.sqs().depth("dunlin-sends").in_flight, 1);
}

#[tokio::test]
async fn a_stale_read_answers_as_it_did_before_the_write() {
    let cloud = cloud();
    cloud.faults().set(vec![Fault::new(Kind::StaleRead, When::Call(1))]);
    let get = |consistent| {
        let get = dynamodb_client(&cloud).get_item().table_name("dunlin-runs").key("pk", S("a".into()));
        let get = get.key("sk", S("-".into())).consistent_read(consistent);
        async move { get.send().await.unwrap().item.is_some() }
    };
    assert!(!get(false).await);
    put(&cloud, "a").await.unwrap();
    assert!(get(true).await);
    assert!(!get(false).await, "stale");
    assert!(get(false).await);
}
