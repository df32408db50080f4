//! What SES changes in a message: its own `Message-ID` and `Date`, no `Bcc`, none of its own
//! control headers (SES developer guide, "header fields").

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The domain of the `Message-ID` in us-east-1.
const MESSAGE_ID_DOMAIN: &str = "email.amazonses.com";

/// The message as recipients get it.
pub(super) fn as_sent(raw: &[u8], id: &str, now: Timestamp) -> Vec<u8> {
    let date = jiff::fmt::rfc2822::to_string(&now.to_zoned(TimeZone::UTC)).unwrap_or_default();
    let mut sent = format!("Message-ID: <{id}@{MESSAGE_ID_DOMAIN}>\r\nDate: {date}\r\n").into_bytes();
    let mut rest = raw;
    let mut keep = true;
    while let Some(line) = next_line(rest) {
        let (_, after) = rest.split_at(line.len());
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        if !continues {
            keep = !is_replaced(line);
        }
        if keep {
            sent.extend_from_slice(line);
        }
        rest = after;
    }
    sent.extend_from_slice(rest);
    sent
}

fn next_line(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
    text.get(..end).filter(|line| !line.is_empty())
}

fn is_replaced(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
    matches!(name.as_str(), "message-id" | "date" | "bcc" | "return-path") || name.starts_with("x-ses-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_id_and_the_date_are_always_those_of_ses() {
        let raw = b"From: a@example.com\r\nMessage-ID: <mine@example.com>\r\nDate: Thu, 1 Jan\r\n 1970\r\nX-SES-MESSAGE-TAGS: a=b\r\nSubject: =?utf-8?q?=C3=A4?=\r\n\r\nMessage-ID: in the body\r\n";
        let sent = String::from_utf8(as_sent(raw, "42", Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!(
            sent,
            "Message-ID: <42@email.amazonses.com>\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\nFrom: a@example.com\r\nSubject: =?utf-8?q?=C3=A4?=\r\n\r\nMessage-ID: in the body\r\n"
        );
    }
}
