use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use dunlin_local::Service;

use crate::{cloud, dynamodb_client, pass};

fn text(value: &str) -> AttributeValue {
    S(value.to_owned())
}

#[tokio::test]
async fn an_item_put_under_a_condition_is_put_once() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    let put = || {
        client
            .put_item()
            .table_name("dunlin-runs")
            .item("pk", text("a"))
            .item("sk", text("b"))
            .item("state", text("waiting"))
            .condition_expression("attribute_not_exists(pk)")
            .send()
    };
    put().await.unwrap();
    let refused = put().await.unwrap_err().into_service_error();
    assert!(refused.is_conditional_check_failed_exception(), "{refused:?}");

    let got = client.get_item().table_name("dunlin-runs").key("pk", text("a")).key("sk", text("b")).send().await;
    assert_eq!(got.unwrap().item.unwrap()["state"], text("waiting"));

    let usage = cloud.meter().snapshot();
    assert_eq!(usage.get(Service::DynamoDb, "PutItem").requests, 2);
    assert_eq!(usage.get(Service::DynamoDb, "PutItem").write_units, 2.0);
    assert_eq!(usage.get(Service::DynamoDb, "GetItem").read_units, 0.5);
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    let put = |pk: &str| {
        let put = Put::builder()
            .table_name("dunlin-runs")
            .item("pk", text(pk))
            .item("sk", text("-"))
            .condition_expression("attribute_not_exists(pk)")
            .build();
        TransactWriteItem::builder().put(put.unwrap()).build()
    };
    client.transact_write_items().transact_items(put("a")).send().await.unwrap();
    let both = client.transact_write_items().transact_items(put("b")).transact_items(put("a")).send().await;
    let refused = both.unwrap_err().into_service_error();
    assert!(refused.is_transaction_canceled_exception(), "{refused:?}");
    let scanned = client.scan().table_name("dunlin-runs").send().await.unwrap();
    assert_eq!(scanned.count, 1);
}

#[tokio::test]
async fn an_item_vanishes_after_its_time_to_live() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    let expires_at = crate::start().as_second() + 60;
    client
        .put_item()
        .table_name("dunlin-timers")
        .item("pk", text("a"))
        .item("sk", text("b"))
        .item("ttl", N(expires_at.to_string()))
        .send()
        .await
        .unwrap();
    assert_eq!(cloud.expire().unwrap(), 0);
    pass(&cloud, 3600);
    assert_eq!(cloud.expire().unwrap(), 1);
    assert_eq!(client.scan().table_name("dunlin-timers").send().await.unwrap().count, 0);
}

#[tokio::test]
async fn a_missing_table_is_not_found() {
    let client = dynamodb_client(&cloud());
    let refused = client.scan().table_name("nowhere").send().await.unwrap_err().into_service_error();
    assert!(refused.is_resource_not_found_exception(), "{refused:?}");
}
