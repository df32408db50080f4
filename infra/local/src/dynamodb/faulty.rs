//! Where faults meet tables: conflicts, throttled transactions, stale reads; what comes in part is next door.

use dynoxide::DynoxideError;
use dynoxide::errors::CancellationReason;
use serde_json::Value;

use super::past::{image, travel};
use super::protocol::{Done, run, with_capacity};
use super::{DynamoDb, partial, refusal};
use crate::error::lock;
use crate::faults::{Asked, Kind, Strike, Touched};
use crate::reply::{Refusal, Reply};
use crate::sqs::Millis;

/// The operation that cancels in place of refusing.
const TRANSACTION: &str = "TransactWriteItems";

/// Too many requests. Where only a table or some keys are too hot, a transaction is cancelled because of that item.
pub(crate) fn throttle(operation: &str, strike: &Strike, touched: &[Touched]) -> Reply {
    match strike.item {
        Some(item) if operation == TRANSACTION => {
            let text = "Throughput exceeds the current capacity of your table or index.";
            refusal(&cancelled("ThrottlingError", text, item, touched.len()))
        }
        _ => super::refuse(&Refusal::sender("ThrottlingException", "Rate exceeded")),
    }
}

/// A transaction cancelled because of one of its items: a reason for each, `None` for the others.
fn cancelled(code: &str, text: &str, item: usize, items: usize) -> DynoxideError {
    let reason = |n| match n == item {
        true => CancellationReason { code: code.to_owned(), message: Some(text.to_owned()), item: None },
        false => CancellationReason { code: "None".to_owned(), ..CancellationReason::default() },
    };
    let reasons: Vec<CancellationReason> = (0..items).map(reason).collect();
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    let text =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    DynoxideError::TransactionCanceledException(text, reasons)
}

impl DynamoDb {
    /// Carries out a request, with the faults that tables have.
    pub(super) fn carry_out(&self, asked: &Asked<'_>, body: &str) -> Result<Done, DynoxideError> {
        if matches!(asked.operation, "BatchGetItem" | "BatchWriteItem")
            && let Some(strike) = self.faults.strikes(asked, Kind::Unprocessed)
        {
            let parted = partial::part(body, strike.item, |below| self.faults.draw(below))?;
            let done = self.in_time(asked, &parted.done)?;
            return Ok(parted.tell(asked.operation, done));
        }
        let done = self.in_time(asked, body)?;
        if asked.operation == "Query"
            && self.faults.has(Kind::ShortPage)
            && let Some(page) = partial::Page::of(body, &done)
            && self.faults.strikes(asked, Kind::ShortPage).is_some()
        {
            let goes_on =
                |request: &str| self.store.with_tables(|tables| run(tables, asked.operation, request)).is_ok();
            return Ok(page.shortened(done, |below| self.faults.draw(below), goes_on));
        }
        Ok(done)
    }

    /// How a write is refused while another transaction is at one of its items.
    pub(super) fn conflict(&self, asked: &Asked<'_>) -> Option<Reply> {
        let alone = matches!(asked.operation, "PutItem" | "UpdateItem" | "DeleteItem");
        if !alone && asked.operation != TRANSACTION {
            return None;
        }
        let strike = self.faults.strikes(asked, Kind::TransactionConflict)?;
        let text = "Transaction is ongoing for the item";
        if alone {
            return Some(super::refuse(&Refusal::sender("TransactionConflictException", text)));
        }
        let item = strike.item.unwrap_or_else(|| self.faults.draw(asked.touched.len()));
        Some(refusal(&cancelled("TransactionConflict", text, item, asked.touched.len())))
    }

    /// Carries out a request at its time: a read perhaps as of a while ago, a write so that reads can look behind it.
    fn in_time(&self, asked: &Asked<'_>, body: &str) -> Result<Done, DynoxideError> {
        let request = with_capacity(asked.operation, body);
        let run = |tables: &_| run(tables, asked.operation, &request);
        // In a file a process may die while it looks back.
        let extent = self.faults.extent(Kind::StaleRead).filter(|_| self.store.is_in_memory());
        let Some(extent) = extent else { return self.store.with_tables(run) };
        let now = asked.at.as_millisecond();
        let since = now - Millis::try_from(extent.as_millis()).unwrap_or(Millis::MAX);
        match asked.operation {
            "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | TRANSACTION => {
                self.store.with_tables(|tables| {
                    let before =
                        asked.touched.iter().map(|touched| (touched.clone(), image(tables, touched))).collect();
                    let done = run(tables)?;
                    lock(&self.past).remember(before, now, since);
                    Ok(done)
                })
            }
            "GetItem" | "Query" | "BatchGetItem" if !is_consistent(body) => {
                let could = !lock(&self.past).differing(asked.touched, since).is_empty();
                let strike = could.then(|| self.faults.strikes(asked, Kind::StaleRead)).flatten();
                let Some(strike) = strike else { return self.store.with_tables(run) };
                let then = lock(&self.past).differing(asked.touched, now - strike.late_millis);
                self.store.with_tables(|tables| {
                    let present = travel(tables, then);
                    let done = run(tables);
                    travel(tables, present);
                    done
                })
            }
            _ => self.store.with_tables(run),
        }
    }
}

/// Whether a read asks for what was last written; of a batch, whether that of any table does.
fn is_consistent(body: &str) -> bool {
    let request: Value = serde_json::from_str(body).unwrap_or_default();
    let asks = |of: &Value| of.get("ConsistentRead").and_then(Value::as_bool).unwrap_or(false);
    let tables = request.get("RequestItems").and_then(Value::as_object);
    asks(&request) || tables.is_some_and(|tables| tables.values().any(asks))
}
