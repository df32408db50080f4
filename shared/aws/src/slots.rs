//! Slots: which number a run draws that was overdue when its campaign was resumed. One counter for each resumption, in the
//! table of runs; it only counts up, each time by one request, so that no two runs have the same.

use aws_sdk_dynamodb::types::ReturnValue;
use dunlin_core::ids::{CampaignId, ProjectId};
use dunlin_core::run::Resumed;
use jiff::{SignedDuration, Timestamp};

use crate::clients::Clients;
use crate::error::{Error, Kind, Result};
use crate::item::{self, expires};
use crate::resources::{self, TTL};
use crate::table::Table;

/// How long a counter is kept after it was drawn from last. One that begins anew goes on from the present.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// The attribute that counts.
const COUNT: &str = "n";

/// The counters, in the runs table.
#[derive(Clone, Debug)]
pub struct Slots {
    table: Table,
}

impl Slots {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { table: Table::new(&clients.dynamodb, prefix, resources::RUNS) }
    }

    /// Draws a number that nobody else has drawn, from 1, and whose slot has not passed by more than one: a number that was
    /// not drawn in time is nobody's, so that those who come late do not go on all at once. One write unit; two where
    /// numbers have passed. A request that is repeated since its answer was lost draws two, and one slot stays empty.
    ///
    /// # Errors
    /// A conflict when others have drawn again and again meanwhile; or when the table cannot be written.
    pub async fn draw(
        &self,
        (project, campaign): (&ProjectId, &CampaignId),
        resumed: &Resumed,
        now: Timestamp,
    ) -> Result<u64> {
        let passed = resumed.passed(now);
        let key = item::key(&format!("{project}#{campaign}"), &format!("slots#{:013}", resumed.at.as_millisecond()));
        let next = ("#count >= :passed", "SET #count = #count + :one, #until = :until");
        let skip = ("attribute_not_exists(#count) OR #count < :passed", "SET #count = :passed + :one, #until = :until");
        for (condition, update) in [next, skip, next, skip] {
            let request = self.table.client.update_item().table_name(&self.table.name).set_key(Some(key.clone()));
            let request = request.condition_expression(condition).update_expression(update);
            let request = request.expression_attribute_names("#count", COUNT).expression_attribute_names("#until", TTL);
            let request = request.expression_attribute_values(":passed", item::number(passed));
            let request = request.expression_attribute_values(":one", item::number(1));
            let request = request.expression_attribute_values(":until", expires(now + KEPT).1);
            match request.return_values(ReturnValue::UpdatedNew).send().await.map_err(Error::of("draw a slot")) {
                Ok(answer) => return Ok(answer.attributes.and_then(|drawn| item::count(&drawn, COUNT)).unwrap_or(1)),
                Err(error) if error.kind == Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::bare(Kind::Conflict, "draw a slot"))
    }
}
