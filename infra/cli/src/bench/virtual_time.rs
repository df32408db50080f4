//! Dunlin in memory and in virtual time, where nothing is timed and everything is counted.

use std::collections::BTreeMap;

use anyhow::bail;
use axum::body::Body;
use dunlin_aws::Clock;
use dunlin_core::campaign::{self, Campaign};
use dunlin_local::{Cloud, World};
use http::Request;
use tower::ServiceExt as _;

use crate::keys::Keys;
use crate::project::{Place, settings};

/// When it begins: a Monday morning.
pub(crate) const START: &str = "2026-01-05T09:00:00Z";

/// A dunlin with a project.
pub(crate) struct Virtual {
    /// The functions and the cloud.
    pub(crate) world: World,
    /// The project.
    pub(crate) place: Place,
}

impl Virtual {
    /// Starts it, by a clock that whoever sleeps moves.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::by(Clock::virtual_at(START.parse()?)).await
    }

    /// Starts it by a virtual clock.
    pub(crate) async fn by(clock: Clock) -> anyhow::Result<Self> {
        let cloud = Cloud::in_memory(clock, 1)?;
        let world = World::new(cloud, settings(&Keys::generate(), "http://localhost:9000")?, 1);
        let place = Place::find_or_make(&world).await?;
        Ok(Self { world, place })
    }

    /// Publishes a campaign that we wrote.
    pub(crate) async fn publish(&self, text: &str) -> anyhow::Result<Campaign> {
        let Ok(campaign) = campaign::parse("bench.yaml", text, &BTreeMap::new()) else {
            bail!("a campaign of the bench does not parse")
        };
        self.place.publish(std::slice::from_ref(&campaign)).await?;
        Ok(campaign)
    }

    /// One call with the project's token.
    pub(crate) async fn post(&self, path: &str, body: String) -> anyhow::Result<()> {
        let token = &self.place.token;
        let request = Request::post(format!("{path}?auth_token={token}")).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {token}")).body(Body::from(body))?;
        let status = self.world.router().oneshot(request).await?.status();
        if status.is_success() { Ok(()) } else { bail!("a call was answered with {status}") }
    }
}
