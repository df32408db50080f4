use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::PointInTimeRecoveryStatus;
use dunlin_local::Service;

use crate::{cloud, dynamodb_client, pass};

fn text(value: &str) -> AttributeValue {
    S(value.to_owned())
}

#[tokio::test]
async fn the_meter_counts_requests_and_units_also_of_refused_writes() {
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
    put().await.unwrap_err();
    client.get_item().table_name("dunlin-runs").key("pk", text("a")).key("sk", text("b")).send().await.unwrap();

    let usage = cloud.meter().snapshot();
    assert_eq!(usage.get(Service::DynamoDb, "PutItem").requests, 2);
    assert_eq!(usage.get(Service::DynamoDb, "PutItem").write_units, 2.0);
    assert_eq!(usage.get(Service::DynamoDb, "GetItem").read_units, 0.5);
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
async fn a_table_tells_that_it_has_no_point_in_time_recovery() {
    let client = dynamodb_client(&cloud());
    let answer = client.describe_continuous_backups().table_name("dunlin-runs").send().await.unwrap();
    let recovery = answer.continuous_backups_description.unwrap().point_in_time_recovery_description.unwrap();
    assert_eq!(recovery.point_in_time_recovery_status, Some(PointInTimeRecoveryStatus::Disabled));
    assert!(client.describe_continuous_backups().table_name("other").send().await.is_err());
}
