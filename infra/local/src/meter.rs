//! Counts every request by service and operation, and prices it: cost is a test result.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::error::lock;

/// The services that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// DynamoDB, on demand.
    DynamoDb,
    /// A standard queue.
    SqsStandard,
    /// A first-in-first-out queue.
    SqsFifo,
    /// SES v2.
    Ses,
    /// S3, standard class.
    S3,
    /// Lambda on arm64; counted by whoever runs the functions.
    Lambda,
    /// API Gateway's HTTP APIs; counted by whoever plays the front door.
    ApiGateway,
}

impl Service {
    /// The service's name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::SqsStandard => "sqs",
            Self::SqsFifo => "sqs fifo",
            Self::Ses => "ses",
            Self::S3 => "s3",
            Self::Lambda => "lambda",
            Self::ApiGateway => "api gateway",
        }
    }
}

/// What was counted for one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// Requests as the caller made them, refused ones included.
    pub requests: u64,
    /// DynamoDB read units.
    pub read_units: f64,
    /// DynamoDB write units.
    pub write_units: f64,
    /// What the price is per: SQS chunks of 64 KiB, SES recipients, API Gateway chunks of 512 KB.
    pub chunks: u64,
    /// Lambda gigabyte-seconds.
    pub gigabyte_seconds: f64,
}

impl Count {
    /// One request that costs `chunks` billed units.
    #[must_use]
    pub fn of(requests: u64, chunks: u64) -> Self {
        Self { requests, chunks, ..Self::default() }
    }

    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.read_units += other.read_units;
        self.write_units += other.write_units;
        self.chunks += other.chunks;
        self.gigabyte_seconds += other.gigabyte_seconds;
    }

    fn without(&self, other: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            read_units: self.read_units - other.read_units,
            write_units: self.write_units - other.write_units,
            chunks: self.chunks.saturating_sub(other.chunks),
            gigabyte_seconds: self.gigabyte_seconds - other.gigabyte_seconds,
        }
    }
}

/// Counts requests; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    counts: Arc<Mutex<BTreeMap<(Service, String), Count>>>,
}

impl Meter {
    /// Adds to what was counted for an operation.
    pub fn add(&self, service: Service, operation: &str, count: &Count) {
        let mut counts = lock(&self.counts);
        if let Some(sum) = counts.get_mut(&(service, operation.to_owned())) {
            sum.add(count);
        } else {
            counts.insert((service, operation.to_owned()), *count);
        }
    }

    /// Adds invocations of a function: Lambda bills each one and its gigabyte-seconds.
    pub fn add_lambda(&self, function: &str, invocations: u64, gigabyte_seconds: f64) {
        let count = Count { gigabyte_seconds, ..Count::of(invocations, invocations) };
        self.add(Service::Lambda, function, &count);
    }

    /// Adds requests to an HTTP API; API Gateway bills a request of more than 512 KB as several.
    pub fn add_api_requests(&self, requests: u64) {
        self.add(Service::ApiGateway, "request", &Count::of(requests, requests));
    }

    /// What was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Usage {
        Usage { counts: lock(&self.counts).clone() }
    }
}

/// What was used between two moments, by service and operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    counts: BTreeMap<(Service, String), Count>,
}

impl Usage {
    /// What was used since an earlier snapshot of the same meter.
    #[must_use]
    pub fn difference(&self, earlier: &Self) -> Self {
        let mut counts = BTreeMap::new();
        for (key, count) in &self.counts {
            let left = earlier.counts.get(key).map_or(*count, |before| count.without(before));
            if left != Count::default() {
                counts.insert(key.clone(), left);
            }
        }
        Self { counts }
    }

    /// What was counted for one operation.
    #[must_use]
    pub fn get(&self, service: Service, operation: &str) -> Count {
        self.counts.get(&(service, operation.to_owned())).copied().unwrap_or_default()
    }

    /// What was counted for one service, all operations together.
    #[must_use]
    pub fn total(&self, service: Service) -> Count {
        let mut sum = Count::default();
        self.counts.iter().filter(|((of, _), _)| *of == service).for_each(|(_, count)| sum.add(count));
        sum
    }

    /// Every operation that was used, with what was counted for it.
    pub fn iter(&self) -> impl Iterator<Item = (Service, &str, &Count)> {
        self.counts.iter().map(|((service, operation), count)| (*service, operation.as_str(), count))
    }

    /// The bill in US dollars, at list prices without free tiers.
    #[must_use]
    pub fn dollars(&self) -> f64 {
        self.iter().map(|(service, operation, count)| crate::prices::dollars(service, operation, count)).sum()
    }

    /// The bill of one service in US dollars.
    #[must_use]
    pub fn dollars_of(&self, service: Service) -> f64 {
        self.iter()
            .filter(|(of, _, _)| *of == service)
            .map(|(of, operation, count)| crate::prices::dollars(of, operation, count))
            .sum()
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<12} {:<28} {:>10} {:>12} {:>12} {:>10} {:>12}",
            "service", "operation", "requests", "read units", "write units", "chunks", "dollars"
        )?;
        for (service, operation, count) in self.iter() {
            writeln!(
                out,
                "{:<12} {:<28} {:>10} {:>12.1} {:>12.1} {:>10} {:>12.6}",
                service.name(),
                operation,
                count.requests,
                count.read_units,
                count.write_units,
                count.chunks,
                crate::prices::dollars(service, operation, count)
            )?;
        }
        write!(out, "{:<12} {:<28} {:>10} {:>12} {:>12} {:>10} {:>12.6}", "total", "", "", "", "", "", self.dollars())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_holds_only_what_came_between() {
        let meter = Meter::default();
        meter.add(Service::SqsFifo, "SendMessage", &Count::of(1, 2));
        let before = meter.snapshot();
        meter.add(Service::SqsFifo, "SendMessage", &Count::of(3, 3));
        meter.add(Service::Ses, "SendEmail", &Count::of(1, 1));
        let between = meter.snapshot().difference(&before);
        assert_eq!(between.get(Service::SqsFifo, "SendMessage"), Count::of(3, 3));
        assert_eq!(between.total(Service::Ses).requests, 1);
        assert_eq!(between.iter().count(), 2);
    }

    #[test]
    fn a_million_fifo_requests_cost_half_a_dollar() {
        let meter = Meter::default();
        meter.add(Service::SqsFifo, "SendMessage", &Count::of(1_000_000, 1_000_000));
        assert!((meter.snapshot().dollars() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_table_ends_with_the_total() {
        let meter = Meter::default();
        meter.add(Service::DynamoDb, "PutItem", &Count { write_units: 1e6, ..Count::of(1_000_000, 0) });
        let table = meter.snapshot().to_string();
        assert!(table.ends_with("0.625000"), "{table}");
    }
}
