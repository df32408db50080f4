//! The calls that the bench makes, as clients make them.

use std::fmt::Write as _;

use crate::bench::load::post;

/// Items in one Segment batch: what a client collects in a moment under load.
pub(crate) const BATCH: u64 = 200;

/// Writes calls of one project.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    path: String,
    token: String,
    users: u64,
}

impl Calls {
    /// Calls with a token, about so many users.
    pub(crate) fn new(token: &str, users: u64) -> Self {
        Self { path: format!("/api/v2/events/track?auth_token={token}"), token: token.to_owned(), users }
    }

    /// The n-th event, in a call of its own: nothing is triggered.
    pub(crate) fn event(&self, n: u64, text: &mut Vec<u8>) {
        post(&self.path, None, &self.event_body(n), text);
    }

    /// Its body.
    pub(crate) fn event_body(&self, n: u64) -> String {
        let user = n % self.users;
        format!(
            r#"{{"identity":{{"id":"user-{user}"}},"event_name":"Viewed page","data":{{"n":{n},"path":"/coffee/espresso","seconds":12}}}}"#
        )
    }

    /// The n-th purchase, which triggers a receipt: order `B-n`.
    pub(crate) fn purchase(&self, n: u64, text: &mut Vec<u8>) {
        post(&self.path, None, &self.purchase_body(n), text);
    }

    /// Its body.
    pub(crate) fn purchase_body(&self, n: u64) -> String {
        let user = n % self.users;
        format!(
            r#"{{"identity":{{"id":"user-{user}","email":"user-{user}@example.com"}},"event_name":"Purchased item","data":{{"order":"B-{n}","total":23.5,"items":[{{"name":"Espresso","quantity":2,"price":9.5}},{{"name":"Filter papers","price":4.5}}]}}}}"#
        )
    }

    /// The n-th event of a user whom nobody else writes about.
    pub(crate) fn alone(&self, n: u64, text: &mut Vec<u8>) {
        let body = format!(r#"{{"identity":{{"id":"alone-{n}"}},"event_name":"Viewed page","data":{{"n":{n}}}}}"#);
        post(&self.path, None, &body, text);
    }

    /// The n-th batch of [`BATCH`] events.
    pub(crate) fn batch(&self, n: u64, text: &mut Vec<u8>) {
        post("/v1/batch", Some(&format!("Bearer {}", self.token)), &self.batch_body(n, BATCH), text);
    }

    /// Its body, with `items` events.
    pub(crate) fn batch_body(&self, n: u64, items: u64) -> String {
        let mut body = String::from(r#"{"batch":["#);
        for item in n * items..(n + 1) * items {
            let comma = if item == n * items { "" } else { "," };
            let user = item % self.users;
            // Writing to a text cannot fail.
            let _ = write!(
                body,
                r#"{comma}{{"type":"track","messageId":"m-{item}","userId":"user-{user}","event":"Viewed page","properties":{{"n":{item},"path":"/coffee/espresso","seconds":12}}}}"#
            );
        }
        body.push_str("]}");
        body
    }

    /// The call's body that makes user n known.
    pub(crate) fn identify_body(n: u64) -> String {
        format!(r#"{{"id":"user-{n}","email":"user-{n}@example.com","data":{{"first_name":"Ann","plan":"beans"}}}}"#)
    }
}
