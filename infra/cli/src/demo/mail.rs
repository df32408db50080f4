//! A mail as a person reads it, on a terminal.

use dunlin_local::Mail;
use mailparse::{MailHeaderMap as _, ParsedMail, parse_mail};

use crate::say;

/// Lines of a shortened mail.
const SHORT: usize = 8;

/// The value of a header, decoded.
pub(crate) fn header(mail: &Mail, name: &str) -> Option<String> {
    parse_mail(&mail.raw).ok()?.headers.get_first_value(name)
}

/// The text part.
fn text(mail: &Mail) -> String {
    let Ok(parsed) = parse_mail(&mail.raw) else { return String::new() };
    let plain = |part: &&ParsedMail<'_>| part.ctype.mimetype == "text/plain";
    parsed.parts().find(plain).and_then(|part| part.get_body().ok()).unwrap_or_default()
}

/// The mail in a frame; its text shortened unless `in_full`.
pub(crate) fn lines(mail: &Mail, in_full: bool, width: usize) -> Vec<String> {
    let room = width.saturating_sub(4);
    let edge = say::dim("│");
    let row = |text: String| format!("{edge} {}", console::truncate_str(&text, room, "…"));
    let from = header(mail, "From").unwrap_or_else(|| mail.from.clone());
    let mut lines = vec![
        format!("{}{}", say::dim("┌ "), say::bold(&mail.subject)),
        row(say::dim(format!("{from} → {}   {}", mail.to.join(", "), mail.at.strftime("%a %e %b %H:%M")))),
        row(String::new()),
    ];
    let text = text(mail);
    let mut body: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    let left = body.len().saturating_sub(SHORT);
    if !in_full && left > 1 {
        body.truncate(SHORT);
    }
    lines.extend(body.into_iter().map(|line| row(line.to_owned())));
    if !in_full && left > 1 {
        lines.push(row(say::dim(format!("… {left} more lines"))));
    }
    lines.push(say::dim("└"));
    lines
}
