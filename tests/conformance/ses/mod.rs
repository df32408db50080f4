//! SES v2: the rules of `SendEmail`, and of the events that come of it.

pub(crate) mod events;
pub(crate) mod sending;

use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};

use crate::aws::Aws;

/// Who gets a mail that arrives: the mailbox simulator, which also an account in the sandbox may mail.
pub(crate) const SUCCESS: &str = "success@simulator.amazonses.com";

/// A raw message.
pub(crate) fn raw(mime: &str) -> EmailContent {
    EmailContent::builder().raw(RawMessage::builder().data(Blob::new(mime)).build().expect("data")).build()
}

/// A tag of a message.
pub(crate) fn tag(name: &str, value: &str) -> MessageTag {
    MessageTag::builder().name(name).value(value).build().expect("a tag")
}

impl Aws {
    /// A mail as dunlin sends it: raw, with its sender in its header.
    pub(crate) fn mail(&self, to: &str) -> SendEmailFluentBuilder {
        let from = &self.from;
        let mime = format!(
            "From: Shop <{from}>\r\nTo: {to}\r\nSubject: Hello\r\nMessage-ID: <ours@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
        );
        let destination = Destination::builder().to_addresses(to).build();
        self.ses.send_email().destination(destination).content(raw(&mime))
    }
}
