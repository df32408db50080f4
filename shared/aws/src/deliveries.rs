//! The delivery ledger: claim, send, commit. The claim is one transaction that also checks consent, so that no
//! mail leaves after a committed unsubscribe, suppression or delete.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, TransactWriteItem};
use dunlin_core::delivery::Delivery;
use dunlin_core::email::Email;
use dunlin_core::ids::{self, DeliveryId, ProjectId, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::clients::Clients;
use crate::error::{Error, Kind, Result, kind_of_transaction};
use crate::item::{Item, expires};
use crate::planted;
use crate::profiles::{EXISTS, Profiles, SUBSCRIBED};
use crate::resources;
use crate::table::{NOT_THERE, Order, Stored, Table, conditional_put, versioned};

/// How long a delivery is kept: for a year's comparison in reports, and past the latest click.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// The deliveries table: a partition a person, an item a mail.
#[derive(Clone, Debug)]
pub struct Deliveries {
    table: Table,
    profiles: String,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The mail is ours to send.
    Yes,
    /// Another `send` was faster, or the profile or its consent changed: load and decide again.
    Changed,
}

impl Deliveries {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str, profiles: &Profiles) -> Self {
        let table = Table::new(&clients.dynamodb, prefix, resources::DELIVERIES);
        Self { table, profiles: profiles.table_name().to_owned() }
    }

    /// A delivery. One read unit for each 4 KB.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, project: &ProjectId, delivery: &DeliveryId) -> Result<Option<Stored<Delivery>>> {
        self.table.get(&partition(project, delivery.person()), delivery.as_str()).await
    }

    /// The mails to a person under one id, in no order, at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(&self, project: &ProjectId, user: &UserId, limit: usize) -> Result<Vec<Delivery>> {
        self.table
            .list(&partition(project, &ids::person(project, user)), DeliveryId::PREFIX, Order::NewestFirst, limit)
            .await
    }

    /// Stores a delivery as the version after the one loaded. One write unit for each KB.
    ///
    /// # Errors
    /// A conflict when somebody else stored it since.
    pub async fn put(&self, delivery: &Stored<Delivery>, now: Timestamp) -> Result<()> {
        let state = &delivery.state;
        let beside = vec![expires(now + KEPT)];
        self.table
            .put(&partition(&state.project, state.id.person()), state.id.as_str(), delivery.version, state, beside)
            .await
    }

    /// Claims a mail: the ledger must stand as it was loaded, the profile must exist under `profile`, be subscribed (for
    /// marketing), and the address must not be suppressed — all in one transaction, at two write units an item.
    ///
    /// # Errors
    /// When the table does not answer; the claim may then have been made.
    pub async fn claim(
        &self,
        delivery: &Stored<Delivery>,
        profile: &UserId,
        to: &Email,
        marketing: bool,
        now: Timestamp,
    ) -> Result<Claimed> {
        let project = &delivery.state.project;
        let consent =
            if marketing { format!("{EXISTS} = :yes AND {SUBSCRIBED} = :yes") } else { format!("{EXISTS} = :yes") };
        let yes = vec![(":yes".to_owned(), AttributeValue::Bool(true))];
        let mut writes = vec![
            self.claiming_put(delivery, now)?,
            self.check(Profiles::profile_key(project, profile), &consent, yes)?,
            self.check(Profiles::suppression_key(project, to), NOT_THERE, vec![])?,
        ];
        if planted!(ConsentUnchecked) {
            writes.truncate(1);
        }
        let request = self.table.client.transact_write_items().set_transact_items(Some(writes));
        match request.send().await {
            Ok(_) => Ok(Claimed::Yes),
            Err(error) if condition_failed(&error) => Ok(Claimed::Changed),
            Err(error) => Err(Error::new(kind_of_transaction(&error), "claim", error)),
        }
    }

    fn claiming_put(&self, delivery: &Stored<Delivery>, now: Timestamp) -> Result<TransactWriteItem> {
        let state = &delivery.state;
        let pk = partition(&state.project, state.id.person());
        let item = versioned(&pk, state.id.as_str(), delivery.version, state, vec![expires(now + KEPT)])?;
        conditional_put(&self.table.name, item, delivery.version)
    }

    fn check(&self, key: Item, condition: &str, values: Vec<(String, AttributeValue)>) -> Result<TransactWriteItem> {
        let values = (!values.is_empty()).then(|| values.into_iter().collect());
        let check = ConditionCheck::builder()
            .table_name(&self.profiles)
            .set_key(Some(key))
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .build()
            .map_err(|error| Error::new(Kind::Invalid, "claim", error))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

fn partition(project: &ProjectId, person: &str) -> String {
    format!("{project}#{person}")
}

/// Whether the transaction was refused by a condition, not by a conflict or a limit.
fn condition_failed<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return false;
    };
    cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}
