//! A mail's parts, decoded for reading.

use mailparse::{MailHeaderMap as _, ParsedMail, parse_mail};

/// What a reader wants to see of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Every header, decoded, in order.
    pub(super) headers: Vec<(String, String)>,
    /// The first part of type `text/html`.
    pub(super) html: Option<String>,
    /// The first part of type `text/plain`.
    pub(super) text: Option<String>,
    /// Names of parts that are attached.
    pub(super) attachments: Vec<String>,
}

impl Parts {
    /// Takes a raw message apart; what cannot be read is left out.
    pub(super) fn of(raw: &[u8]) -> Self {
        let mut parts = Self::default();
        if let Ok(mail) = parse_mail(raw) {
            parts.headers = mail.headers.iter().map(|header| (header.get_key(), header.get_value())).collect();
            for part in mail.parts() {
                parts.add(part);
            }
        }
        parts
    }

    fn add(&mut self, part: &ParsedMail<'_>) {
        let disposition = part.headers.get_first_value("Content-Disposition").unwrap_or_default();
        if disposition.trim_start().to_ascii_lowercase().starts_with("attachment") {
            let name = part.get_content_disposition().params.remove("filename");
            self.attachments.push(name.unwrap_or_else(|| part.ctype.mimetype.clone()));
            return;
        }
        let slot = match part.ctype.mimetype.as_str() {
            "text/html" => &mut self.html,
            "text/plain" => &mut self.text,
            _ => return,
        };
        if slot.is_none() {
            *slot = part.get_body().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alternatives_of_a_mail_are_found_and_decoded() {
        let raw = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n--b--\r\n";
        let parts = Parts::of(raw);
        assert_eq!(parts.text.as_deref().map(str::trim), Some("Grüße"));
        assert_eq!(parts.html.as_deref().map(str::trim), Some("<p>hi</p>"));
        assert_eq!(parts.headers[0], ("Subject".to_owned(), "Grüße".to_owned()));
    }

    #[test]
    fn an_attachment_is_named_and_not_shown() {
        let raw = b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nsecret";
        assert_eq!(
            Parts::of(raw),
            Parts { attachments: vec!["a.txt".to_owned()], headers: Parts::of(raw).headers, ..Parts::default() }
        );
    }
}
