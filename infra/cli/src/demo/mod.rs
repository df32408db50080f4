//! `dunlin demo`: the example story over six weeks, in virtual time, through the same functions as everywhere.

mod ending;
mod mail;
mod player;
mod story;
mod timeline;

use std::time::Duration;

use dunlin_local::Mail;

use crate::args::Demo;
use crate::bill;
use crate::demo::player::Player;
use crate::demo::timeline::Entry;
use crate::run::Outcome;
use crate::say;

/// The pause between two lines, for reading along.
const PAUSE: Duration = Duration::from_millis(60);

/// Plays the story and shows it; unwell when it does not end as it should.
pub(crate) async fn demo(asked: Demo) -> anyhow::Result<Outcome> {
    let mut player = Player::start(asked.seed).await?;
    story::play(&mut player).await?;
    let mails = player.mails();
    let entries = timeline::collect(&player, &mails).await?;
    show(&asked, &entries, &mails).await;
    count(&player, &entries, &mails);
    let wrong = ending::differences(&entries, &mails);
    if wrong.is_empty() {
        return Ok(Outcome::Well);
    }
    say::line("");
    say::line(say::red("The story did not end as it should:"));
    wrong.iter().for_each(|line| say::line(format!("  {line}")));
    Ok(Outcome::Unwell)
}

async fn show(asked: &Demo, entries: &[Entry], mails: &[Mail]) {
    let paced = !asked.fast && say::is_terminal();
    say::line(say::bold("Six weeks with Larkspur Coffee"));
    say::line(say::dim("Virtual time: nothing waits, everything is as it would be."));
    let mut day = None;
    for entry in entries {
        if day.replace(entry.day()) != Some(entry.day()) {
            say::line("");
        }
        say::line(entry.line(say::width()));
        if paced {
            tokio::time::sleep(PAUSE).await;
        }
    }
    say::line("");
    say::line(say::bold("The mails"));
    for sent in mails {
        say::line("");
        mail::lines(sent, asked.mails, say::width()).iter().for_each(say::line);
    }
}

/// The last lines: how much, and what AWS would have charged.
fn count(player: &Player, entries: &[Entry], mails: &[Mail]) {
    let unsent = entries.iter().filter(|entry| entry.is_unsent()).count();
    let usage = player.usage();
    let services: Vec<String> =
        bill::by_service(&usage).into_iter().map(|(service, dollars)| format!("{service} {dollars:.6}")).collect();
    say::line("");
    say::line(format!(
        "{}: {} calls, {} mails sent, {unsent} held back.",
        say::bold("In all"),
        player.calls(),
        mails.len(),
    ));
    say::line(format!("On AWS that is ${:.6} at list prices: {}.", bill::dollars(&usage), services.join(", ")));
    say::line(say::dim(
        "Without the time of functions, which virtual time does not know, and sweeps that would find nothing.",
    ));
}
