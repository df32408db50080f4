//! A project to work with: created once, with one token and its campaigns.

use anyhow::Context as _;
use dunlin_aws::control::{Control, Head, Project};
use dunlin_aws::resources::{BUCKET, DEFAULT_PREFIX};
use dunlin_aws::settings::Setting;
use dunlin_aws::{Settings, Stored};
use dunlin_core::campaign::Campaign;
use dunlin_core::ids::ProjectId;
use dunlin_core::token::Claim;
use dunlin_local::World;

use crate::keys::Keys;

/// The project that the first start creates.
pub(crate) const DEMO: &str = "prj_demo";
/// What its token is for: the same one is found again.
const LABEL: &str = "made at the first start";

/// The settings of every function on this machine.
pub(crate) fn settings(keys: &Keys, public: &str) -> anyhow::Result<Settings> {
    let settings = Settings::read(&Setting::ALL, |name| {
        Some(match name {
            "AWS_REGION" => "us-east-1".to_owned(),
            "DUNLIN_PREFIX" => DEFAULT_PREFIX.to_owned(),
            "DUNLIN_BUCKET" => format!("{DEFAULT_PREFIX}{BUCKET}"),
            // In process only the last part of a queue's URL counts.
            "DUNLIN_QUEUES" => "http://aws.local/000000000000".to_owned(),
            "DUNLIN_PUBLIC" => public.to_owned(),
            "DUNLIN_SIGNING_KEYS" => keys.signing_keys.clone(),
            "DUNLIN_ADMIN_KEY" => keys.admin_key.clone(),
            _ => return None,
        })
    });
    Ok(settings?)
}

/// A project in a world.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its id.
    pub(crate) id: ProjectId,
    /// A token for its clients.
    pub(crate) token: String,
    /// Whether it was created just now.
    pub(crate) is_fresh: bool,
    control: Control,
    world: World,
}

impl Place {
    /// The demo project; created, and given its token, where that has not happened yet.
    pub(crate) async fn find_or_make(world: &World) -> anyhow::Result<Self> {
        let control = Control::new(world.clients(), &world.settings().prefix);
        let id = ProjectId::parse(DEMO)?;
        let now = world.cloud().clock().now();
        let is_fresh = control.project(&id).await.context("cannot read the project")?.is_none();
        if is_fresh {
            let from = Some("Larkspur <hello@larkspur.example>".to_owned());
            let state =
                Project { id: id.clone(), name: "Demo".to_owned(), from, created_at: now, timezone: None, tokens: 0 };
            control.put_project(&Stored { state, version: 0 }).await.context("cannot create the project")?;
        }
        let tokens = control.tokens(&id).await.context("cannot read the tokens")?;
        let live = tokens.into_iter().find(|token| token.label == LABEL && token.revoked_at.is_none());
        let claim = match live {
            Some(token) => Claim { project: token.project, serial: token.serial },
            None => control.issue(&id, LABEL, now).await.context("cannot issue a token")?,
        };
        let token = world.settings().keyring.issue(&claim);
        Ok(Self { id, token, is_fresh, control, world: world.clone() })
    }

    /// Publishes campaigns; content that is there already makes no new version.
    pub(crate) async fn publish(&self, campaigns: &[Campaign]) -> anyhow::Result<Vec<Head>> {
        let mut heads = Vec::with_capacity(campaigns.len());
        for campaign in campaigns {
            let published = self.control.publish(&self.id, campaign, self.world.cloud().clock().now()).await;
            heads.push(published.with_context(|| format!("cannot publish {}", campaign.id))?);
        }
        Ok(heads)
    }

    /// Publishes those campaigns that the project does not have in any version.
    pub(crate) async fn publish_missing(&self, mut campaigns: Vec<Campaign>) -> anyhow::Result<Vec<Head>> {
        let heads = self.heads().await?;
        campaigns.retain(|campaign| heads.iter().all(|head| head.id != campaign.id));
        self.publish(&campaigns).await
    }

    /// What is published.
    pub(crate) async fn heads(&self) -> anyhow::Result<Vec<Head>> {
        let mut heads = self.control.heads(&self.id).await.context("cannot list the campaigns")?;
        heads.retain(|head| !head.is_deleted());
        Ok(heads)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::{Path, PathBuf};

    use dunlin_aws::Clock;
    use dunlin_local::Cloud;

    use super::*;
    use crate::examples;

    /// A folder that goes when the test ends.
    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("dunlin-test-{name}-{}", std::process::id()));
            drop(std::fs::remove_dir_all(&path));
            std::fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    async fn start(folder: &Path) -> Place {
        let keys = Keys::read_or_make(folder).expect("keys");
        let cloud = Cloud::open(folder, Clock::System, 1).expect("a cloud");
        let world = World::new(cloud, settings(&keys, "http://localhost:9000").expect("settings"), 1);
        Place::find_or_make(&world).await.expect("a project")
    }

    #[tokio::test]
    async fn a_second_start_finds_the_same_project_token_and_versions() {
        let folder = Scratch::new("second-start");
        let campaigns = examples::built_in().campaigns;
        let first = start(folder.path()).await;
        let before = first.publish(&campaigns).await.expect("published");
        let (was_fresh, token) = (first.is_fresh, first.token.clone());
        drop(first);
        let second = start(folder.path()).await;
        assert!(was_fresh && !second.is_fresh);
        assert_eq!(second.token, token);
        assert_eq!(second.publish(&campaigns).await.expect("published"), before);
    }

    #[tokio::test]
    async fn a_later_start_leaves_alone_what_was_pushed_since() {
        let folder = Scratch::new("pushed-since");
        let place = start(folder.path()).await;
        let mut campaigns = examples::built_in().campaigns;
        campaigns[0].name = "Ours".to_owned();
        place.publish(&campaigns[..1]).await.expect("published");
        place.publish_missing(examples::built_in().campaigns).await.expect("published");
        let heads = place.heads().await.expect("heads");
        assert_eq!(heads.len(), campaigns.len());
        let ours = heads.iter().find(|head| head.id == campaigns[0].id).expect("ours");
        assert_eq!((ours.name.as_str(), ours.version), ("Ours", 1));
    }
}
