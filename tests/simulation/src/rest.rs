//! What is there at rest: read past every fault, from the tables, the queues, the bucket and the outbox.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use dunlin_aws::profiles::Profiles;
use dunlin_aws::resources::{self, Table};
use dunlin_aws::spill::Spill;
use dunlin_aws::{Clients, Error, Kind};
use dunlin_core::delivery::Delivery;
use dunlin_core::ids::{DeliveryId, ProjectId, UserId, digest};
use dunlin_core::profile::Profile;
use dunlin_core::run::Run;
use dunlin_local::Mail;
use serde::de::DeserializeOwned;

use crate::deeds;
use crate::house::{self, House};
use crate::model::State;
use crate::sim::Sim;
use crate::visits::NONSENSE;
use crate::workload::Person;

/// Mails that are read at most.
const MAILS: usize = 100_000;

/// Everything there is at the end.
#[derive(Debug)]
pub struct Rest {
    /// The ledger.
    pub deliveries: BTreeMap<DeliveryId, Delivery>,
    /// Runs.
    pub runs: Vec<Run>,
    /// Who is what.
    pub profiles: BTreeMap<Person, State>,
    /// The mails that left, oldest first.
    pub mails: Vec<Mail>,
    /// What should be empty and is not.
    pub left: Vec<String>,
}

impl Rest {
    /// Reads it all.
    ///
    /// # Errors
    /// When a table cannot be read: a fault of the simulation.
    pub async fn read(sim: &Sim, houses: &[House]) -> Result<Self, Error> {
        let (clients, prefix) = (house::clients(sim.cloud()), sim.settings().prefix.as_str());
        let all: Vec<Delivery> = all(&clients, prefix, resources::DELIVERIES).await?;
        let mut profiles = BTreeMap::new();
        for person in Person::all() {
            let Some(house) = houses.get(person.project) else { continue };
            let id = UserId::parse(&person.id()).map_err(|error| Error::new(Kind::Invalid, "name a person", error))?;
            let profile = Profiles::new(&clients, prefix).get(&house.id, &id).await?.state;
            profiles.insert(person, state(&profile));
        }
        let mut left = Vec::new();
        for queue in sim.cloud().sqs().names() {
            let depth = sim.cloud().sqs().depth(&queue).total();
            if depth > 0 && !is_unreadable(sim, &queue) {
                left.push(format!("{depth} in {queue}"));
            }
        }
        let spilled = Spill::new(clients.s3.clone(), sim.settings().bucket.clone()).list(10).await?;
        left.extend(spilled.into_iter().map(|key| format!("spilled {key}")));
        let parked = dunlin_aws::parked::Parked::new(&clients, prefix).list(None, 10).await?;
        left.extend(parked.into_iter().map(|task| format!("parked from {}: {}", task.queue, task.reason)));
        let mut mails = sim.cloud().outbox().list(MAILS, 0);
        mails.reverse();
        Ok(Self {
            deliveries: all.into_iter().map(|delivery| (delivery.id.clone(), delivery)).collect(),
            runs: self::all(&clients, prefix, resources::RUNS).await?,
            profiles,
            mails,
            left,
        })
    }

    /// The key of an address's suppression (docs/data-model.md, "profiles").
    #[must_use]
    pub fn key_of(&self, project: &ProjectId, address: &str) -> String {
        format!("{project}#{}", digest(&["address", &address.to_lowercase()]))
    }
}

/// Whether a queue holds only what nobody can read, among the dead letters of `hook`, which has no table to park it in.
fn is_unreadable(sim: &Sim, queue: &str) -> bool {
    queue.ends_with(&resources::HOOKS.dead_letter_name())
        && sim.cloud().sqs().receive(queue, 10).iter().all(|message| message.body == NONSENSE)
}

/// A profile in the model's words.
fn state(profile: &Profile) -> State {
    State {
        since: profile.created_at(),
        erased: profile.erased_at(),
        plan: profile.property("plan").and_then(|plan| plan.as_str()).map(str::to_owned),
        subscribed: profile.subscribed(),
        vip: profile.has_tag("vip"),
        has_address: profile.email().is_some(),
        renews: profile.property("renews").and_then(|date| date.as_str()?.parse().ok()),
        born: profile.property("born").and_then(|date| date.as_str()?.parse().ok()),
        zone: profile.property("ianaTimezone").and_then(|zone| zone.as_str()).map(str::to_owned),
        sought: None,
        updated: profile.property(deeds::UPDATED).and_then(serde_json::Value::as_u64),
        events: profile.events().map(|one| (one.name.as_str().to_owned(), one.count)).collect(),
    }
}

async fn all<T: DeserializeOwned>(clients: &Clients, prefix: &str, table: Table) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    let scan = clients.dynamodb.scan().table_name(format!("{prefix}{}", table.name));
    let mut pages = scan.into_paginator().send();
    while let Some(page) = pages.next().await {
        for item in page.map_err(Error::of("scan"))?.items.unwrap_or_default() {
            // Beside runs lie waiters, which go by TTL where a run is over and nobody has taken them away, and counters.
            let kind = item.get(resources::SORT_KEY).and_then(|key| key.as_s().ok());
            if table.name == resources::RUNS.name && kind.is_none_or(|kind| kind != "run") {
                continue;
            }
            let text = item.get("b").and_then(|body: &AttributeValue| body.as_s().ok());
            let row = serde_json::from_str(text.map_or("", String::as_str));
            found.push(row.map_err(|error| Error::new(Kind::Invalid, "read a row", error))?);
        }
    }
    Ok(found)
}
