//! What a server says when it is ready: where everything is, and lines to copy.

use crate::dev::Opened;
use crate::say;

/// What a newcomer needs.
pub(crate) struct Banner<'a> {
    /// What was started.
    pub(crate) name: &'a str,
    /// Where the APIs and links are.
    pub(crate) front: &'a str,
    /// Where the outbox is.
    pub(crate) outbox: &'a str,
    /// What was found in the data folder.
    pub(crate) opened: &'a Opened,
}

/// A line of the banner.
pub(crate) fn row(name: &str, value: impl AsRef<str>) {
    say::line(format!("  {}  {}", say::dim(format!("{name:<9}")), value.as_ref()));
}

impl Banner<'_> {
    /// Prints it, with more rows of the caller's.
    pub(crate) fn show(&self, more: impl FnOnce()) {
        let Opened { place, keys, campaigns, data, .. } = self.opened;
        let begun = if place.is_fresh { "first start" } else { "goes on where it was" };
        say::line("");
        say::line(format!("{}  {}  {}", say::bold(self.name), say::cyan(self.front), say::dim(begun)));
        say::line("");
        row("outbox", format!("{}/outbox", self.outbox));
        row("project", place.id.as_str());
        row("token", &place.token);
        row("admin key", &keys.admin_key);
        let none = "none yet: `dunlin push DIR` publishes a folder of them".to_owned();
        row("campaigns", if campaigns.is_empty() { none } else { campaigns.join(", ") });
        more();
        row("data", data);
        let lesson = if campaigns.iter().any(|campaign| campaign.contains("Welcome")) {
            "Somebody signs up: this line sends a welcome mail to the outbox (once in five minutes for one person)."
        } else {
            "Somebody signs up: this line tracks it."
        };
        self.lesson(lesson, &self.sign_up());
        self.lesson("What became of it, for an operator:", &self.look());
        say::line("");
        say::line(say::dim("Ctrl-C stops it; nothing is lost."));
        say::line("");
    }

    fn lesson(&self, what: &str, line: &str) {
        say::line("");
        say::line(what);
        say::line("");
        say::line(format!("  {}", say::cyan(line)));
    }

    /// Two calls that end in a mail.
    fn sign_up(&self) -> String {
        let (address, token) = (self.front, &self.opened.place.token);
        let json = "-H 'content-type: application/json'";
        let person = r#"{"id": "ann", "email": "ann@example.com", "data": {"first_name": "Ann"}}"#;
        let event = r#"{"identity": {"id": "ann", "email": "ann@example.com"}, "event_name": "Signed up"}"#;
        format!(
            "curl '{address}/api/v2/users/track?auth_token={token}' {json} -d '{person}' && \
             curl '{address}/api/v2/events/track?auth_token={token}' {json} -d '{event}'"
        )
    }

    /// One call that shows it.
    fn look(&self) -> String {
        let Opened { keys, place, .. } = self.opened;
        let (address, key, project) = (self.front, &keys.admin_key, &place.id);
        format!("curl -H 'authorization: Bearer {key}' {address}/manage/v1/projects/{project}/profiles/ann/deliveries")
    }
}
