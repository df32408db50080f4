//! Who plays the story: a world in virtual time, entered through its front door only.

use anyhow::{Context as _, bail};
use axum::body::Body;
use dunlin_aws::Clock;
use dunlin_local::{Cloud, Mail, Usage, World};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::demo::mail::header;
use crate::demo::timeline::{Delivery, Entry, What};
use crate::keys::Keys;
use crate::project::{Place, settings};
use crate::{examples, say};

/// When the story begins: a Monday morning.
const START: &str = "2026-01-05T09:00:00Z";
/// Where its links point.
const PUBLIC: &str = "https://mail.larkspur.example";
/// Days it takes.
pub(crate) const DAYS: u64 = 42;
/// Time for the functions to hear of the campaigns.
const REFRESH: SignedDuration = SignedDuration::from_secs(10);

/// The world and what was done in it.
pub(crate) struct Player {
    world: World,
    place: Place,
    keys: Keys,
    before: Usage,
    deeds: Vec<Entry>,
    calls: usize,
    bar: ProgressBar,
    /// The first instant of the story.
    pub(crate) start: Timestamp,
}

impl Player {
    /// An empty world with the example campaigns.
    pub(crate) async fn start(seed: u64) -> anyhow::Result<Self> {
        let start: Timestamp = START.parse()?;
        let cloud = Cloud::in_memory(Clock::virtual_at(start - REFRESH), seed)?;
        let keys = Keys { signing_keys: format!("k1:{seed:032x}"), admin_key: format!("{seed:032x}") };
        let world = World::new(cloud, settings(&keys, PUBLIC)?, seed);
        let place = Place::find_or_make(&world).await?;
        place.publish(&examples::built_in().campaigns).await?;
        world.advance_to(start).await;
        let bar = say::bar("playing", DAYS, "day");
        let before = world.cloud().meter().snapshot();
        Ok(Self { world, place, keys, before, deeds: Vec::new(), calls: 0, bar, start })
    }

    /// Lets time pass until the hour and minute of a day of the story.
    pub(crate) async fn until(&mut self, day: u64, hour: i64, minute: i64) -> anyhow::Result<()> {
        // The story begins at nine.
        let after = SignedDuration::from_hours(24 * i64::try_from(day)? + hour - 9) + SignedDuration::from_mins(minute);
        self.world.advance_to(self.start + after).await;
        self.bar.set_position(day);
        Ok(())
    }

    /// `who` becomes known.
    pub(crate) async fn identify(&mut self, who: &str, email: &str) -> anyhow::Result<()> {
        let body = json!({"id": who.to_lowercase(), "email": email, "data": {"first_name": who}});
        self.call("/users/track", body).await
    }

    /// `who` does something.
    pub(crate) async fn track(&mut self, who: &str, deed: &str, event: &str, data: Value) -> anyhow::Result<()> {
        self.note(who, deed);
        let body = json!({"identity": {"id": who.to_lowercase()}, "event_name": event, "data": data});
        self.call("/events/track", body).await
    }

    /// `who` uses the unsubscribe link of the latest mail to `email` that has one, as a mail program does with one click.
    pub(crate) async fn unsubscribe(&mut self, who: &str, email: &str) -> anyhow::Result<()> {
        self.note(who, "unsubscribes, by the button of the mail program");
        let mails = self.mails();
        let theirs = mails.iter().rev().filter(|mail| mail.to.iter().any(|to| to == email));
        let link = theirs.filter_map(|mail| header(mail, "List-Unsubscribe")).next();
        let link = link.context("there is no mail with a List-Unsubscribe")?;
        let link =
            link.trim().trim_matches(['<', '>']).strip_prefix(PUBLIC).context("the link points elsewhere")?.to_owned();
        let request = Request::post(link).header("content-type", "application/x-www-form-urlencoded");
        let (status, _) = self.send(request.body(Body::from("List-Unsubscribe=One-Click"))?).await?;
        self.calls += 1;
        self.world.settle().await;
        if status.is_success() { Ok(()) } else { bail!("the unsubscribe link answered {status}") }
    }

    /// What `manage` says about a person's mails.
    pub(crate) async fn deliveries(&self, user: &str) -> anyhow::Result<Vec<Delivery>> {
        let path = format!("/manage/v1/projects/{}/profiles/{user}/deliveries", self.place.id);
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.keys.admin_key));
        let (status, mut body) = self.send(request.body(Body::empty())?).await?;
        if !status.is_success() {
            bail!("manage answered {status} for the mails of {user}");
        }
        let listed = body.get_mut("deliveries").map(Value::take).unwrap_or_default();
        Ok(serde_json::from_value(listed)?)
    }

    /// What people did, oldest first.
    pub(crate) fn deeds(&self) -> &[Entry] {
        &self.deeds
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    /// What was used since the story began.
    pub(crate) fn usage(&self) -> Usage {
        self.world.cloud().meter().snapshot().difference(&self.before)
    }

    /// The mails that left, oldest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let mut mails = self.world.cloud().outbox().list(1_000, 0);
        mails.reverse();
        mails
    }

    /// The story is over.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn note(&mut self, who: &str, deed: &str) {
        let at = self.world.cloud().clock().now();
        self.deeds.push(Entry { at, start: self.start, who: who.to_owned(), what: What::Did(deed.to_owned()) });
    }

    /// A call of the Track API, which must be accepted; then everything that it causes at once happens.
    async fn call(&mut self, path: &str, body: Value) -> anyhow::Result<()> {
        let uri = format!("/api/v2{path}?auth_token={}", self.place.token);
        let request = Request::builder().method(Method::POST).uri(uri).header("content-type", "application/json");
        let (status, answer) = self.send(request.body(Body::from(body.to_string()))?).await?;
        if status != StatusCode::OK {
            bail!("{path} answered {status}: {answer}");
        }
        self.calls += 1;
        self.world.settle().await;
        Ok(())
    }

    async fn send(&self, request: Request<Body>) -> anyhow::Result<(StatusCode, Value)> {
        let answer = self.world.router().oneshot(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}
