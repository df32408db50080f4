//! What goes wrong in tables.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue::{self, S};
use aws_sdk_dynamodb::types::{ConditionCheck, KeysAndAttributes, Put, PutRequest, TransactWriteItem, WriteRequest};
use dunlin_aws::Clock;
use dunlin_local::{Cloud, Fault, FaultKind as Kind, Service, When};
use jiff::SignedDuration;

use crate::{cloud, dynamodb_client, pass};

const TABLE: &str = "dunlin-runs";
const OTHER: &str = "dunlin-profiles";
const ALWAYS: When = When::Chance(1.0);

type Item = HashMap<String, AttributeValue>;

fn item(pk: &str, sk: &str, text: &str) -> Item {
    [("pk", pk), ("sk", sk), ("b", text)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), S(value.to_owned())))
        .collect()
}

fn key(pk: &str, sk: &str) -> Item {
    item(pk, sk, "").into_iter().filter(|(name, _)| name != "b").collect()
}

/// What an item holds beside its keys, with its sort key.
fn told(item: &Item) -> (String, String) {
    (item["sk"].as_s().unwrap().clone(), item["b"].as_s().unwrap().clone())
}

async fn put(client: &Client, table: &str, item: Item) -> Option<String> {
    let sent = client.put_item().table_name(table).set_item(Some(item)).send().await;
    sent.err().map(|error| error.into_service_error().code().unwrap_or_default().to_owned())
}

async fn get(client: &Client, pk: &str, sk: &str, consistent: bool) -> Option<String> {
    let get = client.get_item().table_name(TABLE).set_key(Some(key(pk, sk))).consistent_read(consistent);
    get.send().await.unwrap().item.map(|item| told(&item).1)
}

/// A transaction that puts the first and looks at the others; the reasons if it is cancelled.
async fn transact(client: &Client, items: &[(&str, &str)]) -> Result<(), Vec<String>> {
    let write = |(n, (table, pk)): (usize, &(&str, &str))| {
        if n == 0 {
            let put = Put::builder().table_name(*table).set_item(Some(item(pk, "-", "new"))).build().unwrap();
            return TransactWriteItem::builder().put(put).build();
        }
        let check = ConditionCheck::builder().table_name(*table).set_key(Some(key(pk, "-")));
        let check = check.condition_expression("attribute_not_exists(pk)").build().unwrap();
        TransactWriteItem::builder().condition_check(check).build()
    };
    let writes = items.iter().enumerate().map(write).collect();
    match client.transact_write_items().set_transact_items(Some(writes)).send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.into_service_error() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                Err(cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap().to_owned()).collect())
            }
            other => Err(vec![other.code().unwrap_or_default().to_owned()]),
        },
    }
}

#[tokio::test]
async fn a_throttle_of_a_table_or_key_range_leaves_the_others_alone() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    let throttled = || Some("ThrottlingException".to_owned());
    cloud.faults().set(vec![Fault::new(Kind::Throttle, ALWAYS).of_table(TABLE)]);
    assert_eq!(put(&client, TABLE, item("prj_a#1", "-", "")).await, throttled());
    assert_eq!(put(&client, OTHER, item("prj_a#1", "-", "")).await, None);
    cloud.faults().set(vec![Fault::new(Kind::Throttle, ALWAYS).of_keys("prj_a#")]);
    for (pk, expected) in [("prj_a#1", throttled()), ("prj_b#1", None)] {
        assert_eq!(put(&client, TABLE, item(pk, "-", "")).await, expected);
        let query = client.query().table_name(TABLE).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", S(pk.to_owned())).send().await;
        assert_eq!(query.err().map(|error| error.code().unwrap_or_default().to_owned()), expected);
        let keys = KeysAndAttributes::builder().keys(key("prj_c#1", "-")).keys(key(pk, "-")).build().unwrap();
        let batch = client.batch_get_item().request_items(TABLE, keys).send().await;
        assert_eq!(batch.err().map(|error| error.code().unwrap_or_default().to_owned()), expected);
    }
    assert!(cloud.sqs().receive("dunlin-sends", 1).is_empty(), "queues have no keys");
    assert_eq!(cloud.faults().injected().len(), 4);
}

#[tokio::test]
async fn a_transaction_is_cancelled_by_its_one_hot_item() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    cloud.faults().set(vec![Fault::new(Kind::Throttle, ALWAYS).of_table(OTHER).of_keys("hot")]);
    let reasons = transact(&client, &[(TABLE, "hot1"), (OTHER, "cold"), (OTHER, "hot2")]).await;
    assert_eq!(reasons, Err(vec!["None".to_owned(), "None".to_owned(), "ThrottlingError".to_owned()]));
    assert_eq!(get(&client, "hot1", "-", true).await, None);
    assert_eq!(transact(&client, &[(TABLE, "hot1"), (OTHER, "cold")]).await, Ok(()));
}

#[tokio::test]
async fn a_conflict_with_another_transaction_has_no_effect() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    cloud.faults().set(vec![Fault::new(Kind::TransactionConflict, ALWAYS).times(2)]);
    let reasons = transact(&client, &[(TABLE, "a"), (TABLE, "b")]).await.unwrap_err();
    assert_eq!(reasons.iter().collect::<BTreeSet<_>>().len(), 2, "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason == "TransactionConflict"));
    assert_eq!(put(&client, TABLE, item("a", "-", "")).await.as_deref(), Some("TransactionConflictException"));
    assert_eq!(get(&client, "a", "-", true).await, None);
    assert_eq!(transact(&client, &[(TABLE, "a"), (TABLE, "b")]).await, Ok(()));
}

#[tokio::test]
async fn unprocessed_entries_are_returned_and_the_others_done() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    cloud.faults().set(vec![Fault::new(Kind::Unprocessed, ALWAYS)]);
    let write = |n: usize| {
        let put = PutRequest::builder().set_item(Some(item("a", &n.to_string(), ""))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let (mut left, mut written): (Vec<WriteRequest>, usize) = ((0..9).map(write).collect(), 0);
    while left.len() > 1 {
        let answer = client.batch_write_item().request_items(TABLE, left.clone()).send().await.unwrap();
        let still = answer.unprocessed_items.unwrap().remove(TABLE).unwrap();
        assert!(!still.is_empty() && still.len() < left.len());
        written += left.len() - still.len();
        left = still;
        assert_eq!(client.scan().table_name(TABLE).send().await.unwrap().count, i32::try_from(written).unwrap());
    }
    let alone = client.batch_write_item().request_items(TABLE, left).send().await.unwrap_err();
    assert_eq!(alone.code(), Some("ProvisionedThroughputExceededException"));

    let keys = KeysAndAttributes::builder().set_keys(Some((0..9).map(|n| key("a", &n.to_string())).collect()));
    let read = client.batch_get_item().request_items(TABLE, keys.consistent_read(true).build().unwrap());
    let answer = read.send().await.unwrap();
    let left = answer.unprocessed_keys.unwrap().remove(TABLE).unwrap();
    assert_eq!(left.consistent_read(), Some(true), "what is left can be asked for as it is");
    let found = answer.responses.unwrap().remove(TABLE).unwrap();
    let there = found.iter().map(|item| item["sk"].clone());
    let asked = left.keys().iter().map(|key| key["sk"].clone());
    let both: BTreeSet<String> = there.chain(asked).map(|sk| sk.as_s().unwrap().clone()).collect();
    assert!(!left.keys().is_empty() && both.len() >= 8, "{both:?}");
}

#[tokio::test]
async fn whoever_follows_the_keys_of_short_pages_sees_everything_once() {
    let mut sizes = BTreeSet::new();
    for seed in 0..12 {
        let cloud = Cloud::in_memory(Clock::virtual_at(crate::start()), seed).unwrap();
        let client = dynamodb_client(&cloud);
        for n in 0..5 {
            put(&client, TABLE, item("a", &format!("t#{n}"), "")).await;
        }
        put(&client, TABLE, item("a", "s#9", "")).await;
        put(&client, TABLE, item("a", "u#0", "")).await;
        cloud.faults().set(vec![Fault::new(Kind::ShortPage, ALWAYS)]);
        for (condition, first, last) in
            [("begins_with(sk, :s)", "t#", None), ("sk >= :s", " ", None), ("sk BETWEEN :s AND :l", "t#0", Some("t#4"))]
        {
            for forward in [true, false] {
                let query =
                    client.query().table_name(TABLE).key_condition_expression(format!("pk = :p AND {condition}"));
                let query = query.expression_attribute_values(":p", S("a".into())).scan_index_forward(forward);
                let query = query.expression_attribute_values(":s", S(first.into())).limit(3);
                let query = match last {
                    Some(last) => query.expression_attribute_values(":l", S(last.into())),
                    None => query,
                };
                let (mut seen, mut next) = (Vec::new(), None);
                loop {
                    let page = query.clone().set_exclusive_start_key(next).send().await.unwrap();
                    assert_eq!(page.count, i32::try_from(page.items().len()).unwrap());
                    sizes.insert(page.items().len());
                    seen.extend(page.items().iter().map(|item| told(item).0));
                    next = page.last_evaluated_key;
                    if next.is_none() {
                        break;
                    }
                }
                let mut expected: Vec<String> = (0..5).map(|n| format!("t#{n}")).collect();
                if first == " " {
                    expected = [vec!["s#9".to_owned()], expected, vec!["u#0".to_owned()]].concat();
                }
                if !forward {
                    expected.reverse();
                }
                assert_eq!(seen, expected, "{condition}, forward: {forward}");
            }
        }
    }
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3], "pages of every size, none at all among them");
}

#[tokio::test]
async fn a_stale_read_answers_as_it_would_have_a_while_ago() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    put(&client, TABLE, item("a", "1", "never written again")).await;
    put(&client, TABLE, item("a", "2", "first")).await;
    put(&client, TABLE, item("a", "3", "deleted")).await;
    let stale = Fault::new(Kind::StaleRead, ALWAYS).at(Service::DynamoDb).up_to(SignedDuration::from_secs(60));
    cloud.faults().set(vec![stale]);
    pass(&cloud, 100);
    put(&client, TABLE, item("a", "2", "second")).await;
    client.delete_item().table_name(TABLE).set_key(Some(key("a", "3"))).send().await.unwrap();
    put(&client, TABLE, item("a", "4", "inserted")).await;
    let query = |consistent| {
        let query = client.query().table_name(TABLE).key_condition_expression("pk = :p").consistent_read(consistent);
        let query = query.expression_attribute_values(":p", S("a".into()));
        async move {
            query
                .send()
                .await
                .unwrap()
                .items()
                .iter()
                .map(told)
                .map(|(sk, text)| format!("{sk} {text}"))
                .collect::<Vec<_>>()
        }
    };
    let before = ["1 never written again", "2 first", "3 deleted"];
    let after = ["1 never written again", "2 second", "4 inserted"];
    assert_eq!(query(false).await, before);
    assert_eq!(query(true).await, after, "a consistent read is never stale, and looking back changes nothing");
    assert_eq!(get(&client, "a", "2", false).await.as_deref(), Some("first"));
    assert_eq!(get(&client, "a", "2", true).await.as_deref(), Some("second"));
    assert_eq!(get(&client, "a", "4", false).await, None);
    let keys = ["1", "2", "3", "4"].map(|sk| key("a", sk)).to_vec();
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build().unwrap();
    let batch = client.batch_get_item().request_items(TABLE, keys).send().await.unwrap();
    let found: BTreeSet<String> = batch.responses.unwrap()[TABLE].iter().map(|item| told(item).1).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["deleted", "first", "never written again"]);
    pass(&cloud, 60);
    assert_eq!(query(false).await, after, "a minute later everybody knows");
}

#[tokio::test]
async fn a_stale_read_sees_the_version_of_its_instant() {
    let cloud = cloud();
    let client = dynamodb_client(&cloud);
    cloud.faults().set(vec![Fault::new(Kind::StaleRead, ALWAYS).up_to(SignedDuration::from_secs(40))]);
    for version in 0..10 {
        put(&client, TABLE, item("a", "-", &version.to_string())).await;
        pass(&cloud, 10);
    }
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        seen.insert(get(&client, "a", "-", false).await.unwrap());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["6", "7", "8", "9"], "forty seconds are four versions");
}
