//! What `dev` says when it is ready: where everything is, and lines to copy.

use crate::keys::Keys;
use crate::project::Place;
use crate::say;

/// What a newcomer needs.
pub(crate) struct Banner {
    /// Where the APIs, links and the outbox are.
    pub(crate) address: String,
    /// The data folder.
    pub(crate) data: String,
    /// The project.
    pub(crate) place: Place,
    /// The secrets.
    pub(crate) keys: Keys,
    /// The campaigns that were published.
    pub(crate) campaigns: Vec<String>,
    /// Where the local AWS is.
    pub(crate) aws_port: Option<u16>,
}

impl Banner {
    /// Prints it.
    pub(crate) fn show(&self) {
        let begun = if self.place.is_fresh { "first start" } else { "goes on where it was" };
        say::line("");
        say::line(format!("{}  {}  {}", say::bold("dunlin"), say::cyan(&self.address), say::dim(begun)));
        say::line("");
        self.row("outbox", format!("{}/outbox", self.address));
        self.row("project", self.place.id.as_str());
        self.row("token", &self.place.token);
        self.row("admin key", &self.keys.admin_key);
        let none = "none yet: `dunlin push DIR` publishes a folder of them".to_owned();
        self.row("campaigns", if self.campaigns.is_empty() { none } else { self.campaigns.join(", ") });
        if let Some(port) = self.aws_port {
            self.row("local AWS", format!("AWS_ENDPOINT_URL=http://localhost:{port}"));
        }
        self.row("data", &self.data);
        let lesson = if self.campaigns.iter().any(|campaign| campaign.contains("Welcome")) {
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

    fn row(&self, name: &str, value: impl AsRef<str>) {
        say::line(format!("  {}  {}", say::dim(format!("{name:<9}")), value.as_ref()));
    }

    fn lesson(&self, what: &str, line: &str) {
        say::line("");
        say::line(what);
        say::line("");
        say::line(format!("  {}", say::cyan(line)));
    }

    /// Two calls that end in a mail.
    fn sign_up(&self) -> String {
        let (address, token) = (&self.address, &self.place.token);
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
        let (address, key, project) = (&self.address, &self.keys.admin_key, &self.place.id);
        format!("curl -H 'authorization: Bearer {key}' {address}/manage/v1/projects/{project}/profiles/ann/deliveries")
    }
}
