//! `dunlin walk`: what a campaign would do for one person, step by step. Nothing is sent, and no dunlin needs to run.

mod reading;

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::Args as Options;
use dunlin_aws::Clock;
use dunlin_core::campaign::{Campaign, On, Problem};
use dunlin_core::condition::Decision;
use dunlin_core::event_name::EventName;
use dunlin_core::ids::{EventId, ProjectId};
use dunlin_core::run::codes;
use dunlin_core::run::dry::{DryRun, MOVES, Play, Stop, dry_run};
use dunlin_core::task::TriggerEvent;
use dunlin_core::wait::Zone;
use jiff::Timestamp;
use reading::{answer, instant, object, profile, then};

use crate::run::Outcome;
use crate::{check, say};

/// Options of `walk`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin walk examples/trial.yaml --profile '{\"plan\": \"trial\", \"trial_ends\": \"2027-02-01\", \"ianaTimezone\": \"America/New_York\"}'
  dunlin walk examples/onboarding.yaml --profile @ann.json --event '{\"team\": 5}' --at 2027-01-29T17:00:00+01:00
  dunlin walk examples/birthday.yaml --profile '{\"birthday\": \"1990-04-30\"}'
  dunlin walk examples/abandoned-cart.yaml --event '{\"cart_id\": 7}' \\
    --then '{\"after\": \"6 hours\", \"event\": \"Order completed\", \"data\": {\"cart_id\": 7, \"total\": 30}}'

A profile is an object: `id`, `email`, `tags` (a list) and `unsubscribed` (true) are what they say, all other keys are
properties. What `--then` says happens so long `after` the trigger (a day is 24 hours): an `event` with its `data`; an
`update` of the person, written as in a step (`set`, `unset`, `add_tags`, `remove_tags`); `unsubscribed`, true or false.
Beside that, only what the campaign's own steps do changes the person. `--answer` is the `status` and the `body` of an
answer, or why none came as an `error` (`timeout`); it goes to the first webhook that is called, a second one to the
next. Of a webhook that has none left, no answer comes.

Where an event has the name that a step or the goal waits for, and is not the one, the walk says what differs. It is never late
itself: of a mail with `expire_after` it says by when it must leave. Where a date starts the campaign, the walk waits for it;
where a condition does, it says what must have been before. Earlier entries of the person are not known. Exits with 1 when the
person does not enter, and when `dunlin check` refuses the file.")]
pub(crate) struct Walk {
    /// The campaign's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The person, as JSON, or `@FILE`
    #[arg(long, value_name = "JSON", default_value = "{}")]
    profile: String,
    /// The properties of the event, as JSON, or `@FILE`
    #[arg(long, value_name = "JSON", default_value = "{}")]
    event: String,
    /// What happens later, as JSON, or `@FILE`; may be said more than once
    #[arg(long, value_name = "JSON")]
    then: Vec<String>,
    /// What a webhook is answered, as JSON, or `@FILE`; may be said more than once
    #[arg(long, value_name = "JSON")]
    answer: Vec<String>,
    /// The event's name; the one that the campaign asks for, where it is missing
    #[arg(long, value_name = "EVENT")]
    name: Option<String>,
    /// When the event happens, or from when on a date is waited for; now, where it is missing
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Timestamp>,
    /// The project's time zone, for who has none
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// The project, of which lots depend
    #[arg(long, env = "DUNLIN_PROJECT", default_value = crate::project::DEMO, value_name = "ID")]
    project: String,
}

/// Plays it, and tells.
pub(crate) fn walk(asked: &Walk) -> anyhow::Result<Outcome> {
    let Some((campaign, problems)) = check::one(&asked.file)? else { return Ok(Outcome::Unwell) };
    let dry = play(asked, campaign)?;
    let refused = refused(&problems);
    refused.iter().chain(&tell(&dry)).for_each(say::line);
    Ok(if dry.entry.passed() && refused.is_empty() { Outcome::Well } else { Outcome::Unwell })
}

/// What is said first of a file that cannot be published.
fn refused(problems: &[Problem]) -> Vec<String> {
    if !problems.iter().any(Problem::is_error) {
        return Vec::new();
    }
    let verdict = "`dunlin check` refuses this file, so nothing of it runs; if it ran, it would do this:";
    check::shown(problems).chain([say::red(verdict)]).collect()
}

fn play(asked: &Walk, campaign: Campaign) -> anyhow::Result<DryRun> {
    let (project, zone) = (ProjectId::parse(&asked.project)?, Zone::parse(&asked.timezone)?);
    let at = asked.at.unwrap_or_else(|| Clock::System.now());
    let profile = profile(object("--profile", &asked.profile)?, &project, at)?;
    let data = object("--event", &asked.event)?;
    let event = TriggerEvent { id: EventId::derive(&["walk"]), name: name(asked, &campaign)?, at, data };
    if !event.data.is_empty() && !matches!(campaign.trigger.on, On::Event { .. } | On::Api { .. }) {
        bail!("--event: no event starts this campaign, but {}", campaign.trigger.on);
    }
    let later = asked.then.iter().map(|text| then(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let answers = asked.answer.iter().map(|text| answer(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let play =
        Play { project: &project, profile: &profile, event: &event, later: &later, answers: &answers, zone: &zone };
    Ok(dry_run(campaign, &play))
}

/// The name of the event that happens.
fn name(asked: &Walk, campaign: &Campaign) -> anyhow::Result<EventName> {
    match (&asked.name, campaign.trigger.event()) {
        (Some(_), None) => bail!("--name: no event starts this campaign, but {}", campaign.trigger.on),
        (Some(name), Some(_)) => EventName::parse(name).map_err(|error| anyhow!("--name: {error}")),
        (None, Some(event)) => Ok(event.clone()),
        (None, None) => EventName::parse("Entry").map_err(|error| anyhow!("{error}")),
    }
}

/// What happens, line by line.
fn tell(dry: &DryRun) -> Vec<String> {
    let mut lines = Vec::new();
    if !dry.zone.misread.is_empty() {
        lines.push(format!("{} {}", say::yellow("zone"), codes(&dry.zone.misread)));
    }
    lines.extend(dry.stops.iter().map(|stop| line(stop, &dry.zone.zone)));
    if let Decision::Fail(why) = &dry.entry {
        lines.push(format!("{} {why}", say::red("does not enter:")));
        return lines;
    }
    lines.push(match &dry.end {
        Some(reason) => format!("{} {reason}", say::green("ends:")),
        None => format!("{} after {MOVES} moves, it goes on like this", say::yellow("cut")),
    });
    lines
}

fn line(stop: &Stop, zone: &Zone) -> String {
    let local = zone.local(stop.at).strftime("%a %Y-%m-%d %H:%M:%S").to_string();
    let held =
        stop.held_back.as_ref().map_or_else(String::new, |why| say::red(format!(", but it does not leave: {why}")));
    let times = format!("{local} {zone}  {}", say::dim(stop.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
    format!("{times}  {:<16} {}{held}", stop.passed.step, stop.passed.what)
}

#[cfg(test)]
mod tests;
