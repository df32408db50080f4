//! Campaigns in memory. A function answers from what it holds and refreshes that now and then; when the table does
//! not answer, what it holds goes on being true enough.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dunlin_core::campaign::Campaign;
use dunlin_core::ids::{CampaignId, ProjectId};
use dunlin_core::run::Resumed;
use dunlin_core::topic::Subject;
use dunlin_core::trigger::{Campaigns, Published};
use dunlin_core::wait::Zone;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::control::{Control, Head, Project};
use crate::error::{Error, Kind, Result};

/// How old what is held may get before somebody asks again: how long a published campaign takes to be live.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// Versions held at most; they never change, so they are only dropped to bound memory.
const VERSIONS: usize = 2_000;

/// Campaigns and projects, held in memory. Clones share what they hold.
#[derive(Clone, Debug)]
pub struct Catalog {
    control: Control,
    clock: Clock,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    projects: HashMap<ProjectId, (Timestamp, Arc<Live>)>,
    versions: HashMap<(ProjectId, CampaignId, u32), Arc<Campaign>>,
}

/// A project and its campaigns, as of the last refresh.
#[derive(Debug)]
pub struct Live {
    /// The project; none while nobody has created it.
    pub project: Option<Project>,
    /// The zone of its people of whom none is known.
    pub zone: Zone,
    /// Its campaigns, by the event that starts them.
    pub campaigns: Campaigns,
    /// What runs of these campaigns, of any version, may have to be told of.
    pub subjects: BTreeSet<Subject>,
    heads: Vec<Head>,
}

impl Live {
    /// Whether a campaign holds its runs.
    #[must_use]
    pub fn is_paused(&self, campaign: &CampaignId) -> bool {
        self.head(campaign).is_some_and(|head| head.paused)
    }

    /// Whether a run that began then is of a campaign that was deleted since.
    #[must_use]
    pub fn is_deleted(&self, campaign: &CampaignId, began: Timestamp) -> bool {
        let before = |head: &Head| head.deleted_at.is_some_and(|deleted_at| began <= deleted_at);
        self.head(campaign).is_some_and(|head| head.is_deleted() || before(head))
    }

    /// When a campaign was resumed last, if ever, and at which rate.
    #[must_use]
    pub fn resumed(&self, campaign: &CampaignId) -> Option<Resumed> {
        self.head(campaign)?.resumed
    }

    fn head(&self, campaign: &CampaignId) -> Option<&Head> {
        self.heads.iter().find(|head| head.id == *campaign)
    }
}

impl Catalog {
    /// A catalog that holds nothing yet.
    #[must_use]
    pub fn new(control: Control, clock: Clock) -> Self {
        Self { control, clock, held: Arc::default() }
    }

    /// A project's campaigns. Asks the table when what is held is older than five seconds; when that fails, what is held
    /// stays.
    ///
    /// # Errors
    /// When nothing is held yet and the table does not answer.
    pub async fn live(&self, project: &ProjectId) -> Result<Arc<Live>> {
        let now = self.clock.now();
        let held = self.held().projects.get(project).cloned();
        if let Some((at, live)) = &held
            && now.duration_since(*at) < FRESH
        {
            return Ok(Arc::clone(live));
        }
        match (self.load(project).await, held) {
            (Ok(live), _) => {
                let live = Arc::new(live);
                self.held().projects.insert(project.clone(), (now, Arc::clone(&live)));
                Ok(live)
            }
            (Err(error), Some((_, live))) => {
                tracing::warn!(project.id = %project, error = %error, "campaigns not refreshed");
                self.held().projects.insert(project.clone(), (now, Arc::clone(&live)));
                Ok(live)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// A project's campaigns as they are held now, however old; nobody is asked. None when nothing is held.
    #[must_use]
    pub fn known(&self, project: &ProjectId) -> Option<Arc<Live>> {
        self.held().projects.get(project).map(|(_, live)| Arc::clone(live))
    }

    /// One version of a campaign, which a run keeps.
    ///
    /// # Errors
    /// When it is not held and the table does not answer, or it is gone.
    pub async fn version(&self, project: &ProjectId, campaign: &CampaignId, version: u32) -> Result<Arc<Campaign>> {
        let key = (project.clone(), campaign.clone(), version);
        if let Some(held) = self.held().versions.get(&key) {
            return Ok(Arc::clone(held));
        }
        let Some(loaded) = self.control.version(project, campaign, version).await? else {
            return Err(Error::bare(Kind::NotFound, "get a campaign's version"));
        };
        let loaded = Arc::new(loaded);
        let mut held = self.held();
        if held.versions.len() >= VERSIONS {
            held.versions.clear();
        }
        held.versions.insert(key, Arc::clone(&loaded));
        Ok(loaded)
    }

    async fn load(&self, project: &ProjectId) -> Result<Live> {
        let heads = self.control.heads(project).await?;
        let mut published: Vec<Published> = Vec::with_capacity(heads.len());
        for head in heads.iter().filter(|head| !head.is_deleted()) {
            published.push(head.with(self.version(project, &head.id, head.version).await?));
        }
        let project = self.control.project(project).await?.map(|stored| stored.state);
        let zone = project.as_ref().and_then(|project| project.timezone.clone()).unwrap_or_default();
        let subjects = heads.iter().flat_map(|head| head.subjects.clone()).collect();
        Ok(Live { project, zone, campaigns: Campaigns::new(published), subjects, heads })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
