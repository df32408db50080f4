#![doc = include_str!("../README.md")]

mod follow;
mod page;
mod report;
mod text;
mod unsubscribe;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use dunlin_aws::clients::Warm;
use dunlin_aws::copies::Copies;
use dunlin_aws::resources::{EVENTS, FEEDBACK};
use dunlin_aws::settings::Setting;
use dunlin_aws::spill::Spill;
use dunlin_aws::{Clients, Clock, Settings, calls, queues, resources};
use dunlin_core::link::{self, Kind};
use dunlin_core::token::Keyring;

use crate::page::Answer;

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] =
    &[Setting::Region, Setting::Prefix, Setting::Queues, Setting::Bucket, Setting::SigningKeys];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: None, queue: Some(resources::FEEDBACK) };

/// What link needs: the keys, two queues, the bucket; no table.
#[derive(Debug)]
pub struct Link {
    /// Verifies links.
    pub keyring: Keyring,
    /// Takes unsubscribes.
    pub calls: calls::Queue,
    /// Takes unsubscribes that the queue does not take.
    pub spill: Spill,
    /// Takes opens and clicks.
    pub feedback: queues::Queue,
    /// Where copies for "view online" lie.
    pub copies: Copies,
    /// The time.
    pub clock: Clock,
}

impl Link {
    /// Builds the function once, at cold start.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self {
            keyring: settings.keyring.clone(),
            calls: calls::Queue::new(clients.sqs.clone(), settings.queue_url(EVENTS)),
            spill: Spill::new(clients.s3.clone(), settings.bucket.clone()),
            feedback: queues::Queue::new(&clients.sqs, settings.queue_url(FEEDBACK)),
            copies: Copies::new(clients.s3.clone(), settings.bucket.clone()),
            clock: clients.clock.clone(),
        }
    }

    /// The signed link behind a kind's letter, or the answer for one that does not verify.
    fn read(&self, kind: Kind, text: &str) -> Result<link::Link, Answer> {
        link::Link::parse(kind, text, &self.keyring).map_err(|reason| {
            tracing::info!(link.kind = kind.letter(), link.reason = %reason, status = 404, "link refused");
            page::not_found()
        })
    }
}

/// The links under `/l/`; other paths are left to a router it is merged with.
pub fn router(link: Link) -> Router {
    Router::new()
        .route("/l/o/{text}", get(follow::open))
        .route("/l/c/{text}", get(follow::click))
        .route("/l/u/{text}", get(unsubscribe::ask).post(unsubscribe::act))
        .route("/l/v/{text}", get(follow::view))
        .method_not_allowed_fallback(async || page::not_found())
        .with_state(Arc::new(link))
}

/// [`router`] by itself: every other path is answered with the page for links that do not work.
pub fn service(link: Link) -> Router {
    router(link).fallback(async || page::not_found())
}

#[cfg(test)]
mod tests;
