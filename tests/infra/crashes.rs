//! The stories of the crash enumeration against what functions do: whatever a function asks of AWS, there is a story in
//! which it dies at it.

use dunlin_simulation::crashes::{Dies, STORIES};
use dunlin_simulation::sim::{Sighting, Watcher};

use crate::permissions::asked;
use crate::watched::{Log, Use};

/// What is asked for in no such story, and why.
const ELSEWHERE: [(&str, &str, &str, &str); 1] = [(
    "intake",
    "dynamodb:Query",
    "dunlin-control",
    "the list of revoked tokens is read beside the calls, and changes nothing",
)];

/// Writes down the requests at which somebody dies.
struct Eyes {
    log: Log,
    dies: Dies,
}

impl Watcher for Eyes {
    fn see(&mut self, sighting: &Sighting<'_>) {
        if let Some(role) = sighting.role.filter(|role| (self.dies)(*role, sighting.service)) {
            self.log.note(role.name(), sighting.request);
        }
    }
}

#[tokio::test]
async fn whatever_a_function_asks_for_there_is_a_story_in_which_it_dies_at_it() {
    let asked = asked().await;
    let played = std::thread::spawn(|| {
        let log = Log::default();
        for story in STORIES {
            story.show(Eyes { log: log.clone(), dies: story.dies }).expect("a story");
        }
        log.uses()
    });
    let died = played.join().expect("the stories");
    let is_elsewhere = |one: &&Use| {
        let known = (one.function.as_str(), one.action.as_str(), one.resource.as_str());
        ELSEWHERE.iter().any(|(function, action, resource, _)| (*function, *action, *resource) == known)
    };
    let missing: Vec<&Use> = asked.difference(&died).filter(|one| !is_elsewhere(one)).collect();
    assert!(missing.is_empty(), "no story in which a function dies at it: {missing:#?}");
}
