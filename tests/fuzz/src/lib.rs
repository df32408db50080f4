//! What the targets share: the readers of `functions/intake`, who takes the calls, and what must be true of everything that
//! is taken.
//!
//! The readers are the product's own files, compiled here without the function around them: with that would come the AWS
//! SDK, half of the build. Of `dunlin-aws` they ask for two types, which are here under its name.

#![allow(clippy::expect_used, clippy::panic, reason = "a property that does not hold is a finding")]
#![allow(dead_code, reason = "what only the function calls")]

extern crate self as dunlin_aws;

#[path = "../../../functions/intake/src/asked.rs"]
mod asked;
#[path = "../../../functions/intake/src/body.rs"]
mod body;
#[path = "../../../functions/intake/src/credential.rs"]
mod credential;
#[path = "../../../functions/intake/src/dry.rs"]
pub mod dry;
#[path = "../../../functions/intake/src/fields.rs"]
mod fields;
#[path = "../../../functions/intake/src/item.rs"]
mod item;
#[path = "../../../functions/intake/src/json.rs"]
mod json;
#[path = "../../../functions/intake/src/pack.rs"]
mod pack;
#[path = "../../../functions/intake/src/reply.rs"]
mod reply;
#[path = "../../../functions/intake/src/segment.rs"]
#[rustfmt::skip] // rustfmt would look for its tests here
mod segment;
#[path = "../../../functions/intake/src/track.rs"]
#[rustfmt::skip]
mod track;
#[path = "../../../shared/aws/src/chance.rs"]
mod chance;

use dunlin_core::ids::{ProjectId, person};
use dunlin_core::limits::{MESSAGE_CALLS, SQS_BYTES};
use dunlin_core::profile::Profile;
use dunlin_core::task::{self, Calls};
use dunlin_core::token::Keyring;
use jiff::Timestamp;

use crate::calls::Outgoing;
pub use crate::chance::Chance;
use crate::dry::Taker;

/// As `dunlin_aws::calls`.
pub mod calls {
    /// A message on its way to the events queue.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Outgoing {
        /// Its group.
        pub group: String,
        /// Its key.
        pub dedup: String,
        /// Its text.
        pub body: String,
    }
}

/// A Monday morning.
pub const NOW: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// Whose the calls are.
#[must_use]
pub fn taker() -> Taker {
    let project = ProjectId::parse("prj_fuzz").expect("an id");
    Taker { project, at: NOW, chance: Chance::seeded(1) }
}

/// The keys of links.
#[must_use]
pub fn ring() -> Keyring {
    Keyring::parse("k1:0123456789abcdef0123456789abcdef").expect("a keyring")
}

/// What is taken is a message that SQS takes, reads back as equal calls of one person of our project, none of them in the
/// future, and folds into a profile that is stored and read back equal.
pub fn holds(taker: &Taker, messages: &[Outgoing]) {
    for message in messages {
        let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        assert!(message.body.len() <= SQS_BYTES && message.body.chars().all(legal), "SQS refuses it");
        let task: Calls = task::from_text(&message.body).expect("it reads back");
        assert_eq!(task::from_text::<Calls>(&task::to_text(&task).expect("text")).expect("it reads back"), task);
        assert!((1..=MESSAGE_CALLS).contains(&task.calls.len()));
        let first = task.calls.first().expect("a call");
        let mut profile = Profile::new(first.user.clone());
        for call in &task.calls {
            assert_eq!((&call.project, &call.user), (&taker.project, &first.user));
            assert!(call.at <= call.accepted_at);
            profile.apply(call);
        }
        assert_eq!(message.group, person(&taker.project, &first.user));
        let stored = serde_json::to_string(&profile).expect("it is stored");
        let read: Profile = serde_json::from_str(&stored).expect("it is loaded");
        assert!(read == profile, "a profile changes on its way through the table");
    }
}
