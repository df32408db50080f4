//! SES v2: `SendEmail` with a raw message, the events that come of a mail, and what there is to look at.

mod described;
mod events;
mod quota;
mod request;
mod rewrite;
mod simulator;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) use described::asked;
pub use quota::Quota;

use crate::error::{CloudError, lock};
use crate::faults::{Asked, Faults, Kind};
use crate::meter::{Count, Meter, Service};
use crate::outbox::{self, Mail};
use crate::reply::{self, Refusal, Reply};
use crate::sqs::Sqs;
use crate::sqs::change::Draft;
use crate::sqs::engine::Engine;
use crate::store::Store;
use events::Notice;
use quota::Sent;
use request::Outgoing;

/// The mail service.
pub(crate) struct Ses {
    sqs: Sqs,
    store: Arc<Store>,
    meter: Meter,
    faults: Faults,
    prefix: String,
    sent: Mutex<Sent>,
}

impl Ses {
    pub(crate) fn new(sqs: Sqs, store: Arc<Store>, meter: Meter, faults: Faults, prefix: &str) -> Self {
        Self { sqs, store, meter, faults, prefix: prefix.to_owned(), sent: Mutex::default() }
    }

    /// Sets the account's quota; `None` lifts it.
    pub(crate) fn set_quota(&self, quota: Option<Quota>) {
        lock(&self.sent).quota = quota;
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, operation: &str, name: &str, body: &[u8], now: Timestamp) -> Reply {
        let result = match operation {
            "SendEmail" => self.send(body, now).await,
            "GetAccount" => Ok(self.account(now)),
            "GetConfigurationSet" => self.known(name).map(|()| described::configuration_set(name)),
            "GetConfigurationSetEventDestinations" => {
                self.known(name).map(|()| described::event_destinations(&self.prefix))
            }
            "ListEmailIdentities" => Ok(described::identities()),
            other => {
                let text = format!("{other} is not offered here");
                Err(Refusal::with_status(404, "UnknownOperationException", text))
            }
        };
        if operation != "SendEmail" || result.is_err() {
            self.meter.add(Service::Ses, operation, &Count::of(1, 0));
        }
        match result {
            Ok(answer) => reply::rest_json(200, &answer),
            Err(refusal) => reply::rest_json_refusal(&refusal),
        }
    }

    fn account(&self, now: Timestamp) -> Value {
        let mut sent = lock(&self.sent);
        let quota = sent.quota.unwrap_or(Quota::SHOWN_WITHOUT_LIMIT);
        json!({
            "DedicatedIpAutoWarmupEnabled": false,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": true,
            "SendingEnabled": true,
            "SendQuota": {
                "Max24HourSend": quota.per_day,
                "MaxSendRate": quota.per_second,
                "SentLast24Hours": sent.of_last_day(now.as_millisecond()),
            },
        })
    }

    /// Refuses a configuration set that is not dunlin's.
    fn known(&self, name: &str) -> Result<(), Refusal> {
        if name.strip_prefix(&self.prefix) == Some(dunlin_aws::resources::CONFIGURATION_SET) {
            return Ok(());
        }
        let text = format!("Configuration set <{name}> does not exist.");
        Err(Refusal::with_status(404, "NotFoundException", text))
    }

    async fn send(&self, body: &[u8], now: Timestamp) -> Result<Value, Refusal> {
        let asked = Asked::new(now, Service::Ses, "SendEmail");
        if self.faults.strikes(&asked, Kind::SendingPaused).is_some() {
            let text = "Email sending is disabled for this account.";
            return Err(Refusal::sender("SendingPausedException", text));
        }
        let outgoing = request::parse(body)?;
        outgoing.configuration_set.as_ref().map_or(Ok(()), |name| self.known(name))?;
        let recipients = u32::try_from(outgoing.to.len()).unwrap_or(u32::MAX);
        lock(&self.sent).admit(recipients, now.as_millisecond())?;
        self.meter.add(Service::Ses, "SendEmail", &Count::of(1, recipients.into()));
        let id = self
            .accept(&outgoing, now)
            .await
            .map_err(|error| Refusal::internal("InternalFailure", format!("the mail cannot be written: {error}")))?;
        Ok(json!({ "MessageId": id }))
    }

    /// Stores the mail and its events together, and waits until both are safe.
    async fn accept(&self, outgoing: &Outgoing, now: Timestamp) -> Result<String, CloudError> {
        let durable = self.sqs.is_durable();
        let asked = Asked::new(now, Service::Ses, "SendEmail");
        let strikes = |kind| self.faults.strikes(&asked, kind);
        let lost = strikes(Kind::LostFeedback).is_some();
        let twice = strikes(Kind::DuplicateFeedback).is_some();
        let late = strikes(Kind::LateFeedback);
        let reordered = strikes(Kind::ReorderedFeedback).is_some();
        let queue = format!("{}{}", self.prefix, dunlin_aws::resources::FEEDBACK.name());
        let (id, mail) = self
            .sqs
            .commit(|engine, _| {
                let id = message_id(engine, now);
                let mail = outgoing.mail(&id, now);
                if durable {
                    engine.note_mail(mail.clone());
                }
                let mut arrivals = Vec::new();
                if outgoing.configuration_set.is_some() && !lost {
                    let mut notices = events::of(outgoing, &id, now);
                    if let Some(strike) = late {
                        delay(&mut notices, strike.late_millis);
                    }
                    if reordered {
                        reverse(&mut notices);
                    }
                    let repeats = if twice { 2 } else { 1 };
                    for notice in std::iter::repeat_n(&notices, repeats).flatten() {
                        arrivals.extend(publish(engine, &queue, notice));
                    }
                }
                ((id, mail), arrivals)
            })
            .await?;
        if !durable {
            self.store.write(|rows| outbox::insert(rows, &mail))?;
        }
        Ok(id)
    }
}

impl Outgoing {
    /// The mail as it leaves.
    fn mail(&self, id: &str, now: Timestamp) -> Mail {
        Mail {
            id: id.to_owned(),
            at: now,
            from: self.from.clone(),
            to: self.to.clone(),
            subject: self.subject.clone(),
            configuration_set: self.configuration_set.clone(),
            tags: self.tags.clone(),
            raw: rewrite::as_sent(&self.raw, id, now),
        }
    }
}

/// An id in SES's form: the time in milliseconds, then a random part.
fn message_id(engine: &mut Engine, now: Timestamp) -> String {
    let random = engine.random_id();
    let millis = now.as_millisecond();
    format!("0100{millis:012x}-{random}-000000")
}

/// Puts an event on the feedback queue, as SNS does with raw delivery.
fn publish(engine: &mut Engine, queue: &str, notice: &Notice) -> Option<(Arc<str>, u64)> {
    let draft = Draft { body: notice.body.clone(), delay_seconds: Some(notice.after_seconds), ..Draft::default() };
    let now = notice.at.as_millisecond();
    let accepted = engine.reserve(queue, draft, now)?;
    Some((Arc::from(queue), accepted.key))
}

/// Makes events late, all by the same.
fn delay(notices: &mut [Notice], late_millis: i64) {
    let seconds = u32::try_from(late_millis.unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX);
    notices.iter_mut().for_each(|notice| notice.after_seconds = notice.after_seconds.saturating_add(seconds));
}

/// Lets the last event arrive when the first should have, and the first when the last should have.
fn reverse(notices: &mut [Notice]) {
    let instants: Vec<u32> = notices.iter().rev().map(|notice| notice.after_seconds).collect();
    notices.iter_mut().zip(instants).for_each(|(notice, after_seconds)| notice.after_seconds = after_seconds);
    notices.reverse();
}
