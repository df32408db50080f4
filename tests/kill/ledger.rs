//! What arrived, as `manage` and the outbox show it, and the comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dunlin_core::ids::ProjectId;
use serde_json::{Value, json};

use crate::http::Connection;
use crate::load::{Order, Orders, PEOPLE, person};

/// Mails in one answer of the outbox.
const PAGE: usize = 1000;

/// The end state.
pub(crate) struct Arrived {
    /// Mails of each order.
    mails: BTreeMap<Order, usize>,
    /// Orders whose mail was claimed by a server that was killed, and of which SES said nothing: the ledger waits for
    /// its event, then decides by policy.
    unresolved: BTreeSet<Order>,
    /// Orders that the ledger has as sent.
    sent: BTreeSet<Order>,
    /// How often each person ordered, by their profile.
    counts: BTreeMap<String, u64>,
}

/// What the comparison found.
pub(crate) struct Compared {
    placed: usize,
    acknowledged: usize,
    arrived: usize,
    unresolved: usize,
}

impl Arrived {
    /// Reads it from a server at rest.
    pub(crate) fn read(connection: &mut Connection, project: &ProjectId) -> Self {
        let mut arrived = Self {
            mails: read_outbox(connection),
            unresolved: BTreeSet::new(),
            sent: BTreeSet::new(),
            counts: BTreeMap::new(),
        };
        for person in (0..PEOPLE).map(person) {
            let profile = format!("/manage/v1/projects/{project}/profiles/{person}");
            let events = connection.get(&profile)["events"].clone();
            let bought = list(&events).iter().find(|event| event["name"] == "Bought").cloned().unwrap_or_default();
            arrived.counts.insert(person, bought["count"].as_u64().unwrap_or(0));
            for delivery in list(&connection.get(&format!("{profile}/deliveries?limit=1000"))["deliveries"]) {
                let new = match delivery["state"].as_str() {
                    Some("sent") => arrived.sent.insert(order(delivery)),
                    Some("claimed" | "unknown") => arrived.unresolved.insert(order(delivery)),
                    _ => panic!("{delivery}"),
                };
                assert!(new, "two deliveries of one order: {delivery}");
            }
        }
        assert_eq!(connection.get("/manage/v1/parked")["parked"], json!([]), "parked tasks");
        arrived
    }

    /// Asserts that nothing was lost and nothing came twice; says how much it was.
    pub(crate) fn compared_with(&self, orders: &Orders) -> Compared {
        let (placed, acknowledged) = orders.placed_and_acknowledged();
        let twice: Vec<_> = self.mails.iter().filter(|(_, mails)| **mails > 1).collect();
        assert!(twice.is_empty(), "mails that left more than once: {twice:?}");
        let mailed: BTreeSet<Order> = self.mails.keys().copied().collect();
        assert_eq!(mailed, self.sent, "the ledger knows of every mail, since SES's event tells it");
        assert!(mailed.is_disjoint(&self.unresolved), "in doubt, and yet there");
        let known: BTreeSet<Order> = mailed.union(&self.unresolved).copied().collect();
        assert!(known.is_subset(&placed), "nobody placed {:?}", known.difference(&placed));
        let lost: Vec<_> = acknowledged.difference(&known).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        for (who, count) in &self.counts {
            let decided = known.iter().filter(|order| person(**order) == *who).count();
            assert_eq!(*count, u64::try_from(decided).expect("a count"), "{who}: events counted, and mails decided");
        }
        Compared {
            placed: placed.len(),
            acknowledged: acknowledged.len(),
            arrived: mailed.len(),
            unresolved: self.unresolved.len(),
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { placed, acknowledged, arrived, unresolved } = self;
        let in_doubt = placed - acknowledged;
        write!(
            out,
            "{acknowledged} events acknowledged, {in_doubt} not; {arrived} mails arrived, {unresolved} of unknown outcome; \
             0 lost, 0 duplicates"
        )
    }
}

fn read_outbox(connection: &mut Connection) -> BTreeMap<Order, usize> {
    let mut mails = BTreeMap::new();
    for page in 0.. {
        let answer = connection.get(&format!("/outbox.json?limit={PAGE}&offset={}", page * PAGE));
        let shown = list(&answer["mails"]);
        for mail in shown {
            *mails.entry(order(mail)).or_default() += 1;
        }
        if shown.len() < PAGE {
            break;
        }
    }
    mails
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The order that a mail or a delivery is about.
fn order(about: &Value) -> Order {
    let number = about["subject"].as_str().and_then(|subject| subject.strip_prefix("Order "));
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no order's mail: {about}"))
}
