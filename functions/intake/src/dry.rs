//! What the doors make of a body, without its credential and without a queue: the whole reading as one pure function, for
//! `tests/fuzz` and whoever wants to know what would be stored.

use dunlin_aws::Chance;
use dunlin_aws::calls::Outgoing;
use dunlin_core::ids::ProjectId;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::asked::Asked;
use crate::reply::Refusal;
use crate::segment::Rejects;
use crate::{body, credential, pack, segment, track};

/// Whose the calls of a dry reading are, and when and with which chance they are taken.
#[derive(Clone, Debug)]
pub struct Taker {
    /// The project.
    pub project: ProjectId,
    /// The instant.
    pub at: Timestamp,
    /// Where ids of calls that are never the same come from.
    pub chance: Chance,
}

impl Taker {
    /// The queue messages that a request to `/api/v2/{path}` becomes.
    ///
    /// # Errors
    /// The status that it is refused with.
    pub fn track(&self, path: &str, headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<Outgoing>, StatusCode> {
        let endpoint = track::Endpoint::find(path).ok_or(StatusCode::NOT_FOUND)?;
        let asked = || -> Result<Asked, Refusal> {
            let mut fields = body::decode(headers, bytes)?;
            track::open(&mut fields)?;
            drop(credential::track(None, &mut fields));
            track::read(endpoint, fields)
        };
        self.take(vec![asked().map_err(|refusal| refusal.status)?])
    }

    /// The queue messages that a request to `/v1/{path}` becomes; items that are refused are left out.
    ///
    /// # Errors
    /// The status that it is refused with.
    pub fn segment(&self, path: &str, headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<Outgoing>, StatusCode> {
        let endpoint = segment::Endpoint::find(path).ok_or(StatusCode::NOT_FOUND)?;
        let asked = || -> Result<Vec<Asked>, Refusal> {
            let mut fields = body::decode(headers, bytes)?;
            drop(credential::segment(headers, &mut fields));
            segment::read(endpoint, fields, self.at, &mut Rejects::default())
        };
        self.take(asked().map_err(|refusal| refusal.status)?)
    }

    fn take(&self, asked: Vec<Asked>) -> Result<Vec<Outgoing>, StatusCode> {
        let write = |asked: Asked| pack::write(&asked.accept(&self.project, self.at, &self.chance));
        let calls: Result<Vec<_>, _> = asked.into_iter().map(write).collect();
        Ok(pack::pack(calls.map_err(|pack::TooLarge| StatusCode::PAYLOAD_TOO_LARGE)?))
    }
}
