//! Whether a mail is sent, and as what: decided from what is true now, just before the claim.

use dunlin_aws::{Error, Kind};
use dunlin_core::call::Properties;
use dunlin_core::campaign::{Campaign, Sending};
use dunlin_core::condition::{Decision, Facts};
use dunlin_core::delivery::Reason;
use dunlin_core::email::Email;
use dunlin_core::link::Links;
use dunlin_core::mail::{Envelope, Occasion, Person, Templates, Tracking, Unsendable, render, tags};
use dunlin_core::profile::Profile;
use dunlin_core::task::Send as Task;
use jiff::Timestamp;

use crate::Sender;
use crate::mail::Mail;

/// What links say of where a visitor came from (`utm_source`).
const UTM_SOURCE: &str = "dunlin";

/// What was decided.
pub(crate) enum Decided {
    /// Send this.
    Mail(Box<Mail>),
    /// Do not, for this reason.
    Not(Reason),
}

impl Sender {
    /// Decides about a mail.
    pub(crate) async fn decide(&self, task: &Task) -> Result<Decided, Error> {
        let campaign = match self.catalog.version(&task.project, &task.campaign, task.version).await {
            Err(error) if error.kind == Kind::NotFound => return Ok(Decided::Not(Reason::NoCampaign)),
            found => found?,
        };
        let Some(sending) = campaign.sending(&task.step) else { return Ok(Decided::Not(Reason::NoCampaign)) };
        let (profile, now) = (self.profiles.get(&task.project, &task.user).await?.state, self.clock.now());
        let to = match admit(&campaign, &sending, &profile, task, now) {
            Ok(to) => to,
            Err(reason) => return Ok(Decided::Not(reason)),
        };
        if let Some(suppression) = self.profiles.suppression(&task.project, &to).await? {
            return Ok(Decided::Not(Reason::Suppressed(suppression.reason)));
        }
        let live = self.catalog.live(&task.project).await?;
        let default_from = live.project.as_ref().and_then(|project| project.from.as_deref()).unwrap_or_default();
        let subject = Subject { campaign: &campaign, sending, profile: &profile, task, to, default_from };
        Ok(match self.render(subject, now) {
            Ok(mail) => Decided::Mail(Box::new(mail)),
            Err(reason) => Decided::Not(reason),
        })
    }

    fn render(&self, subject: Subject<'_>, now: Timestamp) -> Result<Mail, Reason> {
        let Subject { campaign, sending, profile, task, to, default_from } = subject;
        let links = Links::new(&self.public, &self.keyring).map_err(|error| Reason::Refused(error.to_string()))?;
        let person_tags: Vec<String> = profile.tags().map(str::to_owned).collect();
        let properties: Properties =
            profile.properties().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let occasion = Occasion {
            project: &task.project,
            delivery: &task.delivery,
            campaign: &task.campaign,
            campaign_name: &campaign.name,
            person: Person { id: &profile.id, email: &to, tags: &person_tags, properties: &properties },
            event: &task.event,
            journey: &task.journey,
            now,
            links,
            tracking: Tracking { opens: true, clicks: true, conversions: true, utm_source: Some(UTM_SOURCE) },
        };
        let message = sending.message;
        let templates = Templates {
            from: sending.from.unwrap_or(default_from),
            reply_to: sending.reply_to,
            subject: &message.subject,
            preheader: message.preheader.as_deref(),
            html: message.html.as_ref().map(|body| body.text.as_str()),
            text: message.text.as_ref().map(|body| body.text.as_str()),
            partials: &campaign.partial_sources(),
        };
        let rendered = render(&templates, &occasion).map_err(|why| unsendable(&why))?;
        let marketing = !campaign.ignores_unsubscribes();
        let unsubscribe_url = marketing.then(|| occasion.unsubscribe_url());
        let envelope = Envelope { to: &to, delivery: &task.delivery, now, unsubscribe_url: unsubscribe_url.as_deref() };
        let mime = rendered.mime(&envelope).map_err(|error| Reason::Template(error.to_string()))?;
        let tags = tags(&task.project, &task.delivery, &task.campaign).to_vec();
        let copy = rendered.copy();
        Ok(Mail { profile: profile.id.clone(), subject: rendered.subject, to, marketing, mime, tags, copy })
    }
}

/// What a mail is rendered from.
struct Subject<'a> {
    campaign: &'a Campaign,
    sending: Sending<'a>,
    profile: &'a Profile,
    task: &'a Task,
    to: Email,
    default_from: &'a str,
}

/// The address, if this person may be mailed now.
fn admit(
    campaign: &Campaign,
    sending: &Sending<'_>,
    profile: &Profile,
    task: &Task,
    now: Timestamp,
) -> Result<Email, Reason> {
    if !profile.remembers(task.event.at) {
        return Err(Reason::Deleted);
    }
    if !campaign.ignores_unsubscribes() && !profile.subscribed() {
        return Err(Reason::Unsubscribed);
    }
    if task.expires_at.is_some_and(|expires_at| now > expires_at) {
        return Err(Reason::Expired);
    }
    let facts = Facts { journey: &task.journey, ..Facts::new(profile, &task.event, now) };
    if let Decision::Fail(why) = sending.decide(&facts) {
        return Err(Reason::Condition(why.as_str().to_owned()));
    }
    profile.email().ok_or(Reason::NoAddress)
}

fn unsendable(why: &Unsendable) -> Reason {
    if why.is_discard() { Reason::Empty(why.to_string()) } else { Reason::Template(why.to_string()) }
}
