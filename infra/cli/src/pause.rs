//! `dunlin pause`, `dunlin resume` and `dunlin delete`: a campaign holds its runs, lets them go on, or ends them, through
//! `manage`.

use clap::Args as Options;
use dunlin_core::ids::{CampaignId, ProjectId};
use dunlin_core::limits::RESUME_RATE_AT_MOST;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::admin::{Door, accepted};
use crate::run::Outcome;
use crate::say;

/// Which campaign.
#[derive(Clone, Debug, Options)]
pub(crate) struct Which {
    /// The campaign
    #[arg(value_name = "CAMPAIGN")]
    campaign: String,
    /// Its project
    #[arg(long, env = "DUNLIN_PROJECT", default_value = crate::project::DEMO, value_name = "ID")]
    project: String,
    /// Where.
    #[command(flatten)]
    door: Door,
}

/// Options of `pause`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin pause cmp_trial        within seconds it takes no entries, and its runs hold where they wait

Events that come meanwhile start nothing, now or later. `dunlin resume` lets the runs go on.")]
pub(crate) struct Pause {
    /// Which campaign.
    #[command(flatten)]
    which: Which,
}

/// Options of `resume`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin resume cmp_trial                     overdue runs go on, 1,000 a minute
  dunlin resume cmp_trial --per-minute 100    fewer at a time: whoever gets mail may ask you something

Runs that were due while it was paused begin to go on within 15 minutes; those that are due later wait for nobody.")]
pub(crate) struct Resume {
    /// Which campaign.
    #[command(flatten)]
    which: Which,
    /// So many overdue runs go on in a minute; 1,000 where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(RESUME_RATE_AT_MOST)))]
    per_minute: Option<u32>,
}

/// Options of `delete`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin delete cmp_trial --yes    it takes no entries, and its runs end when they are woken next

Mails that are on their way leave. Published again, the campaign begins anew.")]
pub(crate) struct Delete {
    /// Which campaign.
    #[command(flatten)]
    which: Which,
    /// Do it; without this, nothing is done
    #[arg(long)]
    yes: bool,
}

/// A campaign, as `manage` answers with it.
#[derive(Deserialize)]
struct Head {
    paused: bool,
    resumed: Option<Resumed>,
}

#[derive(Deserialize)]
struct Resumed {
    per_minute: u32,
}

/// Pauses it.
pub(crate) async fn pause(asked: Pause) -> anyhow::Result<Outcome> {
    asked.which.ask("pause", None).await
}

/// Resumes it.
pub(crate) async fn resume(asked: Resume) -> anyhow::Result<Outcome> {
    asked.which.ask("resume", Some(&json!({ "per_minute": asked.per_minute }))).await
}

/// Deletes it.
pub(crate) async fn delete(asked: Delete) -> anyhow::Result<Outcome> {
    let Delete { which, yes } = asked;
    if !yes {
        say::line(format!("{} would be deleted, and its runs end; with --yes it is", which.campaign));
        return Ok(Outcome::Unwell);
    }
    let (project, campaign) = (ProjectId::parse(&which.project)?, CampaignId::parse(&which.campaign)?);
    let path = format!("/manage/v1/projects/{project}/campaigns/{campaign}");
    let _: Head = accepted(&which.door.open()?.send(Method::DELETE, &path, None).await?)?;
    say::line(format!("{campaign}  {}", say::yellow("deleted")));
    Ok(Outcome::Well)
}

impl Which {
    async fn ask(&self, what: &str, body: Option<&Value>) -> anyhow::Result<Outcome> {
        let (project, campaign) = (ProjectId::parse(&self.project)?, CampaignId::parse(&self.campaign)?);
        let path = format!("/manage/v1/projects/{project}/campaigns/{campaign}/{what}");
        let head: Head = accepted(&self.door.open()?.send(Method::POST, &path, body).await?)?;
        let state = match head.resumed.filter(|_| !head.paused) {
            _ if head.paused => say::yellow("paused"),
            Some(Resumed { per_minute }) => say::green(format!("runs; overdue runs go on at {per_minute} a minute")),
            None => say::green("runs"),
        };
        say::line(format!("{campaign}  {state}"));
        Ok(Outcome::Well)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::admin::tests::serve;
    use crate::args::Push;
    use crate::keys::Keys;
    use crate::project::{DEMO, Place};

    #[tokio::test]
    async fn a_campaign_is_paused_and_resumed_at_the_rate_that_is_said() {
        let (world, door) = serve(&Keys::generate()).await;
        let place = Place::find_or_make(&world).await.expect("a project");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let examples = Push { folder, project: DEMO.to_owned(), door: door.clone() };
        assert_eq!(crate::push::push(examples).await.expect("pushed"), Outcome::Well);
        let which =
            |campaign: &str| Which { campaign: campaign.to_owned(), project: DEMO.to_owned(), door: door.clone() };
        assert_eq!(pause(Pause { which: which("cmp_welcome") }).await.expect("paused"), Outcome::Well);
        let head =
            async || place.heads().await.expect("heads").into_iter().find(|head| head.id.as_str() == "cmp_welcome");
        assert!(head().await.expect("a head").paused);
        let asked = Resume { which: which("cmp_welcome"), per_minute: Some(7) };
        assert_eq!(resume(asked).await.expect("resumed"), Outcome::Well);
        let there = head().await.expect("a head");
        assert_eq!((there.paused, there.resumed.map(|resumed| resumed.per_minute.get())), (false, Some(7)));
        assert!(pause(Pause { which: which("cmp_gone") }).await.is_err());
        let asked = |yes| Delete { which: which("cmp_welcome"), yes };
        assert_eq!(delete(asked(false)).await.expect("asked"), Outcome::Unwell);
        assert!(head().await.is_some(), "without --yes nothing is done");
        assert_eq!(delete(asked(true)).await.expect("deleted"), Outcome::Well);
        assert!(head().await.is_none());
    }
}
