//! A rule: what goes wrong, at which requests, and how often.

use jiff::{SignedDuration, Timestamp};

use super::Kind;
use crate::meter::Service;

/// When a fault strikes, among the requests that it fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Each time with this probability, 0 to 1.
    Chance(f64),
    /// At the n-th fitting request since the rules were set, counted from 1.
    Call(u64),
}

/// A rule: what goes wrong, where, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The service, or any.
    pub service: Option<Service>,
    /// The operation as the service names it (`PutItem`), or any.
    pub operation: Option<String>,
    /// The table that a request to DynamoDB touches, or any.
    pub table: Option<String>,
    /// What a partition key that a request to DynamoDB touches begins with, or any.
    pub keys: Option<String>,
    /// What goes wrong.
    pub kind: Kind,
    /// When it does.
    pub when: When,
    /// How often it may still strike; `None` is without end.
    pub remaining: Option<u32>,
    /// How late at most, for kinds that are about time; `None` is the kind's own.
    pub extent: Option<SignedDuration>,
}

impl Fault {
    /// A fault of any service and operation, without end.
    #[must_use]
    pub fn new(kind: Kind, when: When) -> Self {
        Self { service: None, operation: None, table: None, keys: None, kind, when, remaining: None, extent: None }
    }

    /// The same fault at one service only.
    #[must_use]
    pub fn at(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }

    /// The same fault for one operation only.
    #[must_use]
    pub fn on(self, operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..self }
    }

    /// The same fault for requests to DynamoDB that touch this table, by its full name (`dunlin-runs`).
    #[must_use]
    pub fn of_table(self, table: &str) -> Self {
        Self { table: Some(table.to_owned()), ..self }
    }

    /// The same fault for requests to DynamoDB that touch a partition key that begins so (`prj_x#`): a hot key range.
    #[must_use]
    pub fn of_keys(self, prefix: &str) -> Self {
        Self { keys: Some(prefix.to_owned()), ..self }
    }

    /// The same fault, striking no more than `times`.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { remaining: Some(times), ..self }
    }

    /// The same fault, making late by at most `extent`: each strike draws evenly from a millisecond to all of it.
    #[must_use]
    pub fn up_to(self, extent: SignedDuration) -> Self {
        Self { extent: Some(extent), ..self }
    }

    /// How late at most, for kinds that are about time.
    pub(super) fn extent(&self) -> Option<SignedDuration> {
        self.kind.extent().map(|of_kind| self.extent.unwrap_or(of_kind))
    }

    /// Whether the rule is for such a request.
    pub(super) fn fits(&self, asked: &Asked<'_>) -> bool {
        let selects = self.table.is_some() || self.keys.is_some();
        self.service.is_none_or(|of| of == asked.service)
            && self.operation.as_deref().is_none_or(|of| of == asked.operation)
            && self.remaining != Some(0)
            && (!selects || self.item(asked).is_some())
    }

    /// Which of the touched items the rule selects, if it selects by item.
    pub(super) fn item(&self, asked: &Asked<'_>) -> Option<usize> {
        if self.table.is_none() && self.keys.is_none() {
            return None;
        }
        asked.touched.iter().position(|touched| {
            self.table.as_deref().is_none_or(|table| table == touched.table)
                && self.keys.as_deref().is_none_or(|prefix| touched.pk.starts_with(prefix))
        })
    }
}

/// A request, as far as rules can tell requests apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) at: Timestamp,
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    /// The items of DynamoDB that it reads or writes, in its order.
    pub(crate) touched: &'a [Touched],
}

impl<'a> Asked<'a> {
    /// A request to a service without tables.
    pub(crate) fn new(at: Timestamp, service: Service, operation: &'a str) -> Self {
        Self { at, service, operation, touched: &[] }
    }
}

/// An item, or for a query a partition, that a request touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) table: String,
    pub(crate) pk: String,
    /// None for a query, which touches a range.
    pub(crate) sk: Option<String>,
}

/// A fault that strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) kind: Kind,
    /// By how much, for kinds that are about time: at least a millisecond.
    pub(crate) late_millis: i64,
    /// Which of the touched items it is about, where the rule says.
    pub(crate) item: Option<usize>,
}
