//! `dunlin push`: publishes a folder of campaigns through `manage`.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use dunlin_core::campaign::{Campaign, Problem};
use dunlin_core::ids::ProjectId;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::args::Push;
use crate::client::{Answer, Client, is_local};
use crate::keys::Keys;
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

/// A refusal of `manage`.
#[derive(Deserialize)]
struct Refused {
    error: Reason,
    #[serde(default)]
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
    mend: Option<String>,
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
    let client = Client::new(&asked.url, &admin_key(&asked)?)?;
    let base = format!("/manage/v1/projects/{project}/campaigns");
    let listed: Listed = accepted(client.send(Method::GET, &base, None).await?)?;
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
    problems: Vec<Problem>,
}

async fn put<'c>(client: &Client, base: &str, campaign: &'c Campaign, before: Option<u32>) -> anyhow::Result<Line<'c>> {
    let path = format!("{base}/{}", campaign.id);
    let answer = client.send(Method::PUT, &path, Some(&serde_json::to_value(campaign)?)).await?;
    if answer.status.as_u16() == 422 {
        let refused: Refused = read(&answer)?;
        return Ok(Line { campaign, before, head: None, problems: refused.problems });
    }
    let mut head: Head = accepted(answer)?;
    let problems = std::mem::take(&mut head.problems);
    Ok(Line { campaign, before, head: Some(head), problems })
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

/// The admin key: as given, else of the dunlin on this machine.
fn admin_key(asked: &Push) -> anyhow::Result<String> {
    if let Some(key) = &asked.admin_key {
        return Ok(key.clone());
    }
    if !is_local(&asked.url) {
        bail!("the admin key is missing: give --admin-key or set DUNLIN_ADMIN_KEY");
    }
    let keys = Keys::read(&asked.data)?;
    let missing = || format!("there are no keys in {}: start `dunlin` here, or give --admin-key", asked.data.display());
    Ok(keys.with_context(missing)?.admin_key)
}

/// The body of an answer that says yes.
fn accepted<T: serde::de::DeserializeOwned>(answer: Answer) -> anyhow::Result<T> {
    if answer.status.is_success() {
        return read(&answer);
    }
    let Ok(Refused { error: Reason { message, mend }, .. }) = serde_json::from_slice(&answer.body) else {
        bail!("the server answered {}: is it dunlin?", answer.status);
    };
    match mend {
        Some(mend) => bail!("{message}; {mend}"),
        None => bail!("{message}"),
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> anyhow::Result<T> {
    let shape =
        || format!("the server answered {} in an unknown form: is it dunlin of another version?", answer.status);
    let value: Value = serde_json::from_slice(&answer.body).with_context(shape)?;
    serde_json::from_value(value).with_context(shape)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::path::Path;

    use dunlin_aws::Clock;
    use dunlin_local::{Cloud, World};

    use super::*;
    use crate::project::{DEMO, Place, settings};

    /// A dunlin on a port, with an empty project.
    async fn serve(keys: &Keys) -> (Place, String) {
        let cloud = Cloud::in_memory(Clock::System, 1).expect("a cloud");
        let world = World::new(cloud, settings(keys, "http://localhost:9000").expect("settings"), 1);
        let place = Place::find_or_make(&world).await.expect("a project");
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        drop(tokio::spawn(async move { axum::serve(listener, world.router()).await }));
        (place, url)
    }

    #[tokio::test]
    async fn a_folder_is_published_once_and_only_with_the_key() {
        let keys = Keys::generate();
        let (place, url) = serve(&keys).await;
        let asked = |key: &str| Push {
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples"),
            url: url.clone(),
            project: DEMO.to_owned(),
            admin_key: Some(key.to_owned()),
            data: Path::new("/nowhere").to_owned(),
        };
        let error = push(asked("a wrong key")).await.expect_err("refused").to_string();
        assert!(error.contains("admin key"), "{error}");
        assert!(place.heads().await.expect("heads").is_empty());
        for _ in 0..2 {
            assert_eq!(push(asked(&keys.admin_key)).await.expect("pushed"), Outcome::Well);
            let versions: Vec<u32> = place.heads().await.expect("heads").iter().map(|head| head.version).collect();
            assert_eq!(versions, [1, 1, 1], "the same content is no new version");
        }
    }

    #[test]
    fn a_refusal_says_what_and_how_to_mend_it() {
        let body = br#"{"error": {"code": "unauthorized", "message": "the key is wrong", "mend": "send another"}}"#;
        let answer = Answer { status: http::StatusCode::UNAUTHORIZED, body: body.to_vec().into() };
        let error = accepted::<Value>(answer).expect_err("refused").to_string();
        assert_eq!(error, "the key is wrong; send another");
    }
}
