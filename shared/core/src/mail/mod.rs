//! One mail: from the texts a marketer wrote and the person they are for, to the bytes SES takes.
//!
//! [`render`] is the one renderer: what a preview shows is what `send` sends, byte for byte. Liquid first
//! (HTML bodies escape what data prints), then links and the open pixel in the finished HTML, then
//! [`Rendered::mime`]. Nothing here reads a clock or a random number: the same input is the same mail.

mod context;
mod entity;
mod html;
mod mailbox;
mod mime;
mod tags;
mod template;
mod text;
mod unsendable;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::call::Properties;
use crate::email::Email;
use crate::ids::{CampaignId, DeliveryId, ProjectId, UserId};
use crate::limits::{MAIL_BYTES, SUBJECT_BYTES};
use crate::link::{Link, Links, Purpose};
use crate::task::TriggerEvent;

pub use mailbox::{Mailbox, MailboxError};
pub use mime::{Envelope, MimeError};
pub use tags::{CAMPAIGN_TAG, DELIVERY_TAG, PROJECT_TAG, tags};
pub use unsendable::{Field, Unsendable};

/// A message before personalisation: Liquid in every field.
#[derive(Clone, Copy, Debug)]
pub struct Templates<'a> {
    /// `Name <address>` or an address.
    pub from: &'a str,
    /// Where answers go; a blank text is none.
    pub reply_to: Option<&'a str>,
    /// The subject.
    pub subject: &'a str,
    /// The line that inboxes show behind the subject; hidden in the mail itself.
    pub preheader: Option<&'a str>,
    /// The HTML body.
    pub html: Option<&'a str>,
    /// The text body; made from the HTML when absent.
    pub text: Option<&'a str>,
    /// Texts that others render by name.
    pub partials: &'a BTreeMap<String, String>,
}

/// Whom a mail is for, as templates see them (`user`).
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// `user.id`
    pub id: &'a UserId,
    /// `user.email`
    pub email: &'a Email,
    /// `user.tags`
    pub tags: &'a [String],
    /// Everything else of `user`.
    pub properties: &'a Properties,
}

/// What one delivery adds to the templates.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// Whose mail it is.
    pub project: &'a ProjectId,
    /// The mail.
    pub delivery: &'a DeliveryId,
    /// `campaign.id`
    pub campaign: &'a CampaignId,
    /// `campaign.name`
    pub campaign_name: &'a str,
    /// Whom it is for.
    pub person: Person<'a>,
    /// What triggered it.
    pub event: &'a TriggerEvent,
    /// What the run had gathered on its way, by name.
    pub journey: &'a Properties,
    /// What `now` means in a template.
    pub now: Timestamp,
    /// Where our links live.
    pub links: Links<'a>,
    /// What is done to the links of the mail.
    pub tracking: Tracking<'a>,
}

/// What is done to the links of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracking<'a> {
    /// Append an open pixel.
    pub opens: bool,
    /// Lead links over our redirect.
    pub clicks: bool,
    /// Append `vero_id` and `vero_conv`, by which a later call names the mail it came from.
    pub conversions: bool,
    /// `utm_source`, where links shall carry UTM parameters (with `utm_medium` and `utm_campaign`).
    pub utm_source: Option<&'a str>,
}

/// A personalised mail, ready to be shown or sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The sender.
    pub from: Mailbox,
    /// Where answers go.
    pub reply_to: Option<Mailbox>,
    /// The subject, on one line.
    pub subject: String,
    /// The HTML body, links and pixel included.
    pub html: Option<String>,
    /// The text body.
    pub text: Option<String>,
    /// Whether the mail has a link to its own copy, so that a copy must be kept.
    pub uses_permalink: bool,
}

impl Occasion<'_> {
    /// The URL that unsubscribes this person.
    #[must_use]
    pub fn unsubscribe_url(&self) -> String {
        self.url(Purpose::Unsubscribe(self.person.id.clone()))
    }

    /// The URL that shows this mail in the browser.
    #[must_use]
    pub fn view_url(&self) -> String {
        self.url(Purpose::View)
    }

    fn url(&self, purpose: Purpose) -> String {
        let link = Link { project: self.project.clone(), delivery: self.delivery.clone(), purpose };
        self.links.url(&link)
    }
}

impl Rendered {
    /// What to keep for "view online", as HTML: nothing when no link leads there. A mail without HTML is
    /// shown as its text, escaped.
    #[must_use]
    pub fn copy(&self) -> Option<String> {
        if !self.uses_permalink {
            return None;
        }
        let as_html = |text: &String| {
            format!(
                "<!DOCTYPE html><meta charset=\"utf-8\"><pre style=\"white-space:pre-wrap\">{}</pre>",
                entity::encode(text)
            )
        };
        self.html.clone().or_else(|| self.text.as_ref().map(as_html))
    }
}

/// Personalises a message.
///
/// # Errors
/// Why this delivery cannot be sent: [`Unsendable::is_discard`] tells an empty result (discarded) from a
/// template or address that does not work (failed). Neither concerns any other delivery.
pub fn render(templates: &Templates<'_>, occasion: &Occasion<'_>) -> Result<Rendered, Unsendable> {
    let liquid = template::Liquid::new(templates.partials, occasion)?;
    let from = mailbox(Field::From, &liquid.plain(Field::From, templates.from)?)?;
    let reply_to = match templates.reply_to.filter(|source| !source.trim().is_empty()) {
        Some(source) => Some(mailbox(Field::ReplyTo, &liquid.plain(Field::ReplyTo, source)?)?),
        None => None,
    };
    let subject = subject(&liquid.plain(Field::Subject, templates.subject)?)?;
    let preheader = templates.preheader.map(|source| liquid.html(Field::Preheader, source)).transpose()?;
    let html = templates.html.map(|source| liquid.html(Field::Html, source)).transpose()?;
    let text = templates.text.map(|source| liquid.plain(Field::Text, source)).transpose()?;
    let html = html.filter(|html| !html.trim().is_empty());
    let text = text.filter(|text| !text.trim().is_empty()).or_else(|| html.as_deref().map(text::to_text));
    if html.is_none() && text.is_none() {
        return Err(Unsendable::Empty(Field::Html));
    }
    let view = occasion.view_url();
    let uses_permalink = [&html, &text].into_iter().flatten().any(|body| body.contains(&view));
    let html = html.map(|html| html::finish(&html, preheader.as_deref(), occasion)).transpose()?;
    let bytes = html.as_ref().map_or(0, String::len) + text.as_ref().map_or(0, String::len);
    if bytes > MAIL_BYTES {
        return Err(Unsendable::TooLarge { field: Field::Html, limit: MAIL_BYTES });
    }
    Ok(Rendered { from, reply_to, subject, html, text, uses_permalink })
}

fn mailbox(field: Field, text: &str) -> Result<Mailbox, Unsendable> {
    if text.trim().is_empty() {
        return Err(Unsendable::Empty(field));
    }
    Mailbox::parse(text).map_err(|source| Unsendable::Address { field, source })
}

/// A subject on one line: Liquid blocks leave line breaks behind, which mean nothing there.
fn subject(text: &str) -> Result<String, Unsendable> {
    let spaced: String = text.chars().map(|c| if mailbox::breaks_lines(c) { ' ' } else { c }).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return Err(Unsendable::Empty(Field::Subject));
    }
    if line.len() > SUBJECT_BYTES {
        return Err(Unsendable::TooLarge { field: Field::Subject, limit: SUBJECT_BYTES });
    }
    Ok(line)
}

#[cfg(test)]
mod tests;
