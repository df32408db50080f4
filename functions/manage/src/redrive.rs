//! The way of a parked task back to its queue.

use dunlin_aws::parked::ParkedTask;
use dunlin_aws::resources::QUEUES;
use dunlin_aws::{Clients, Error, Settings, calls, queues};
use dunlin_core::ids::{self, ProjectId, UserId, digest};
use jiff::Timestamp;
use serde_json::Value;

use crate::answer::Failure;

/// The queues that tasks are parked from.
#[derive(Debug)]
pub(crate) struct Queues {
    calls: Vec<(&'static str, calls::Queue)>,
    standard: Vec<(&'static str, queues::Queue)>,
}

impl Queues {
    /// The queues of a stage.
    pub(crate) fn new(clients: &Clients, settings: &Settings) -> Self {
        let (calls, standard): (Vec<_>, Vec<_>) = QUEUES.into_iter().partition(|queue| queue.fifo);
        let of_calls = |queue| calls::Queue::new(clients.sqs.clone(), settings.queue_url(queue));
        let of_tasks = |queue| queues::Queue::new(&clients.sqs, settings.queue_url(queue));
        Self {
            calls: calls.into_iter().map(|queue| (queue.stem, of_calls(queue))).collect(),
            standard: standard.into_iter().map(|queue| (queue.stem, of_tasks(queue))).collect(),
        }
    }

    /// Whether there is a queue of this stem.
    pub(crate) fn has(&self, stem: &str) -> bool {
        self.calls.iter().any(|(name, _)| *name == stem) || self.standard.iter().any(|(name, _)| *name == stem)
    }

    /// Puts the very text back. On a queue of calls with a deduplication id of its own, since the queue may remember the
    /// one it came with.
    pub(crate) async fn redrive(&self, task: &ParkedTask, now: Timestamp) -> Result<(), Failure> {
        if let Some((_, queue)) = self.calls.iter().find(|(stem, _)| *stem == task.queue) {
            let dedup = format!("{}-{}", task.id, now.as_millisecond());
            let message = calls::Outgoing { group: group(task), dedup, body: task.body.clone() };
            let Err(unsent) = queue.put(vec![message]).await else { return Ok(()) };
            let error = unsent.messages.into_iter().next().map(|(_, error)| error);
            return Err(error.unwrap_or_else(|| Error::bare(dunlin_aws::Kind::Unavailable, "redrive")).into());
        }
        let Some((_, queue)) = self.standard.iter().find(|(stem, _)| *stem == task.queue) else {
            return Err(Failure::conflict("there is no such queue any more", "discard the task"));
        };
        Ok(queue.put(&[queues::Outgoing::text(task.project.as_ref(), &task.body)]).await?)
    }
}

/// What keeps the calls of one user in order: the formula of `intake`. A text that names no user has a group of
/// its own.
fn group(task: &ParkedTask) -> String {
    let calls: Value = serde_json::from_str(&task.body).unwrap_or_default();
    let field = |name: &str| calls.pointer(&format!("/calls/0/{name}")).and_then(Value::as_str);
    let project = field("project").and_then(|text| ProjectId::parse(text).ok());
    match (project, field("user").and_then(|text| UserId::parse(text).ok())) {
        (Some(project), Some(user)) => ids::person(&project, &user),
        _ => digest(&[task.id.as_str()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_go_back_to_the_group_of_their_user() {
        let task = |body: &str| ParkedTask::new("events", "m", body, "poison", Timestamp::UNIX_EPOCH);
        let calls = r#"{"v":9,"calls":[{"project":"prj_demo","user":"42","action":{"kind":"new"}}]}"#;
        assert_eq!(group(&task(calls)), digest(&["prj_demo", "42"]));
        for poison in ["", "{", r#"{"calls":[]}"#, r#"{"calls":[{"project":"prj_demo"}]}"#] {
            assert_eq!(group(&task(poison)), digest(&[task(poison).id.as_str()]), "{poison}");
        }
    }
}
