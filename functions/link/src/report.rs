//! What link tells the rest: interactions to the `feedback` queue, calls to `events.fifo`.

use std::time::Duration;

use dunlin_aws::calls::Outgoing;
use dunlin_aws::{Kind, queues, resources};
use dunlin_core::call::{Action, Call};
use dunlin_core::feedback::{Interaction, InteractionKind};
use dunlin_core::ids::{EventId, UserId, person};
use dunlin_core::{link, task};
use jiff::Timestamp;

use crate::Link;

/// How long a recipient waits for our statistics: the queue takes milliseconds, and a redirect that hangs
/// is worse than a click that is not counted.
const PATIENCE: Duration = Duration::from_secs(2);

/// Letters of a user agent that are kept.
const USER_AGENT_CHARS: usize = 200;

impl Link {
    /// Queues what a recipient did. A failure is logged and goes no further: the recipient is served.
    pub(crate) async fn report(&self, seen: &link::Link, kind: InteractionKind, user_agent: Option<&str>) {
        let url = match &seen.purpose {
            link::Purpose::Click(target) => Some(target.to_string()),
            link::Purpose::Open | link::Purpose::Unsubscribe(_) | link::Purpose::View => None,
        };
        let interaction = Interaction {
            v: task::VERSION,
            project: seen.project.clone(),
            delivery: seen.delivery.clone(),
            kind,
            at: self.clock.now(),
            url,
            user_agent: user_agent.map(|agent| agent.chars().take(USER_AGENT_CHARS).collect()),
        };
        let lost = match queues::Outgoing::now(&seen.project, &interaction) {
            Ok(task) => match self.clock.timeout(PATIENCE, self.feedback.put(&[task])).await {
                Some(Ok(())) => return,
                Some(Err(error)) => error.kind,
                None => Kind::Unavailable,
            },
            Err(error) => error.kind,
        };
        tracing::warn!(project.id = %seen.project, delivery.id = %seen.delivery, interaction.kind = ?kind, lost.cause = ?lost, "interaction lost");
    }

    /// Stores a call of the person the link was made for: on the queue, else in the spill. Whether it is stored.
    pub(crate) async fn call(&self, seen: &link::Link, user: &UserId, action: Action) -> bool {
        let now = self.clock.now();
        let Some(message) = message(seen, user, action, now) else { return false };
        let Err(unsent) = self.calls.put(vec![message]).await else { return true };
        let cause = unsent.messages.first().map(|(_, error)| error.kind);
        let messages: Vec<Outgoing> = unsent.messages.into_iter().map(|(message, _)| message).collect();
        let spilled = self.spill.put(resources::EVENTS, now, &messages).await.is_ok();
        tracing::warn!(project.id = %seen.project, delivery.id = %seen.delivery, spilled.cause = ?cause, spilled, "call not queued");
        spilled
    }
}

/// One call as a message for `events.fifo`, in the person's own order.
///
/// Its id is the link, what it asks and the second: a double click is one call, and unsubscribing again
/// after having come back is not mistaken for the first time.
pub(crate) fn message(seen: &link::Link, user: &UserId, action: Action, now: Timestamp) -> Option<Outgoing> {
    let asked = match action {
        Action::Resubscribe => "resubscribe",
        _ => "unsubscribe",
    };
    let second = now.as_second().to_string();
    let id = EventId::derive(&["link", asked, seen.project.as_str(), seen.delivery.as_str(), user.as_str(), &second]);
    let group = person(&seen.project, user);
    let dedup = id.to_string();
    let call = Call { id, project: seen.project.clone(), user: user.clone(), at: now, accepted_at: now, action };
    let body = task::to_text(&task::Calls { v: task::VERSION, calls: vec![call] }).ok()?;
    Some(Outgoing { group, dedup, body })
}
