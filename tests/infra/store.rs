//! Tables and the bucket.

use dunlin_aws::resources::{HASH_KEY, SORT_KEY, TABLES, TTL};
use dunlin_aws::{copies, spill};
use serde_json::json;

use crate::template::Template;

#[test]
fn every_table_of_the_code_is_deployed_with_its_keys_and_no_other_is() {
    let template = Template::read();
    for table in TABLES {
        let name = format!("dunlin-{}", table.name);
        let deployed = template.named("AWS::DynamoDB::Table", "TableName", &name);
        let string = |key: &str| json!({"AttributeName": key, "AttributeType": "S"});
        assert_eq!(deployed["AttributeDefinitions"], json!([string(HASH_KEY), string(SORT_KEY)]), "{name}");
        let key = |key: &str, kind: &str| json!({"AttributeName": key, "KeyType": kind});
        // A table's keys never change: CloudFormation would make a new, empty table, and fail on the name.
        assert_eq!(deployed["KeySchema"], json!([key(HASH_KEY, "HASH"), key(SORT_KEY, "RANGE")]), "{name}");
        assert_eq!(deployed["BillingMode"], "PAY_PER_REQUEST", "{name}");
        assert_eq!(deployed["TimeToLiveSpecification"], json!({"AttributeName": TTL, "Enabled": true}), "{name}");
        assert!(deployed["GlobalSecondaryIndexes"].is_null(), "{name}: no index, it would throttle its table");
    }
    assert_eq!(template.resources("AWS::DynamoDB::Table").len(), TABLES.len());
}

#[test]
fn what_was_deployed_once_keeps_its_names_and_keys() {
    // Written out, not taken from the code: CloudFormation would replace what is renamed by something empty, or fail on it.
    let template = Template::read();
    for name in ["profiles", "runs", "timers", "deliveries", "control", "parked"] {
        let table = template.named("AWS::DynamoDB::Table", "TableName", &format!("dunlin-{name}"));
        let keys = json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]);
        assert_eq!(table["KeySchema"], keys, "{name}");
    }
    for (name, fifo) in [
        ("events.fifo", true),
        ("backlog.fifo", true),
        ("steps", false),
        ("sends-transactional", false),
        ("sends", false),
        ("sends-backlog", false),
        ("feedback", false),
    ] {
        let queue = template.named("AWS::SQS::Queue", "QueueName", &format!("dunlin-{name}"));
        assert_eq!(queue["FifoQueue"] == json!(true), fifo, "{name}");
    }
    template.named("AWS::SES::ConfigurationSet", "Name", "dunlin-mail");
}

#[test]
fn no_table_goes_by_mistake() {
    let template = Template::read();
    for (id, table) in template.resources("AWS::DynamoDB::Table") {
        // Kept when the stack goes; not when its first deployment fails, which would block the next.
        assert_eq!(table["DeletionPolicy"], "RetainExceptOnCreate", "{id}");
        assert_eq!(table["UpdateReplacePolicy"], "Retain", "{id}");
        let properties = &table["Properties"];
        assert_eq!(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{id}");
        assert_eq!(template.text(&properties["DeletionProtectionEnabled"]), "true", "{id}");
    }
}

#[test]
fn the_bucket_is_closed_keeps_spilled_calls_and_lets_copies_go() {
    let template = Template::read();
    let buckets = template.resources("AWS::S3::Bucket");
    let bucket = &buckets["Store"]["Properties"];
    let access = bucket["PublicAccessBlockConfiguration"].as_object().expect("a block of public access");
    assert!(access.len() == 4 && access.values().all(|blocked| blocked == &json!(true)), "{access:?}");
    let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().expect("rules");
    let expiring: Vec<_> = rules.iter().filter(|rule| !rule["ExpirationInDays"].is_null()).collect();
    assert_eq!(expiring.len(), 1, "{rules:?}");
    assert_eq!(expiring[0]["Prefix"], copies::PREFIX);
    assert_ne!(copies::PREFIX, spill::PREFIX);
}

#[test]
fn the_longest_prefix_and_region_make_a_bucket_name_that_s3_takes() {
    let template = Template::read();
    let pattern = &template.document["Parameters"]["Prefix"]["AllowedPattern"];
    assert_eq!(pattern, "^[a-z][a-z0-9-]{0,26}-$", "28 characters at most, as dunlin_aws::Settings checks");
    let name = template.text(&template.resources("AWS::S3::Bucket")["Store"]["Properties"]["BucketName"]);
    assert_eq!(name, "dunlin-store-AWS::AccountId-AWS::Region");
    let longest = 28 + "store-".len() + "123456789012-".len() + "ap-southeast-1".len();
    assert!(longest <= 63, "{longest}");
}
