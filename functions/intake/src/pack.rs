//! From calls to queue messages: the calls of one user together and in order, as many as cost one request.

use std::collections::HashMap;

use dunlin_aws::calls::Outgoing;
use dunlin_core::call::Call;
use dunlin_core::ids::{digest, person};
use dunlin_core::limits::{CALL_BYTES, MESSAGE_CALLS};
use dunlin_core::task;

use crate::asked::Accepted;

/// Bytes of a packed message: SQS bills 64 KB chunks, and the envelope needs room.
const MESSAGE_BYTES: usize = 60 * 1024;

/// A call as queue text: serialised once, in characters SQS takes.
#[derive(Debug)]
pub(crate) struct Packable {
    group: String,
    key: String,
    text: String,
}

/// A call's text is longer than [`CALL_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Writes a call as text, once.
pub(crate) fn write(accepted: &Accepted) -> Result<Packable, TooLarge> {
    let text = task::to_text(&accepted.call).map_err(|_| TooLarge)?;
    if text.len() > CALL_BYTES {
        return Err(TooLarge);
    }
    Ok(Packable { group: group(&accepted.call), key: accepted.key.clone(), text })
}

/// What keeps the calls of one user in order.
fn group(call: &Call) -> String {
    person(&call.project, &call.user)
}

/// Packs the calls of a request: of one user together, each user's in order.
pub(crate) fn pack(calls: Vec<Packable>) -> Vec<Outgoing> {
    let mut packs: Vec<Pack> = Vec::new();
    let mut open: HashMap<String, usize> = HashMap::new();
    for call in calls {
        let last = open.get(&call.group).and_then(|at| packs.get_mut(*at));
        if let Some(pack) = last.filter(|pack| pack.fits(&call)) {
            pack.add(call);
        } else {
            open.insert(call.group.clone(), packs.len());
            packs.push(Pack::of(call));
        }
    }
    packs.into_iter().map(Pack::seal).collect()
}

struct Pack {
    group: String,
    keys: Vec<String>,
    body: String,
}

impl Pack {
    fn of(call: Packable) -> Self {
        let mut body = String::with_capacity(call.text.len() + 24);
        body.push_str(&format!("{{\"v\":{},\"calls\":[", task::VERSION));
        body.push_str(&call.text);
        Self { group: call.group, keys: vec![call.key], body }
    }

    fn fits(&self, call: &Packable) -> bool {
        self.keys.len() < MESSAGE_CALLS && self.body.len() + call.text.len() + 3 <= MESSAGE_BYTES
    }

    fn add(&mut self, call: Packable) {
        self.body.push(',');
        self.body.push_str(&call.text);
        self.keys.push(call.key);
    }

    fn seal(mut self) -> Outgoing {
        self.body.push_str("]}");
        let dedup = match self.keys.as_slice() {
            [key] => key.clone(),
            keys => digest(&keys.iter().map(String::as_str).collect::<Vec<_>>()),
        };
        Outgoing { group: self.group, dedup, body: self.body }
    }
}

#[cfg(test)]
mod tests {
    use dunlin_aws::Chance;
    use dunlin_core::call::Action;
    use dunlin_core::ids::{ProjectId, UserId};
    use dunlin_core::task::Calls;
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::asked::{Asked, Sameness};

    fn call(user: &str, note: &str) -> Accepted {
        let changes = json!({ "note": note }).as_object().cloned().expect("an object");
        let user = UserId::parse(user).expect("an id");
        let asked = Asked { user, at: None, action: Action::Edit { changes }, sameness: Sameness::Never };
        asked.accept(
            &ProjectId::parse("prj_demo").expect("an id"),
            Timestamp::UNIX_EPOCH,
            &Chance::seeded(note.len() as u64),
        )
    }

    fn packed(calls: &[Accepted]) -> Vec<Vec<Call>> {
        let messages = pack(calls.iter().map(|call| write(call).expect("small")).collect());
        for message in &messages {
            assert!(message.body.len() <= MESSAGE_BYTES);
        }
        messages.iter().map(|message| task::from_text::<Calls>(&message.body).expect("a task").calls).collect()
    }

    #[test]
    fn the_calls_of_one_user_share_messages_in_their_order() {
        let calls: Vec<Accepted> =
            (0..50).map(|n| call(if n % 2 == 0 { "even" } else { "odd" }, &"x".repeat(n))).collect();
        let messages = packed(&calls);
        assert_eq!(messages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 5, 5]);
        for (user, rest) in [("even", 0), ("odd", 1)] {
            let want: Vec<Call> = calls.iter().skip(rest).step_by(2).map(|accepted| accepted.call.clone()).collect();
            let got: Vec<Call> = messages.iter().flatten().filter(|call| call.user.as_str() == user).cloned().collect();
            assert_eq!(got, want);
        }
    }

    #[test]
    fn a_message_stays_within_what_one_request_costs() {
        let calls: Vec<Accepted> = (0..6).map(|n| call("7", &"x".repeat(25_000 + n))).collect();
        assert_eq!(packed(&calls).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(write(&call("7", &"x".repeat(CALL_BYTES))).expect_err("too large"), TooLarge);
    }

    #[test]
    fn a_message_of_one_call_has_the_calls_own_key_and_others_the_digest_of_all() {
        let (one, two) = (call("7", "a"), call("7", "bb"));
        let dedup =
            |calls: &[&Accepted]| pack(calls.iter().map(|call| write(call).expect("small")).collect()).remove(0).dedup;
        assert_eq!(dedup(&[&one]), one.key);
        assert_eq!(dedup(&[&one, &two]), digest(&[&one.key, &two.key]));
    }
}
