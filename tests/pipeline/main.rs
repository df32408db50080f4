//! Whole stories, from a call to a mail: real handlers, virtual time.

#![allow(clippy::indexing_slicing, clippy::expect_used, clippy::panic, reason = "a story that fails fails the test")]

mod again;
mod carts;
mod claim;
mod consent;
mod cost;
mod crash;
mod dates;
mod entries;
mod fairness;
mod feedback;
mod hooks;
mod journeys;
mod loops;
mod migrate;
mod outage;
mod outbox;
mod people;
mod poison;
mod publishing;
mod resuming;
mod status;
mod sweeps;
mod trace;
mod waits;
mod welcome;
mod workflows;

use jiff::SignedDuration;

/// Twenty-four hours.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A transactional campaign: one mail at once.
const RECEIPT: &str = "
id: cmp_receipt
name: Receipt
kind: transactional
trigger: {event: Bought}
from: shop@larkspur.example
message:
  subject: Order {{ event.order }}
  text: 'Thank you, {{ user.plan }}'
";

/// A behavioural campaign: one marketing mail at once.
const NUDGE: &str = "
id: cmp_nudge
name: Nudge
kind: behavioural
trigger: {event: Looked}
from: shop@larkspur.example
message:
  subject: Still looking?
  text: 'See {{ url.unsubscribe_link }}'
";
