//! DynamoDB: the JSON protocol before dynoxide, with capacity for the meter and with faults.

mod faulty;
mod partial;
mod past;
mod protocol;
mod touched;

use std::sync::{Arc, Mutex};

use dunlin_aws::{Clock, resources};
use dynoxide::{Database, DynoxideError, ImportOptions, Item};
use serde_json::json;

pub(crate) use faulty::throttle;
pub(crate) use touched::touched;

use crate::error::CloudError;
use crate::faults::{Asked, Faults, Touched};
use crate::meter::{Count, Meter, Service};
use crate::reply::{self, Refusal, Reply};
use crate::store::Store;
use past::Past;
use protocol::{count, count_refused, run};

/// What an answer's body is.
const MEDIA_TYPE: &str = "application/x-amz-json-1.0";

/// The clock as dynoxide reads it.
pub(crate) struct TableClock(pub(crate) Clock);

impl dynoxide::storage_backend::Clock for TableClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_duration().as_secs_f64()
    }
}

/// The tables.
pub(crate) struct DynamoDb {
    store: Arc<Store>,
    clock: Clock,
    meter: Meter,
    faults: Faults,
    /// What was replaced lately, kept only while a rule asks for stale reads.
    past: Mutex<Past>,
}

impl DynamoDb {
    pub(crate) fn new(store: Arc<Store>, clock: Clock, meter: Meter, faults: Faults) -> Self {
        Self { store, clock, meter, faults, past: Mutex::default() }
    }

    /// Creates the tables that are not there yet.
    pub(crate) fn create_tables(&self, prefix: &str) -> Result<(), CloudError> {
        for table in resources::TABLES {
            let name = format!("{prefix}{}", table.name);
            let request = json!({
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [
                    { "AttributeName": resources::HASH_KEY, "KeyType": "HASH" },
                    { "AttributeName": resources::SORT_KEY, "KeyType": "RANGE" },
                ],
                "AttributeDefinitions": [
                    { "AttributeName": resources::HASH_KEY, "AttributeType": "S" },
                    { "AttributeName": resources::SORT_KEY, "AttributeType": "S" },
                ],
            });
            let ttl = json!({
                "TableName": name,
                "TimeToLiveSpecification": { "AttributeName": resources::TTL, "Enabled": true },
            });
            self.store.with_tables(|tables| -> Result<(), CloudError> {
                match run(tables, "CreateTable", &request.to_string()) {
                    Err(DynoxideError::ResourceInUseException(_)) => return Ok(()),
                    created => created?,
                };
                run(tables, "UpdateTimeToLive", &ttl.to_string())?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Puts items into a table at once, below the protocol: neither metered nor hit by faults.
    pub(crate) fn import(&self, table: &str, items: Vec<Item>) -> Result<(), CloudError> {
        self.store.with_tables(|tables| tables.import_items(table, items, ImportOptions::default()))?;
        Ok(())
    }

    /// The sort keys of a table's items.
    pub(crate) fn sort_keys(&self, table: &str) -> Result<Vec<String>, CloudError> {
        let (mut keys, mut start) = (Vec::new(), serde_json::Value::Null);
        loop {
            let mut request = json!({ "TableName": table, "ProjectionExpression": resources::SORT_KEY });
            if let (Some(request), false) = (request.as_object_mut(), start.is_null()) {
                request.insert("ExclusiveStartKey".to_owned(), start);
            }
            let page = self.store.with_tables(|tables| run(tables, "Scan", &request.to_string()))?.json;
            let page: serde_json::Value = serde_json::from_str(&page).unwrap_or_default();
            let items = page.get("Items").and_then(|items| items.as_array()).into_iter().flatten();
            keys.extend(items.filter_map(|item| item.get(resources::SORT_KEY)?.get("S")?.as_str().map(str::to_owned)));
            start = page.get("LastEvaluatedKey").cloned().unwrap_or_default();
            if start.is_null() {
                return Ok(keys);
            }
        }
    }

    /// Removes items whose time to live has passed; returns how many.
    pub(crate) fn expire(&self) -> Result<usize, CloudError> {
        Ok(self.store.with_tables(Database::sweep_ttl)?)
    }

    /// Answers one request, which touches these items.
    pub(crate) fn answer(&self, operation: &str, body: &[u8], touched: &[Touched]) -> Reply {
        let Ok(body) = std::str::from_utf8(body) else {
            return refuse(&Refusal::sender("SerializationException", "the body is not utf-8"));
        };
        let asked = Asked { touched, ..Asked::new(self.clock.now(), Service::DynamoDb, operation) };
        if let Some(refused) = self.conflict(&asked) {
            self.meter.add(Service::DynamoDb, operation, &Count::of(1, 0));
            return refused;
        }
        match self.carry_out(&asked, body) {
            Ok(done) => {
                self.meter.add(Service::DynamoDb, operation, &count(operation, &done.capacity));
                reply::with_body(200, MEDIA_TYPE, done.json)
            }
            Err(error) => {
                self.meter.add(Service::DynamoDb, operation, &count_refused(&error));
                refusal(&error)
            }
        }
    }
}

/// A refusal of dynoxide's kind, as DynamoDB writes it.
fn refusal(error: &DynoxideError) -> Reply {
    reply::with_body(error.status_code(), MEDIA_TYPE, error.to_json())
}

/// A refusal as DynamoDB writes it.
pub(crate) fn refuse(refusal: &Refusal) -> Reply {
    reply::json_refusal("com.amazonaws.dynamodb.v20120810", refusal)
}
