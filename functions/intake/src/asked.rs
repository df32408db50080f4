//! What a request asks for, and the identity of the call it becomes.

use dunlin_aws::Chance;
use dunlin_core::call::{Action, Call};
use dunlin_core::ids::{EventId, ProjectId, UserId, digest};
use dunlin_core::limits::DEDUPLICATION;
use jiff::Timestamp;

/// A checked request, before it is known whose it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) user: UserId,
    /// The client's own time.
    pub(crate) at: Option<Timestamp>,
    pub(crate) action: Action,
    pub(crate) sameness: Sameness,
}

/// Which other requests are this one again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sameness {
    /// None but a repetition of the very request by our own SDK.
    Never,
    /// Within five minutes: those with the same event, user and data, or check id where there is no data.
    Event { check: Option<String> },
    /// Those with the same `messageId`, as far as the queue and the profile remember; `part` tells the calls of one message
    /// apart.
    Message { id: String, part: &'static str },
}

/// A call, and the key that the queue's five-minute deduplication goes by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) call: Call,
    pub(crate) key: String,
}

impl Asked {
    /// The call of `project`, taken at `accepted_at`.
    pub(crate) fn accept(self, project: &ProjectId, accepted_at: Timestamp, chance: &Chance) -> Accepted {
        let (id, key) = self.identity(project, accepted_at, chance);
        // Nothing happens after it was accepted: a client's clock that is ahead must not win against a later delete.
        let at = self.at.map_or(accepted_at, |at| at.min(accepted_at));
        Accepted {
            call: Call { id, project: project.clone(), user: self.user, at, accepted_at, action: self.action },
            key,
        }
    }

    /// The id of the call and the deduplication key. The queue's five minutes slide; the id keeps fixed
    /// windows of five minutes, since it must not change when the call is taken twice in one of them.
    fn identity(&self, project: &ProjectId, accepted_at: Timestamp, chance: &Chance) -> (EventId, String) {
        let (project, user) = (project.as_str(), self.user.as_str());
        match (&self.sameness, &self.action) {
            (Sameness::Event { check }, Action::Track { name, data, .. }) => {
                let key = if !data.is_empty() {
                    // serde_json's map is sorted: equal data has one text.
                    let data = serde_json::to_string(data).unwrap_or_default();
                    digest(&["event", project, user, name.key(), "data", &data])
                } else if let Some(check) = check {
                    digest(&["event", project, user, name.key(), "check", check])
                } else {
                    digest(&["event", project, user, name.key()])
                };
                let window = accepted_at.as_second().div_euclid(DEDUPLICATION.as_secs());
                (EventId::derive(&[&key, &window.to_string()]), key)
            }
            (Sameness::Message { id, part }, _) => {
                let key = digest(&["message", project, id, part]);
                (EventId::derive(&[&key]), key)
            }
            (Sameness::Never | Sameness::Event { .. }, _) => {
                let (millis, number) = (accepted_at.as_millisecond().to_string(), format!("{:016x}", chance.next()));
                let id = EventId::derive(&[project, user, &millis, &number]);
                let key = id.as_str().to_owned();
                (id, key)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dunlin_core::event_name::EventName;
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_772_366_400, 0);

    fn track(user: &str, name: &str, data: Value, check: Option<&str>) -> Asked {
        let action = Action::Track {
            name: EventName::parse(name).expect("a name"),
            email: None,
            properties: serde_json::Map::new(),
            data: data.as_object().cloned().expect("an object"),
            source: None,
            conversion: None,
            passive: false,
        };
        let sameness = Sameness::Event { check: check.map(str::to_owned) };
        Asked { user: UserId::parse(user).expect("an id"), at: None, action, sameness }
    }

    fn accept(asked: &Asked, seconds: i64) -> Accepted {
        let project = ProjectId::parse("prj_demo").expect("an id");
        asked.clone().accept(
            &project,
            NOON + SignedDuration::from_secs(seconds),
            &Chance::seeded(seconds.unsigned_abs()),
        )
    }

    #[test]
    fn the_same_event_user_and_data_within_five_minutes_is_one_event() {
        let first = track("7", "Purchased Item", json!({"a": 1, "b": [2]}), None);
        for same in [
            track("7", "purchased_item", json!({"b": [2], "a": 1}), None),
            track("7", "Purchased-Item", json!({"a": 1, "b": [2]}), Some("x")),
        ] {
            assert_eq!(accept(&first, 0).key, accept(&same, 299).key);
            assert_eq!(accept(&first, 0).call.id, accept(&same, 299).call.id);
            assert_ne!(accept(&first, 0).call.id, accept(&same, 300).call.id, "an event again, later, is another");
        }
        for other in [
            track("8", "Purchased Item", json!({"a": 1, "b": [2]}), None),
            track("7", "Bought", json!({"a": 1, "b": [2]}), None),
            track("7", "Purchased Item", json!({"a": 1}), None),
            track("7", "Purchased Item", json!({}), None),
        ] {
            assert_ne!(accept(&first, 0).key, accept(&other, 0).key);
        }
    }

    #[test]
    fn a_check_id_takes_the_place_of_missing_data() {
        let with = |check| accept(&track("7", "Paid", json!({}), check), 0).key;
        assert_eq!(with(Some("a")), with(Some("a")));
        assert_ne!(with(Some("a")), with(Some("b")));
        assert_ne!(with(Some("a")), with(None));
        assert_eq!(with(None), with(None));
    }

    #[test]
    fn a_message_id_names_the_call_for_ever_and_other_calls_are_never_the_same() {
        let asked = |sameness| Asked {
            user: UserId::parse("7").expect("an id"),
            at: None,
            action: Action::Unsubscribe,
            sameness,
        };
        let message = |part| asked(Sameness::Message { id: "m".into(), part });
        assert_eq!(accept(&message("main"), 0).call.id, accept(&message("main"), 999_999).call.id);
        assert_ne!(accept(&message("main"), 0).call.id, accept(&message("tags"), 0).call.id);
        let (one, two) = (accept(&asked(Sameness::Never), 0), accept(&asked(Sameness::Never), 1));
        assert_ne!(one.key, two.key);
        assert_eq!(one.key, one.call.id.as_str());
    }

    #[test]
    fn nothing_happens_after_it_was_accepted() {
        let at = |hours: i64| {
            let at = NOON + SignedDuration::from_hours(hours);
            accept(&Asked { at: Some(at), ..track("7", "Paid", json!({}), None) }, 0).call.at
        };
        assert_eq!(at(1), NOON);
        assert_eq!(at(-99_999), NOON - SignedDuration::from_hours(99_999));
    }
}
