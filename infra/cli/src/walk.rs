//! `dunlin walk`: what a campaign would do for one person, step by step. Nothing is sent, and no dunlin needs to run.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use clap::Args as Options;
use dunlin_aws::Clock;
use dunlin_core::call::{Action, Call, Properties};
use dunlin_core::campaign::Campaign;
use dunlin_core::condition::Decision;
use dunlin_core::email::Email;
use dunlin_core::event_name::EventName;
use dunlin_core::ids::{EventId, ProjectId, UserId};
use dunlin_core::profile::Profile;
use dunlin_core::run::codes;
use dunlin_core::run::dry::{DryRun, MOVES, Stop, dry_run};
use dunlin_core::task::TriggerEvent;
use dunlin_core::wait::Zone;
use jiff::Timestamp;
use serde_json::Value;

use crate::run::Outcome;
use crate::{check, say};

/// Options of `walk`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin walk examples/trial.yaml --profile '{\"plan\": \"trial\", \"trial_ends\": \"2027-02-01\", \"ianaTimezone\": \"America/New_York\"}'
  dunlin walk examples/onboarding.yaml --profile @ann.json --event '{\"team\": 5}' --at 2027-01-29T17:00:00+01:00

A profile is an object: `id`, `email`, `tags` (a list) and `unsubscribed` (true) are what they say, all other keys are
properties. Nothing about the person changes on the way, but time does. Exits with 1 when the event does not enter.")]
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
    /// The event's name; the one that the campaign asks for, where it is missing
    #[arg(long, value_name = "EVENT")]
    name: Option<String>,
    /// When the event happens; now, where it is missing
    #[arg(long, value_name = "TIME")]
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
    let Some(campaign) = check::one(&asked.file)? else { return Ok(Outcome::Unwell) };
    let dry = play(asked, campaign)?;
    tell(&dry).into_iter().for_each(say::line);
    Ok(if dry.entry.passed() { Outcome::Well } else { Outcome::Unwell })
}

fn play(asked: &Walk, campaign: Campaign) -> anyhow::Result<DryRun> {
    let (project, zone) = (ProjectId::parse(&asked.project)?, Zone::parse(&asked.timezone)?);
    let at = asked.at.unwrap_or_else(|| Clock::System.now());
    let profile = profile(object("--profile", &asked.profile)?, &project, at)?;
    let name = match &asked.name {
        Some(name) => EventName::parse(name).map_err(|error| anyhow!("--name: {error}"))?,
        None => match campaign.trigger.event() {
            Some(event) => event.clone(),
            None => EventName::parse("Entry").map_err(|error| anyhow!("{error}"))?,
        },
    };
    let event = TriggerEvent { id: EventId::derive(&["walk"]), name, at, data: object("--event", &asked.event)? };
    Ok(dry_run(campaign, &project, &profile, &event, &zone))
}

/// Reads an object of JSON, or of a file that is named behind an `@`.
fn object(option: &str, text: &str) -> anyhow::Result<Properties> {
    let text = match text.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).with_context(|| format!("cannot read {file} of {option}"))?,
        None => text.to_owned(),
    };
    match serde_json::from_str(&text).with_context(|| format!("{option} is not JSON"))? {
        Value::Object(fields) => Ok(fields),
        _ => bail!("{option} is no object; write one like '{{\"plan\": \"trial\"}}'"),
    }
}

/// The person that an object describes, as of just then.
fn profile(mut fields: Properties, project: &ProjectId, at: Timestamp) -> anyhow::Result<Profile> {
    let mut text = |key: &str| match fields.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => bail!("`{key}` of --profile is not a text"),
    };
    let id = text("id")?.unwrap_or_else(|| "somebody".to_owned());
    let user = UserId::parse(&id).map_err(|error| anyhow!("`id` of --profile: {error}"))?;
    let email = Email::parse(&text("email")?.unwrap_or_else(|| "somebody@example.com".to_owned()))?;
    let tags: Vec<String> = match fields.remove("tags") {
        None => Vec::new(),
        Some(tags) => serde_json::from_value(tags).context("`tags` of --profile is not a list of texts")?,
    };
    let unsubscribed = fields.remove("unsubscribed") == Some(Value::Bool(true));
    let identify =
        Action::Identify { email: Some(email), properties: fields, channels: Vec::new(), update_only: false };
    let mut actions = vec![identify, Action::Tags { add: tags, remove: Vec::new() }];
    actions.extend(unsubscribed.then_some(Action::Unsubscribe));
    let mut profile = Profile::new(user.clone());
    for (number, action) in actions.into_iter().enumerate() {
        let id = EventId::derive(&["profile", &number.to_string()]);
        profile.apply(&Call { id, project: project.clone(), user: user.clone(), at, accepted_at: at, action });
    }
    Ok(profile)
}

/// What happens, line by line.
fn tell(dry: &DryRun) -> Vec<String> {
    let mut lines = Vec::new();
    if !dry.zone.misread.is_empty() {
        lines.push(format!("{} {}", say::yellow("zone"), codes(&dry.zone.misread)));
    }
    if let Decision::Fail(why) = &dry.entry {
        lines.push(format!("{} {why}", say::red("does not enter:")));
        return lines;
    }
    lines.extend(dry.stops.iter().map(|stop| line(stop, &dry.zone.zone)));
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
mod tests {
    use dunlin_local::folder;

    use super::*;

    fn asked(file: &str, profile: &str) -> Walk {
        Walk {
            file: format!("{}/../../examples/{file}", env!("CARGO_MANIFEST_DIR")).into(),
            profile: profile.to_owned(),
            event: "{}".to_owned(),
            name: None,
            at: Some("2026-11-21T09:00:00Z".parse().expect("an instant")),
            timezone: "Europe/Berlin".to_owned(),
            project: "prj_demo".to_owned(),
        }
    }

    fn told(asked: &Walk) -> Vec<String> {
        let campaign = folder::one(&asked.file).expect("a folder").expect("a campaign");
        tell(&play(asked, campaign).expect("a walk"))
    }

    #[test]
    fn a_walk_shows_each_step_in_local_time_and_in_utc() {
        let lines =
            told(&asked("renewal.yaml", r#"{"plan": "pro", "renewal_at": "2026-12-24", "unsubscribed": true}"#));
        assert_eq!(
            lines,
            [
                "Sat 2026-11-21 10:00:00 Europe/Berlin  2026-11-21T09:00:00Z  wait-1           waits: until 14 days before user.renewal_at at 10:00, that is 2026-12-10T09:00:00Z",
                "Thu 2026-12-10 10:00:00 Europe/Berlin  2026-12-10T09:00:00Z  two-weeks        sends `two-weeks`",
                "Thu 2026-12-10 10:00:00 Europe/Berlin  2026-12-10T09:00:00Z  wait-3           waits: until 1 day before user.renewal_at at 10:00, that is 2026-12-23T09:00:00Z",
                "Wed 2026-12-23 10:00:00 Europe/Berlin  2026-12-23T09:00:00Z  filter-4         holds",
                "Wed 2026-12-23 10:00:00 Europe/Berlin  2026-12-23T09:00:00Z  tomorrow         sends `tomorrow`",
                "Wed 2026-12-23 10:00:00 Europe/Berlin  2026-12-23T09:00:00Z  over             ends: told twice",
                "ends: at `over`, told twice",
            ]
        );
    }

    #[test]
    fn a_walk_says_why_a_mail_would_not_leave_and_what_was_not_understood() {
        let lines =
            told(&asked("trial.yaml", r#"{"plan": "trial", "unsubscribed": true, "ianaTimezone": "Mars/Olympus"}"#));
        assert_eq!(lines.first().map(String::as_str), Some("zone user.ianaTimezone: unknown_zone"));
        assert!(
            lines.iter().any(|line| line.ends_with("sends `a-week-in`, but it does not leave: unsubscribed")),
            "{lines:#?}"
        );
        assert_eq!(lines.last().map(String::as_str), Some("ends: at `no-date`, nobody knows when the trial ends"));
    }

    #[test]
    fn what_is_no_profile_is_refused_in_words() {
        for (profile, expected) in [
            ("[]", "--profile is no object"),
            ("{", "--profile is not JSON"),
            ("@/no/such/file", "cannot read /no/such/file of --profile"),
            (r#"{"id": 5}"#, "`id` of --profile is not a text"),
            (r#"{"tags": "vip"}"#, "`tags` of --profile is not a list of texts"),
        ] {
            let asked = asked("trial.yaml", profile);
            let error =
                play(&asked, folder::one(&asked.file).expect("a folder").expect("a campaign")).expect_err(profile);
            assert!(format!("{error:#}").contains(expected), "{profile}: {error:#}");
        }
    }
}
