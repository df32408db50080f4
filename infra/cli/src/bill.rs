//! What AWS would charge for what the meter counted.

use std::collections::BTreeMap;

use dunlin_local::{Count, Service, Usage, prices};

/// What was used, without what nobody would pay: virtual time scans the timers to know where to jump; functions do
/// only when an operator asks, and nobody does here.
pub(crate) fn billed(usage: &Usage) -> impl Iterator<Item = (Service, &str, &Count)> {
    usage.iter().filter(|(service, operation, _)| (*service, *operation) != (Service::DynamoDb, "Scan"))
}

/// The whole bill in US dollars.
pub(crate) fn dollars(usage: &Usage) -> f64 {
    billed(usage).map(|(service, operation, count)| prices::dollars(service, operation, count)).sum()
}

/// The bill of each service that charges.
pub(crate) fn by_service(usage: &Usage) -> Vec<(&'static str, f64)> {
    let mut sums: BTreeMap<&'static str, f64> = BTreeMap::new();
    for (service, operation, count) in billed(usage) {
        *sums.entry(service.name()).or_default() += prices::dollars(service, operation, count);
    }
    sums.into_iter().filter(|(_, dollars)| *dollars > 0.0).collect()
}
