//! `dunlin push`: publishes a folder of campaigns through `manage`.

use std::collections::BTreeMap;

use dunlin_core::campaign::{self, Campaign, Problem};
use dunlin_core::ids::ProjectId;
use http::Method;
use serde::Deserialize;

use crate::admin::{Refused, accepted, read};
use crate::args::Push;
use crate::client::Client;
use crate::run::Outcome;
use crate::{check, say};

/// The campaigns of a project, as `manage` lists them.
#[derive(Deserialize)]
struct Listed {
    campaigns: Vec<Head>,
}

/// A campaign, as `manage` answers with it.
#[derive(Deserialize)]
struct Head {
    id: String,
    version: u32,
    #[serde(default)]
    problems: Vec<Problem>,
}

/// Checks the folder, then publishes one campaign after the other.
pub(crate) async fn push(asked: Push) -> anyhow::Result<Outcome> {
    let project = ProjectId::parse(&asked.project)?;
    let folder = check::read(&asked.folder)?;
    check::show(&folder.problems);
    if !folder.is_publishable() {
        say::line(check::verdict(&folder));
        return Ok(Outcome::Unwell);
    }
    let client = asked.door.open()?;
    let base = format!("/manage/v1/projects/{project}/campaigns");
    let listed: Listed = accepted(&client.send(Method::GET, &base, None).await?)?;
    let before: BTreeMap<String, u32> = listed.campaigns.into_iter().map(|head| (head.id, head.version)).collect();

    let (mut outcome, bar) = (Outcome::Well, say::bar("publishing", folder.campaigns.len() as u64, "campaign"));
    for campaign in &folder.campaigns {
        let line = put(&client, &base, campaign, before.get(campaign.id.as_str()).copied()).await?;
        bar.inc(1);
        bar.suspend(|| line.show());
        if line.head.is_none() {
            outcome = Outcome::Unwell;
        }
    }
    bar.finish_and_clear();
    Ok(outcome)
}

/// What became of one campaign.
struct Line<'c> {
    campaign: &'c Campaign,
    before: Option<u32>,
    head: Option<Head>,
    /// What the check of the folder has not shown: a `manage` of another version may find more.
    problems: Vec<Problem>,
}

async fn put<'c>(client: &Client, base: &str, campaign: &'c Campaign, before: Option<u32>) -> anyhow::Result<Line<'c>> {
    let path = format!("{base}/{}", campaign.id);
    let answer = client.send(Method::PUT, &path, Some(&serde_json::to_value(campaign)?)).await?;
    let (head, problems) = if answer.status.as_u16() == 422 {
        (None, read::<Refused>(&answer)?.problems)
    } else {
        let mut head: Head = accepted(&answer)?;
        let problems = std::mem::take(&mut head.problems);
        (Some(head), problems)
    };
    Ok(Line { campaign, before, head, problems: unsaid(problems, campaign) })
}

/// What is wrong with a campaign beyond what the check of the folder has shown.
fn unsaid(problems: Vec<Problem>, campaign: &Campaign) -> Vec<Problem> {
    let said = campaign::check(campaign);
    problems.into_iter().filter(|problem| !said.contains(problem)).collect()
}

impl Line<'_> {
    fn show(&self) {
        let problems: Vec<Problem> =
            self.problems.iter().cloned().map(|problem| problem.within(self.campaign.id.as_str())).collect();
        check::show(&problems);
        let what = match (&self.head, self.before) {
            (None, _) => say::red("refused; what was published stays"),
            (Some(head), Some(before)) if head.version == before => say::dim(format!("version {before}, unchanged")),
            (Some(head), Some(_)) => say::green(format!("version {}, published", head.version)),
            (Some(head), None) => say::green(format!("version {}, published for the first time", head.version)),
        };
        say::line(format!("{}  {what}", self.campaign.id));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::admin::Door;
    use crate::admin::tests::serve;
    use crate::keys::Keys;
    use crate::project::tests::Scratch;
    use crate::project::{DEMO, Place};

    #[tokio::test]
    async fn a_folder_is_published_once_and_only_with_the_key() {
        let keys = Keys::generate();
        let (world, door) = serve(&keys).await;
        let place = Place::find_or_make(&world).await.expect("a project");
        let asked = |key: &str| Push {
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples"),
            project: DEMO.to_owned(),
            door: Door { admin_key: Some(key.to_owned()), ..door.clone() },
        };
        let error = push(asked("a wrong key")).await.expect_err("refused").to_string();
        assert!(error.contains("admin key"), "{error}");
        assert!(place.heads().await.expect("heads").is_empty());
        for _ in 0..2 {
            assert_eq!(push(asked(&keys.admin_key)).await.expect("pushed"), Outcome::Well);
            let versions: Vec<u32> = place.heads().await.expect("heads").iter().map(|head| head.version).collect();
            assert_eq!(versions, [1; 8], "the same content is no new version");
        }
    }

    #[tokio::test]
    async fn a_warning_that_the_check_has_shown_is_not_shown_again() {
        let keys = Keys::generate();
        let (world, door) = serve(&keys).await;
        Place::find_or_make(&world).await.expect("a project");
        let scratch = Scratch::new("push");
        let text = "name: Hello\nkind: workflow\ntrigger: {event: Signed up}\nsteps:\n  - send: hello\nmessages:\n  \
                    hello: {subject: Hi, html: {file: hello.html}}\n";
        std::fs::write(scratch.path().join("hello.yaml"), text).expect("written");
        std::fs::write(scratch.path().join("hello.html"), "{{ usr.name }} {{ url.unsubscribe }}").expect("written");
        let folder = check::read(scratch.path()).expect("a folder");
        assert_eq!(folder.problems.len(), 2, "in the campaign's file and in a body's: {:?}", folder.problems);

        let (client, base) = (door.open().expect("a client"), format!("/manage/v1/projects/{DEMO}/campaigns"));
        let campaign = folder.campaigns.first().expect("a campaign");
        let document = serde_json::to_value(campaign).expect("JSON");
        let answer = client.send(Method::PUT, &format!("{base}/{}", campaign.id), Some(&document)).await.expect("sent");
        let mut answered = accepted::<Head>(&answer).expect("published").problems;
        assert_eq!(answered.len(), 2, "the server says them, too: {answered:?}");
        assert_eq!(put(&client, &base, campaign, None).await.expect("published").problems, []);

        let more = Problem::warning("steps", "what a server of another version finds", "mend it");
        answered.push(more.clone());
        assert_eq!(unsaid(answered, campaign), [more]);
    }
}
