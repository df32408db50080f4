//! What happened, in order: what people did, the mails that left, those that were held back, and why.

use dunlin_local::Mail;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::demo::player::Player;
use crate::demo::story::PEOPLE;
use crate::say;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When.
    pub(crate) at: Timestamp,
    /// When the story began.
    pub(crate) start: Timestamp,
    /// To whom, or who did it.
    pub(crate) who: String,
    /// What.
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The person did something.
    Did(String),
    /// A mail left: its subject.
    Got(String),
    /// A mail was held back: its step in the campaign, and why.
    NotSent(String, String),
    /// Something was heard of a mail: its subject, and what.
    Heard(String, String),
}

/// Everything that happened, in order.
pub(crate) async fn collect(player: &Player, mails: &[Mail]) -> anyhow::Result<Vec<Entry>> {
    let mut entries = player.deeds().to_vec();
    for (who, address) in PEOPLE {
        let entry = |at, what| Entry { at, start: player.start, who: who.to_owned(), what };
        let own = mails.iter().filter(|mail| mail.to.iter().any(|to| to == address));
        entries.extend(own.map(|mail| entry(mail.at, What::Got(mail.subject.clone()))));
        for mail in player.deliveries(&who.to_lowercase()).await? {
            entries.extend(heard(mail).into_iter().map(|(at, what)| entry(at, what)));
        }
    }
    // Causes before their effects within one instant: people act, mails leave, then their fate is heard of.
    entries.sort_by_key(|entry| (entry.at, entry.rank()));
    Ok(entries)
}

/// A mail, as far as the timeline needs what `manage` says of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Delivery {
    step: String,
    #[serde(default)]
    subject: String,
    state: String,
    at: Timestamp,
    reason: Option<Reason>,
    history: Vec<History>,
}

/// Why it was not sent.
#[derive(Debug, Deserialize)]
struct Reason {
    text: String,
}

/// What was heard of it.
#[derive(Debug, Deserialize)]
struct History {
    at: Timestamp,
    what: String,
}

/// What `manage` tells about one mail besides that it left.
fn heard(mail: Delivery) -> Vec<(Timestamp, What)> {
    let Delivery { step, subject, state, at, reason, history } = mail;
    let bad = history.into_iter().filter(|entry| entry.what.contains("bounce") || entry.what.contains("complain"));
    let mut found: Vec<_> = bad.map(|entry| (entry.at, What::Heard(subject.clone(), entry.what))).collect();
    if state == "not_sent" {
        found.push((at, What::NotSent(step, reason.map(|reason| reason.text).unwrap_or_default())));
    }
    found
}

impl Entry {
    /// The day of the story, from 0.
    pub(crate) fn day(&self) -> i64 {
        let date = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        date(self.at).duration_since(date(self.start)).as_hours() / 24
    }

    /// Whether a mail was held back.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self.what, What::NotSent(..))
    }

    fn rank(&self) -> u8 {
        match self.what {
            What::Did(_) => 0,
            What::Got(_) | What::NotSent(..) => 1,
            What::Heard(..) => 2,
        }
    }

    /// The entry as a line of at most `width` columns, as far as it is plain text.
    pub(crate) fn line(&self, width: usize) -> String {
        let when = self.at.to_zoned(TimeZone::UTC).strftime("%a %e %b %H:%M").to_string();
        let head = format!("{}  {}  {:<5}", say::dim(format!("day {:>2}", self.day())), say::dim(when), self.who);
        // 27 columns stand before the sign.
        let room = width.saturating_sub(34);
        let fit = |text: String| console::truncate_str(&text, room, "…").into_owned();
        let tail = match &self.what {
            What::Did(deed) => format!("  {}", fit(deed.clone())),
            What::Got(subject) => format!("{} {}", say::green("✉"), say::bold(fit(subject.clone()))),
            What::NotSent(which, why) => {
                let text = fit(format!("{which} held back: {why}"));
                format!("{} {}", say::yellow("✗"), say::yellow(text))
            }
            What::Heard(subject, what) => format!("{} {}", say::red("!"), say::red(fit(format!("“{subject}” {what}")))),
        };
        format!("{head}  {tail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_day_time_person_and_what() {
        let start: Timestamp = "2026-01-05T09:00:00Z".parse().expect("an instant");
        let at: Timestamp = "2026-01-08T09:00:01Z".parse().expect("an instant");
        let entry = Entry { at, start, who: "Ann".to_owned(), what: What::Got("Hello".to_owned()) };
        console::set_colors_enabled(false);
        assert_eq!(entry.line(80), "day  3  Thu  8 Jan 09:00  Ann    ✉ Hello");
    }
}
