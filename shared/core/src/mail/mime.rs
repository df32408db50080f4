//! The bytes SES takes: a message with text and HTML parts (RFC 5322, RFC 2045–2049).
//!
//! `mail-builder` writes the parts, but injects headers through names and URLs that it is given; here every
//! name is a constant, every value a parsed type, and the boundary, date and message id are ours, so that
//! the same mail is the same bytes.

use std::borrow::Cow;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::{Mailbox, Rendered};
use crate::email::Email;
use crate::ids::{DeliveryId, digest};
use crate::link::Target;

/// What the message says besides its content.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The one recipient.
    pub to: &'a Email,
    /// The mail; also its `Message-ID` (SES puts its own in front) and `X-Dunlin-Delivery`.
    pub delivery: &'a DeliveryId,
    /// The `Date`.
    pub now: Timestamp,
    /// The URL that unsubscribes by a POST (RFC 8058); marketing mail has one. Must be `https` for mail
    /// programs to offer it.
    pub unsubscribe_url: Option<&'a str>,
}

/// A message that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MimeError {
    /// The unsubscribe URL is not an absolute URL.
    #[error("the unsubscribe url is not an absolute http url")]
    UnsubscribeUrl,
    /// There is neither HTML nor text.
    #[error("the message has no body")]
    NoBody,
}

impl Rendered {
    /// The whole message.
    ///
    /// # Errors
    /// When the unsubscribe URL is not a URL or there is no body; neither happens with what [`super::render`]
    /// and [`super::Occasion::unsubscribe_url`] give.
    pub fn mime(&self, envelope: &Envelope<'_>) -> Result<Vec<u8>, MimeError> {
        let mut message = MessageBuilder::new()
            .from(address(&self.from))
            .to(Address::new_address(None::<&str>, envelope.to.as_str()));
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(address(reply_to));
        }
        message = message
            .subject(literal(&self.subject))
            .date(Date::new(envelope.now.as_second()))
            .message_id(MessageId::new(format!("{}@{}", envelope.delivery, self.from.domain())))
            .header("X-Dunlin-Delivery", Raw::new(envelope.delivery.as_str()));
        if let Some(url) = envelope.unsubscribe_url {
            let url = Target::parse(url).map_err(|_| MimeError::UnsubscribeUrl)?;
            message = message
                .header("List-Unsubscribe", Raw::new(format!("<{url}>")))
                .header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
        }
        let mut bytes = Vec::new();
        message.body(self.body()?).serialize(&mut bytes);
        Ok(bytes)
    }

    fn body(&self) -> Result<MimePart<'_>, MimeError> {
        let text = self.text.as_deref().map(|text| part("text/plain", text));
        let html = self.html.as_deref().map(|html| part("text/html", html));
        match (text, html) {
            (Some(text), Some(html)) => {
                let content = ContentType::new("multipart/alternative").attribute("boundary", self.boundary());
                Ok(MimePart { headers: vec![content_type(content)], contents: BodyPart::Multipart(vec![text, html]) })
            }
            (Some(only), None) | (None, Some(only)) => Ok(only),
            (None, None) => Err(MimeError::NoBody),
        }
    }

    /// A boundary no part contains: it is a digest of all of them.
    fn boundary(&self) -> String {
        let parts = [self.text.as_deref().unwrap_or_default(), self.html.as_deref().unwrap_or_default()];
        format!("dunlin-{}", digest(&parts))
    }
}

fn address(mailbox: &Mailbox) -> Address<'_> {
    Address::new_address(mailbox.name().map(literal), mailbox.email().as_str())
}

/// A text that a mail program shows as it is. `mail-builder` leaves ASCII alone, and what looks like an encoded word (RFC
/// 2047 §2) would be shown as what it decodes to: another text, with line breaks if it likes. A space takes its looks.
fn literal(text: &str) -> Cow<'_, str> {
    if text.contains("=?") { text.replace("=?", "= ?").into() } else { text.into() }
}

fn part<'a>(kind: &'static str, body: &'a str) -> MimePart<'a> {
    let content = ContentType::new(kind).attribute("charset", "utf-8");
    MimePart { headers: vec![content_type(content)], contents: BodyPart::Text(body.into()) }
}

fn content_type(content: ContentType<'_>) -> (Cow<'_, str>, HeaderType<'_>) {
    ("Content-Type".into(), content.into())
}
