//! The stories in which somebody dies at each request.

use dunlin_aws::resources;
use dunlin_core::link::Kind;
use dunlin_local::{Door, Fault, FaultKind, Function, Service, When};

use crate::crashes::{Story, Trouble};
use crate::scenario::Scenario;
use crate::sim::Role;
use crate::visits::Visit;
use crate::workload::{PEOPLE, PROJECTS, Person, What};
use crate::{baskets, deeds, entries, hopes, journeys, rounds};

/// Whom most stories are about.
const ANN: Person = Person { project: 0, place: 0 };
/// Whose calls are a flood.
const FLO: Person = Person { project: 0, place: 1 };
/// Who draws another lot than Ann.
const CID: Person = Person { project: 0, place: 2 };
/// Whose address bounces.
const BEA: Person = Person { project: 0, place: PEOPLE - 1 };
/// Of other projects, whom a flood would disturb: as many as make it one (`limits::NEIGHBOURS`).
const NEIGHBOURS: [Person; 3] =
    [Person { project: 1, place: 0 }, Person { project: 2, place: 0 }, Person { project: PROJECTS, place: 0 }];

const FREE: What = What::Identify { plan: "free" };
const BOUGHT: What = What::Track { event: "Bought" };
const LOOKED: What = What::Track { event: "Looked" };
const SIGNED_UP: What = What::Track { event: "Signed up" };
/// What the letter is for that an operator publishes.
const LATER: What = What::Track { event: "Later" };
/// What the campaign is for that an operator of a story keeps.
const ERRAND: What = What::Track { event: "Errand" };
/// Most of all calls, and more than `limits::SHARE_CALLS`.
const FLOOD: What = What::Flood { events: 60 };

const ROSE: What = What::Track { event: journeys::EVENT };
const TRIED: What = What::Track { event: journeys::DATED };
const FILLED: What = What::Track { event: baskets::FILLED };
const PAID: What = What::Track { event: baskets::PAID };
const ACTED: What = What::Track { event: deeds::ACTED };
const HOPED: What = What::Track { event: hopes::HOPED };
const SOUGHT: What = What::Track { event: hopes::SOUGHT };
const JOINED: What = What::Track { event: entries::JOINED };
const OWED: What = What::Track { event: rounds::OWED };
const SETTLED: What = What::Track { event: rounds::SETTLED };
const PRO: What = What::Edit { plan: "pro" };
const TAGGED: What = What::Tag { add: true };
/// As [`FREE`], with another date (`entries::renews`).
const RENEWS_LATER: What = What::Identify { plan: "pro" };

/// A story in which nothing happens.
const QUIET: Story = Story {
    name: "",
    calls: &[],
    waits: [1, 1],
    visits: &[],
    trouble: None,
    scenario: Scenario::Handlers,
    dies: |_, _| true,
};

/// The stories: between them every handler makes every kind of its requests (`tests/infra/crashes.rs`).
pub const STORIES: [Story; 21] = [
    Story { name: "a receipt is sent", calls: &[(20, ANN, FREE), (40, ANN, BOUGHT)], ..QUIET },
    Story {
        name: "a series waits for seconds",
        calls: &[(20, ANN, FREE), (40, ANN, SIGNED_UP)],
        waits: [5, 5],
        dies: |role, _| !matches!(role, Role::Sweep | Role::Function(Function::Feedback)),
        ..QUIET
    },
    Story {
        name: "a sweep wakes a run after half an hour",
        calls: &[(20, ANN, FREE), (40, ANN, SIGNED_UP)],
        waits: [1_800, 1],
        dies: |role, _| role == Role::Sweep,
        ..QUIET
    },
    Story {
        name: "an operator publishes, a recipient unsubscribes",
        calls: &[(20, ANN, FREE), (120, ANN, LATER), (200, ANN, LOOKED)],
        visits: &[
            (30, Visit::Publish),
            (180, Visit::Follow(Kind::Open)),
            (190, Visit::Follow(Kind::View)),
            (300, Visit::Follow(Kind::Unsubscribe)),
        ],
        trouble: Some(Trouble { from: 110, to: 150, faults: || vec![lost_answer()] }),
        // `schedule` and `send` where they do more than in a series.
        dies: |role, service| match role {
            Role::Door(_) => true,
            Role::Function(Function::Evaluate) => service == Service::DynamoDb,
            Role::Function(Function::Schedule) => service == Service::SqsStandard,
            Role::Function(Function::Send) => service == Service::S3,
            _ => false,
        },
        ..QUIET
    },
    Story {
        name: "a mail bounces, and its person is deleted",
        calls: &[
            (20, BEA, FREE),
            (40, BEA, LOOKED),
            (60, BEA, BOUGHT),
            (80, BEA, LOOKED),
            (100, BEA, LOOKED),
            (120, BEA, What::Delete),
        ],
        dies: |role, _| matches!(role, Role::Function(Function::Feedback | Function::Evaluate)),
        ..QUIET
    },
    Story {
        name: "calls are spilled while their queue is away",
        calls: &[(20, ANN, FREE), (40, ANN, LOOKED), (60, ANN, BOUGHT)],
        visits: &[(70, Visit::Follow(Kind::Unsubscribe))],
        trouble: Some(Trouble { from: 55, to: 85, faults: || vec![away(Service::SqsFifo)] }),
        dies: |role, service| spills(role, service) || matches!(role, Role::Door(_)),
        ..QUIET
    },
    Story {
        name: "SES does not answer, and stays silent",
        calls: &[(20, ANN, FREE), (40, ANN, BOUGHT), (60, ANN, LOOKED)],
        trouble: Some(Trouble { from: 30, to: 3_600, faults: silence }),
        dies: |role, _| role == Role::Function(Function::Send),
        ..QUIET
    },
    Story {
        name: "a flood takes the second lane",
        calls: &[
            (20, ANN, FREE),
            (22, NEIGHBOURS[0], FREE),
            (24, NEIGHBOURS[1], FREE),
            (26, NEIGHBOURS[2], FREE),
            (40, FLO, FLOOD),
            (45, ANN, SIGNED_UP),
        ],
        trouble: Some(Trouble { from: 43, to: 180, faults: refusals }),
        // `evaluate` and `schedule` at the queues of mails: the rest is another story.
        dies: |role, service| {
            spills(role, service)
                || matches!(role, Role::Door(_) | Role::Function(Function::Send))
                || matches!(role, Role::Function(_)) && service == Service::SqsStandard
        },
        ..QUIET
    },
    Story {
        name: "what nobody can read is parked, and goes back",
        visits: &[
            (30, Visit::Nonsense),
            (300, Visit::Operate("GET", "/manage/v1/parked", "")),
            (310, Visit::Operate("GET", "/manage/v1/parked/{parked}", "")),
            (320, Visit::Operate("POST", "/manage/v1/parked/{parked}/redrive", "")),
            (330, Visit::Operate("POST", "/manage/v1/parked/redrive", "")),
            (1_200, Visit::Operate("DELETE", "/manage/v1/parked", "")),
        ],
        trouble: Some(Trouble { from: 25, to: 45, faults: || vec![away(Service::DynamoDb)] }),
        dies: |role, _| matches!(role, Role::Function(_) | Role::Door(Door::Manage)),
        ..QUIET
    },
    Story {
        name: "an operator looks at everything",
        calls: &[(20, BEA, FREE), (40, BEA, BOUGHT)],
        visits: &[
            (120, Visit::Operate("GET", "/manage/v1/projects", "")),
            (130, Visit::Operate("GET", "/manage/v1/projects/{project}/tokens", "")),
            (140, Visit::Operate("GET", "/manage/v1/projects/{project}/campaigns", "")),
            (150, Visit::Operate("GET", "/manage/v1/projects/{project}/campaigns/cmp_receipt", "")),
            (160, Visit::Operate("GET", "/manage/v1/projects/{project}/profiles/person-3", "")),
            (170, Visit::Operate("GET", "/manage/v1/projects/{project}/profiles/person-3/activity", "")),
            (180, Visit::Operate("GET", "/manage/v1/projects/{project}/profiles/person-3/deliveries", "")),
            (190, Visit::Operate("GET", "/manage/v1/projects/{project}/deliveries/{delivery}", "")),
            (200, Visit::Operate("GET", "/status.json", "")),
        ],
        dies: |role, _| role == Role::Door(Door::Manage),
        ..QUIET
    },
    Story {
        name: "an operator changes everything",
        calls: &[(20, ANN, FREE)],
        visits: &[
            (30, Visit::Operate("POST", "/manage/v1/projects", r#"{"id": "prj_second", "name": "Second"}"#)),
            (40, Visit::Operate("PUT", "/manage/v1/projects/prj_second", r#"{"name": "Another"}"#)),
            (50, Visit::Operate("POST", "/manage/v1/projects/prj_second/tokens", r#"{"label": "first"}"#)),
            (60, Visit::Operate("POST", "/manage/v1/projects/{project}/tokens/1/rotate?revoke=true", "")),
            (70, Visit::Operate("POST", "/manage/v1/projects/{project}/campaigns/cmp_nudge/pause", "")),
            (80, Visit::Operate("POST", "/manage/v1/projects/{project}/campaigns/cmp_nudge/resume", "")),
            (90, Visit::Operate("DELETE", "/manage/v1/projects/{project}/suppressions/a@example.com", "")),
        ],
        dies: |role, _| role == Role::Door(Door::Manage),
        ..QUIET
    },
    Story {
        name: "a journey waits for a morning and for a date",
        calls: &[(20, ANN, FREE), (40, ANN, ROSE), (40, ANN, TRIED), (40, ANN, PRO), (60, CID, FREE), (80, CID, ROSE)],
        scenario: Scenario::Journeys,
        dies: |role, _| matches!(role, Role::Function(Function::Evaluate | Function::Schedule)),
        ..QUIET
    },
    Story {
        name: "an operator moves runs to another version",
        calls: &[(30, ANN, ERRAND)],
        visits: &[
            (20, Visit::Operate("PUT", ERRANDS, LISTENS)),
            (60, Visit::Operate("PUT", ERRANDS, WAITS)),
            (90, Visit::Operate("GET", "/manage/v1/projects/{project}/campaigns/cmp_errand/runs", "")),
            (100, Visit::Operate("POST", "/manage/v1/projects/{project}/campaigns/cmp_errand/runs/migrate", ALONG)),
            (300, Visit::Operate("POST", "/manage/v1/projects/{project}/campaigns/cmp_errand/runs/migrate", ALONG)),
        ],
        trouble: Some(Trouble { from: 95, to: 150, faults: || vec![lost_answer()] }),
        dies: |role, _| role == Role::Door(Door::Manage),
        ..QUIET
    },
    Story {
        name: "a campaign is resumed with overdue runs",
        calls: &[(30, ANN, ERRAND), (31, CID, ERRAND)],
        visits: &[
            (20, Visit::Operate("PUT", ERRANDS, WAITS)),
            (40, Visit::Operate("POST", "/manage/v1/projects/{project}/campaigns/cmp_errand/pause", "")),
            (
                800,
                Visit::Operate(
                    "POST",
                    "/manage/v1/projects/{project}/campaigns/cmp_errand/resume",
                    r#"{"per_minute": 1}"#,
                ),
            ),
        ],
        dies: |role, _| role == Role::Function(Function::Schedule),
        ..QUIET
    },
    Story {
        name: "a webhook finds nobody, and is given up",
        visits: &[(30, Visit::Webhook)],
        trouble: Some(Trouble { from: 25, to: 45, faults: || vec![unsent()] }),
        dies: |role, _| role == Role::Function(Function::Hook),
        ..QUIET
    },
    Story {
        name: "steps act, and what they did starts something else",
        calls: &[(40, ANN, ACTED)],
        trouble: Some(Trouble { from: 35, to: 60, faults: || vec![lost_answer()] }),
        scenario: Scenario::Journeys,
        dies: |role, _| matches!(role, Role::Function(Function::Evaluate | Function::Schedule | Function::Hook)),
        ..QUIET
    },
    Story {
        name: "somebody hopes for what comes true, and has a goal",
        calls: &[(20, ANN, HOPED), (40, ANN, SOUGHT), (300, ANN, TAGGED), (310, ANN, BOUGHT)],
        scenario: Scenario::Journeys,
        dies: |role, _| matches!(role, Role::Function(Function::Evaluate | Function::Schedule)),
        ..QUIET
    },
    Story {
        name: "rules let somebody in, and keep them out",
        calls: &[(40, ANN, JOINED), (60, ANN, JOINED)],
        scenario: Scenario::Journeys,
        dies: |role, _| role == Role::Function(Function::Evaluate),
        ..QUIET
    },
    Story {
        name: "a date is reached that was another one",
        calls: &[(20, ANN, FREE), (80, ANN, RENEWS_LATER)],
        scenario: Scenario::Journeys,
        dies: |role, _| matches!(role, Role::Function(Function::Evaluate | Function::Schedule)),
        ..QUIET
    },
    Story {
        name: "a basket is paid for while a run waits",
        // The first and the third call are about one basket (`baskets::data`).
        calls: &[(20, ANN, FILLED), (30, ANN, FREE), (210, ANN, PAID)],
        scenario: Scenario::Journeys,
        dies: |role, _| matches!(role, Role::Function(Function::Evaluate | Function::Schedule)),
        ..QUIET
    },
    Story {
        name: "somebody is reminded until they settle",
        calls: &[(20, ANN, FREE), (40, ANN, OWED), (4_000, ANN, SETTLED)],
        scenario: Scenario::Journeys,
        dies: |role, _| matches!(role, Role::Function(Function::Evaluate | Function::Schedule)),
        ..QUIET
    },
];

/// Where the operator of a story keeps a campaign of their own. It mails nobody.
const ERRANDS: &str = "/manage/v1/projects/{project}/campaigns/cmp_errand";
/// It waits for what never happens.
const LISTENS: &str = r#"{"name": "Errand", "kind": "workflow", "trigger": {"event": "Errand"}, "from": "a@example.com", "steps": [{"name": "first", "wait_for": {"event": "Never"}, "within": "1 hour"}, {"name": "over", "exit": "done"}]}"#;
/// It waits for ten minutes.
const WAITS: &str = r#"{"name": "Errand", "kind": "workflow", "trigger": {"event": "Errand"}, "from": "a@example.com", "steps": [{"name": "first", "wait": "10 minutes"}, {"name": "over", "exit": "done"}]}"#;
/// Runs of the first version go on in the second.
const ALONG: &str = r#"{"to_version": 2, "moves": {"first": "first"}}"#;

/// The sweep at what is spilled; its walks are another story.
fn spills(role: Role, service: Service) -> bool {
    role == Role::Sweep && matches!(service, Service::S3 | Service::SqsFifo)
}

/// A run's row is written, and nobody hears of it.
fn lost_answer() -> Fault {
    let table = format!("{}{}", resources::DEFAULT_PREFIX, resources::RUNS.name);
    Fault::new(FaultKind::TimeoutApplied, When::Call(1)).on("PutItem").of_table(&table)
}

/// Nothing can be put on a standard queue.
fn unsent() -> Fault {
    away(Service::SqsStandard).on("SendMessageBatch")
}

/// A service that nobody reaches.
fn away(service: Service) -> Fault {
    Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(service)
}

/// SES takes one mail and one it does not, answers neither, and tells of none.
fn silence() -> Vec<Fault> {
    let never = |kind, call| Fault::new(kind, When::Call(call)).at(Service::Ses);
    vec![
        never(FaultKind::TimeoutApplied, 1),
        never(FaultKind::TimeoutNotApplied, 2),
        Fault::new(FaultKind::LostFeedback, When::Chance(1.0)).at(Service::Ses),
    ]
}

/// The queue of calls is away for one call, and SES is over its limit for one mail.
fn refusals() -> Vec<Fault> {
    vec![
        away(Service::SqsFifo).times(SPILLS),
        Fault::new(FaultKind::Throttle, When::Chance(1.0)).at(Service::Ses).times(1),
    ]
}

/// Attempts after which `intake` spills a call.
const SPILLS: u32 = 3;
