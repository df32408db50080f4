//! Waiting for an event and for a condition; goals and exits; events that come late.

use serde_json::{Value, json};

use super::*;

/// A person, what happened to them, and a run of theirs.
struct Cart {
    profile: Profile,
    past: Vec<TriggerEvent>,
    published: Published,
    trigger: TriggerEvent,
}

fn happened(name: &str, instant: &str, data: Value) -> TriggerEvent {
    let data = data.as_object().cloned().unwrap_or_default();
    let id = EventId::derive(&[name, instant, &serde_json::to_string(&data).expect("JSON")]);
    TriggerEvent { id, name: EventName::parse(name).expect("a name"), at: at(instant), data }
}

impl Cart {
    fn new(steps: &str) -> Self {
        let trigger = TriggerEvent { data: json!({"cart_id": 7}).as_object().cloned().unwrap_or_default(), ..event() };
        Self { profile: person(), past: Vec::new(), published: workflow(steps), trigger }
    }

    fn with(mut self, extra: &str) -> Self {
        let text = format!(
            "name: Test\nkind: workflow\ntrigger: {{event: Signed up}}\nfrom: ann@example.com\n{extra}\nmessages:\n  a: {{subject: A, text: a}}\nsteps:\n- wait: 1 day\n- send: a\n- wait: 1 day\n- {{name: again, send: a}}\n"
        );
        let campaign = parse("test.yaml", &text, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems:?}"));
        self.published.campaign = Arc::new(campaign);
        self
    }

    fn order(mut self, instant: &str, data: Value) -> Self {
        self.past.push(happened("Order completed", instant, data));
        self.past.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        self
    }

    fn begin(&self, now: &str) -> Transition {
        let facts = Facts { past: &self.past, ..Facts::new(&self.profile, &self.trigger, at(now)) };
        start(&self.published, ProjectId::derive(&["p"]), user(), self.trigger.clone(), Lane::Triggered, &facts, &utc())
    }

    fn look(&self, run: &Run, now: &str) -> Advance {
        let facts = Facts { past: &self.past, ..Facts::new(&self.profile, &run.event, at(now)) };
        run.advance(&self.published.campaign, &facts, &utc())
    }

    fn moved(&self, run: &Run, now: &str) -> Transition {
        match self.look(run, now) {
            Advance::Moved(moved) => *moved,
            other => panic!("{other:?}"),
        }
    }
}

const CART: &str = "- wait_for: {event: Order completed, match: {cart_id: event.cart_id}}\n  within: 4 hours\n  as: order\n  happened: bought\n  timed_out: nudge\n- {name: nudge, send: a, next: over}\n- {name: bought, send: b}\n- {name: over, exit: over}\n";

fn listens(transition: &Transition) -> bool {
    transition.commands.iter().any(|command| matches!(command, Command::Listen { .. }))
}

#[test]
fn a_cart_that_is_bought_goes_one_way_and_one_that_is_not_the_other() {
    let cart = Cart::new(CART);
    let waits = cart.begin(START);
    assert_eq!((due(&waits), listens(&waits)), ("2026-11-21T13:00:00Z".to_owned(), true));
    assert!(matches!(cart.look(&waits.run, "2026-11-21T12:59:59Z"), Advance::NotDue { .. }));
    let forgotten = cart.moved(&waits.run, "2026-11-21T13:00:00Z");
    assert_eq!(sends(&forgotten), ["a"]);
    assert!(matches!(forgotten.commands.first(), Some(Command::StopListening { .. })), "{:?}", forgotten.commands);
    let cart = cart.order("2026-11-21T10:00:00Z", json!({"cart_id": 7.0, "total": 30}));
    let bought = cart.moved(&waits.run, "2026-11-21T10:00:01Z");
    assert_eq!(sends(&bought), ["b"]);
    assert_eq!(bought.run.journey.get("order"), Some(&json!({"cart_id": 7.0, "total": 30})));
}

#[test]
fn a_loop_goes_by_the_last_of_many_events_however_many_come_at_once() {
    let quiet = "- {name: quiet, wait_for: {event: Order completed, match: {cart_id: event.cart_id}}, within: 4 hours, happened: quiet}\n- send: a\n- send: b\n";
    let cart = Cart::new(quiet);
    let mut run = cart.begin(START).run;
    // Every half a minute, far more than one move takes.
    let orders = (0..500).map(|n| at(START) + SignedDuration::from_secs(30 * (n + 1)));
    let last = orders.clone().next_back().expect("an order");
    let cart = orders.fold(cart, |cart, order| cart.order(&order.to_string(), json!({"cart_id": 7})));
    let (mut now, mut moves) = (last + SignedDuration::from_secs(1), 0);
    while let Advance::Moved(moved) = cart.look(&run, &now.to_string()) {
        assert!(sends(&moved).is_empty() && moved.run.due_at().is_some(), "after {moves} moves: {:?}", moved.run.state);
        (run, now, moves) = (moved.run, now + SignedDuration::from_secs(7), moves + 1);
    }
    assert_eq!(moves, 3);
    let quiet = last + SignedDuration::from_hours(4);
    assert_eq!(sends(&cart.moved(&run, &quiet.to_string())), ["a", "b"]);
}

#[test]
fn only_the_very_cart_counts() {
    for other in
        [json!({"cart_id": 8}), json!({"cart_id": "7"}), json!({"cart_id": null}), json!({}), json!({"cart_id": [7]})]
    {
        let cart = Cart::new(CART).order("2026-11-21T10:00:00Z", other.clone());
        let waits = cart.begin(START);
        assert!(matches!(cart.look(&waits.run, "2026-11-21T10:00:01Z"), Advance::NotDue { .. }), "{other}");
        assert_eq!(sends(&cart.moved(&waits.run, "2026-11-21T13:00:00Z")), ["a"], "{other}");
    }
    let mut nameless = Cart::new(CART);
    nameless.trigger.data.clear();
    let nameless = nameless.order("2026-11-21T10:00:00Z", json!({}));
    let waits = nameless.begin(START);
    assert!(!listens(&waits), "what has no value to match can hear nothing");
    assert_eq!(sends(&nameless.moved(&waits.run, "2026-11-21T13:00:00Z")), ["a"]);
}

#[test]
fn an_event_counts_from_the_trigger_to_the_time_out_whenever_it_is_seen() {
    let after_an_hour = CART.replacen("- wait_for", "- wait: 1 hour\n- wait_for", 1);
    let table = [
        ("2026-11-21T08:59:59Z", false, "before the trigger"),
        ("2026-11-21T09:00:00Z", true, "with the trigger"),
        ("2026-11-21T09:30:00Z", true, "before the step"),
        ("2026-11-21T14:00:00Z", true, "at the time-out"),
        ("2026-11-21T14:00:01Z", false, "after the time-out, and seen late"),
    ];
    for (instant, counts, when) in table {
        let cart = Cart::new(&after_an_hour);
        let waits = cart.begin(START);
        let cart = cart.order(instant, json!({"cart_id": 7}));
        let there = cart.moved(&waits.run, "2026-11-21T10:00:00Z");
        let end = if matches!(there.run.state, RunState::Ended { .. }) {
            there
        } else {
            cart.moved(&there.run, "2026-11-21T15:00:00Z")
        };
        assert_eq!(sends(&end), [if counts { "b" } else { "a" }], "{when}");
    }
}

#[test]
fn of_several_events_the_earliest_is_heard_and_a_filter_asks_the_event_itself() {
    let big = CART.replacen("}}\n", "}, filters: [{property: event.total, greater_than: 20}]}\n", 1);
    let cart = Cart::new(&big)
        .order("2026-11-21T10:00:00Z", json!({"cart_id": 7, "total": 10}))
        .order("2026-11-21T11:00:00Z", json!({"cart_id": 7, "total": 40}))
        .order("2026-11-21T10:30:00Z", json!({"cart_id": 7, "total": 30}));
    let bought = cart.begin("2026-11-21T12:00:00Z");
    assert_eq!(bought.run.journey.get("order"), Some(&json!({"cart_id": 7, "total": 30})));
    assert!(bought.asked, "what happened decided it");
}

#[test]
fn a_loop_hears_each_event_once() {
    let steps = "- name: again\n  wait_for: {event: Order completed}\n  within: 1 day\n  as: order\n  timed_out: over\n- send: a\n- wait: 1 minute\n  next: again\n- {name: over, exit: over}\n";
    let cart =
        Cart::new(steps).order("2026-11-21T10:00:00Z", json!({"n": 1})).order("2026-11-21T11:00:00Z", json!({"n": 2}));
    let first = cart.begin(START);
    assert_eq!((sends(&first), first.run.journey.get("order")), (vec!["a"], Some(&json!({"n": 1}))));
    let second = cart.moved(&first.run, "2026-11-21T10:01:00Z");
    assert_eq!((sends(&second), second.run.journey.get("order")), (vec!["a"], Some(&json!({"n": 2}))));
    let third = cart.moved(&second.run, "2026-11-21T11:01:00Z");
    assert_eq!((sends(&third), due(&third)), (vec![], "2026-11-22T11:01:00Z".to_owned()));
}

/// A loop without a wait but for what it hears.
const PARCELS: &str = "- name: again\n  wait_for: {event: Order completed}\n  within: 14 days\n  as: order\n  timed_out: over\n- send: a\n- track: Told\n  next: again\n- {name: over, exit: over}\n";

/// The ids of what a move does.
fn deeds(transition: &Transition) -> Vec<String> {
    let id = |command: &Command| match command {
        Command::Send { delivery, .. } => Some(delivery.to_string()),
        Command::Call { call } => Some(call.id.to_string()),
        _ => None,
    };
    transition.commands.iter().filter_map(id).collect()
}

#[test]
fn of_several_events_that_are_there_at_once_each_has_its_own_mail() {
    for second in ["2026-11-21T11:00:00Z", "2026-11-21T10:00:00Z"] {
        let cart = Cart::new(PARCELS)
            .order("2026-11-21T10:00:00Z", json!({"n": 1}))
            .order(second, json!({"n": 2}))
            .order("2026-11-21T11:30:00Z", json!({"n": 3}));
        let (mut moved, mut now) = (cart.begin("2026-11-21T12:00:00Z"), at("2026-11-21T12:00:00Z"));
        let (mut told, mut done) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..3 {
            assert_eq!(sends(&moved), ["a"], "{second}");
            told.insert(moved.run.journey.get("order").expect("an order").to_string());
            done.extend(deeds(&moved));
            now = moved.run.due_at().expect("it goes on");
            moved = if told.len() < 3 { cart.moved(&moved.run, &now.to_string()) } else { moved };
        }
        assert_eq!((told.len(), done.len()), (3, 6), "{second}: each its own mail and its own call");
        assert_eq!(now.to_string(), "2026-12-05T11:30:00Z", "then it waits for the next");
    }
}

#[test]
fn a_mail_says_what_was_heard_before_it_and_not_what_was_heard_behind_it() {
    let steps = "- {wait_for: {event: Order completed}, within: 1 day, as: last}\n- send: a\n- {wait_for: {event: Paid}, within: 1 day, as: last}\n- send: b\n";
    let mut cart = Cart::new(steps).order("2026-11-21T10:00:00Z", json!({"n": 1}));
    cart.past.push(happened("Paid", "2026-11-21T10:30:00Z", json!({"n": 2})));
    let first = cart.begin("2026-11-21T12:00:00Z");
    assert_eq!((sends(&first), first.run.journey.get("last")), (vec!["a"], Some(&json!({"n": 1}))));
    let second = cart.moved(&first.run, "2026-11-21T12:00:06Z");
    assert_eq!((sends(&second), second.run.journey.get("last")), (vec!["b"], Some(&json!({"n": 2}))));
}

#[test]
fn a_loop_that_has_caught_up_with_its_events_waits_as_long_as_it_says() {
    let quiet = "- {name: quiet, wait_for: {event: Order completed}, within: 4 hours, happened: quiet}\n- send: a\n";
    // As many events as one move hears: it cannot tell that there are no more.
    let orders = (0..=limits::STEPS_WITHOUT_WAIT).map(|n| at(START) + SignedDuration::from_secs(60 * (n as i64 + 1)));
    for count in [limits::STEPS_WITHOUT_WAIT - 1, limits::STEPS_WITHOUT_WAIT, limits::STEPS_WITHOUT_WAIT + 1] {
        let orders: Vec<Timestamp> = orders.clone().take(count).collect();
        let mut run = Cart::new(quiet).begin(START).run;
        let cart = orders.iter().fold(Cart::new(quiet), |cart, order| cart.order(&order.to_string(), json!({})));
        let last = *orders.last().expect("an order");
        let mut now = last + SignedDuration::from_secs(1);
        while let Advance::Moved(moved) = cart.look(&run, &now.to_string()) {
            assert!(sends(&moved).is_empty(), "{count} events, at {now}");
            (run, now) = (moved.run, now + SignedDuration::from_secs(6));
        }
        let ends = last + SignedDuration::from_hours(4);
        assert_eq!(
            (run.due_at(), sends(&cart.moved(&run, &ends.to_string()))),
            (Some(ends), vec!["a"]),
            "{count} events"
        );
    }
}

#[test]
fn rounds_that_are_over_since_the_event_came_late_are_made_up_for_once() {
    let monthly = "- {name: again, send: a}\n- wait: 30 days\n- filter: [{no_tag: enough}]\n  next: again\n";
    let begun = Cart::new(monthly).begin("2027-02-01T09:00:00Z");
    assert_eq!((sends(&begun), due(&begun)), (vec!["a"], "2027-02-19T09:00:00Z".to_owned()));
}

#[test]
fn a_date_that_was_heard_is_waited_for() {
    let steps = "- {wait_for: {event: Order completed}, within: 1 day, as: order}\n- wait: {date: journey.order.eta, before: 1 day, at: \"9:00\", else: none}\n- {send: a, next: over}\n- {name: none, send: b}\n- {name: over, exit: over}\n";
    let cart = Cart::new(steps).order("2026-11-21T10:00:00Z", json!({"eta": "2026-12-20"}));
    let mut run = cart.begin("2026-11-21T12:00:00Z").run;
    for (now, mails) in [("2026-12-18T06:00:00Z", vec![]), ("2026-12-19T09:00:00Z", vec!["a"])] {
        assert_eq!(run.due_at(), Some(at(now)));
        let moved = cart.moved(&run, now);
        assert_eq!(sends(&moved), mails, "{now}");
        run = moved.run;
    }
}

#[test]
fn a_payment_that_is_seen_late_still_ends_the_reminders() {
    let steps = "- name: again\n  wait_for: {event: Order completed}\n  within: 1 day\n  happened: over\n- {send: a, next: again}\n- {name: over, exit: over}\n";
    let cart = Cart::new(steps);
    let waits = cart.begin(START);
    let reminded = cart.moved(&waits.run, "2026-11-22T09:00:00Z");
    assert_eq!((sends(&reminded), due(&reminded)), (vec!["a"], "2026-11-23T09:00:00Z".to_owned()));
    // It was paid for within the first round, and nobody knew until the second.
    let cart = cart.order("2026-11-22T08:59:59Z", json!({}));
    let over = cart.moved(&reminded.run, "2026-11-22T09:00:02Z");
    assert!(matches!(over.run.state, RunState::Ended { .. }) && sends(&over).is_empty(), "{:?}", over.run.state);
}

#[test]
fn what_was_heard_is_asked_in_the_very_next_step() {
    let steps = "- wait_for: {event: Order completed}\n  within: 1 day\n  as: order\n- branch: [{when: [{property: journey.order.total, greater_than: 20}], to: big}]\n- {name: small, send: a, next: over}\n- {name: big, send: b}\n- {name: over, exit: over}\n";
    for (total, message) in [(10, "a"), (30, "b")] {
        let cart = Cart::new(steps).order("2026-11-21T10:00:00Z", json!({"total": total}));
        assert_eq!(sends(&cart.begin("2026-11-21T10:00:00Z")), [message]);
    }
}

#[test]
fn a_run_waits_until_a_condition_holds() {
    let steps = "- wait_until: [{tag: vip}]\n  within: 2 days\n  happened: vip\n- {name: plain, send: a, next: over}\n- {name: vip, send: b}\n- {name: over, exit: over}\n";
    let mut cart = Cart::new(steps);
    let waits = cart.begin(START);
    assert!(listens(&waits));
    assert!(matches!(cart.look(&waits.run, "2026-11-22T09:00:00Z"), Advance::NotDue { .. }));
    let plain = cart.moved(&waits.run, "2026-11-23T09:00:00Z");
    assert_eq!(sends(&plain), ["a"]);
    let tagged = call::Action::Tags { add: vec!["vip".to_owned()], remove: Vec::new() };
    cart.profile.apply(&call("2026-11-22T10:00:00Z", tagged));
    assert_eq!(sends(&cart.moved(&waits.run, "2026-11-22T10:00:00Z")), ["b"]);
    assert_eq!(sends(&cart.begin("2026-11-22T10:00:00Z")), ["b"], "who has it already does not wait");
}

#[test]
fn a_goal_is_recorded_and_ends_the_run_where_the_campaign_says_so() {
    let goal = "goal: {event: Order completed, match: {cart_id: event.cart_id}}";
    for (extra, mails) in [(goal.to_owned(), vec!["a"]), (format!("{goal}\nexits: {{goal: true}}"), vec![])] {
        let cart = Cart::new("- send: a\n").with(&extra);
        let waits = cart.begin(START);
        let cart = cart.order("2026-11-21T10:00:00Z", json!({"cart_id": 7}));
        let there = cart.moved(&waits.run, "2026-11-22T09:00:00Z");
        assert_eq!(sends(&there), mails, "{extra}");
        let reached = there.run.goal.as_ref().map(|reached| reached.at);
        assert_eq!(reached, Some(at("2026-11-21T10:00:00Z")));
        assert_eq!(matches!(there.run.state, RunState::Ended { reason: EndReason::Goal, .. }), mails.is_empty());
    }
}

#[test]
fn a_goal_that_is_a_name_alone_is_known_when_the_activity_has_long_forgotten_it() {
    let plain = "goal: {event: Order completed}\nexits: {goal: true}";
    let matched = "goal: {event: Order completed, match: {cart_id: event.cart_id}}\nexits: {goal: true}";
    for (goal, ends) in [(plain, true), (matched, false)] {
        let mut cart = Cart::new("- send: a\n").with(goal);
        let waits = cart.begin(START);
        let name = EventName::parse("Order completed").expect("a name");
        let call::Action::Track { email, properties, data, source, conversion, passive, .. } = track() else {
            panic!()
        };
        let order = call::Action::Track { name, email, properties, data, source, conversion, passive };
        cart.profile.apply(&call("2026-11-21T10:00:00Z", order));
        let there = cart.moved(&waits.run, "2026-11-22T09:00:00Z");
        assert_eq!(matches!(there.run.state, RunState::Ended { reason: EndReason::Goal, .. }), ends, "{goal}");
        assert_eq!(there.run.goal.map(|goal| goal.at), ends.then(|| at("2026-11-21T10:00:00Z")));
    }
}

#[test]
fn the_trigger_does_not_reach_a_goal_that_bears_its_name_and_the_next_one_does() {
    let mut cart = Cart::new("- send: a\n").with("goal: {event: Signed up}\nexits: {goal: true}");
    let waits = cart.begin(START);
    assert_eq!((waits.run.goal.as_ref(), due(&waits)), (None, "2026-11-22T09:00:00Z".to_owned()));
    cart.profile.apply(&call("2026-11-21T10:00:00Z", track()));
    let ended = cart.moved(&waits.run, "2026-11-22T09:00:00Z");
    assert_eq!((sends(&ended), reason(&ended)), (vec![], &EndReason::Goal));
}

#[test]
fn a_run_ends_when_its_condition_no_longer_holds_or_the_person_unsubscribed() {
    let mut cart = Cart::new("- send: a\n").with("exits: {unless: [{no_tag: bought}], unsubscribed: true}");
    let waits = cart.begin(START);
    let first = cart.moved(&waits.run, "2026-11-22T09:00:00Z");
    assert_eq!(sends(&first), ["a"]);
    cart.profile.apply(&call("2026-11-22T10:00:00Z", call::Action::Unsubscribe));
    let ended = cart.moved(&first.run, "2026-11-23T09:00:00Z");
    assert_eq!((sends(&ended), reason(&ended)), (vec![], &EndReason::Unsubscribed));
    cart.profile.apply(&call("2026-11-22T11:00:00Z", call::Action::Resubscribe));
    let bought = call::Action::Tags { add: vec!["bought".to_owned()], remove: Vec::new() };
    cart.profile.apply(&call("2026-11-22T12:00:00Z", bought));
    let ended = cart.moved(&first.run, "2026-11-23T09:00:00Z");
    assert!(matches!(reason(&ended), EndReason::NoLonger { .. }), "{ended:?}");
}

#[test]
fn an_event_that_comes_late_takes_its_lateness_off_the_waits() {
    let series = "- wait: 1 day\n- {send: a, expire_after: 6 hours}\n- wait: 3 days\n- send: b\n";
    let cart = Cart::new(series);
    let soon = cart.begin("2026-11-21T21:00:00Z");
    assert_eq!((sends(&soon), due(&soon)), (vec![], "2026-11-22T09:00:00Z".to_owned()));
    let late = cart.begin("2026-11-23T21:00:00Z");
    assert_eq!((sends(&late), due(&late)), (vec!["a"], "2026-11-25T09:00:00Z".to_owned()));
    let expires = late.commands.iter().find_map(|command| match command {
        Command::Send { expires_at, .. } => *expires_at,
        _ => None,
    });
    assert_eq!(expires, Some(at("2026-11-22T15:00:00Z")), "a day after the event, and six hours");
    let older = cart.begin("2026-12-21T09:00:00Z");
    assert_eq!((sends(&older), due(&older)), (vec!["a", "b"], "over".to_owned()));
}

#[test]
fn a_deleted_persons_run_forgets_what_it_heard() {
    let cart = Cart::new(CART.replacen("- {name: bought, send: b}", "- {name: bought, wait: 1 day}", 1).as_str())
        .order("2026-11-21T10:00:00Z", json!({"cart_id": 7}));
    let waits = cart.begin("2026-11-21T10:00:00Z");
    assert!(waits.run.journey.contains_key("order"));
    assert!(waits.run.erased(at("2026-11-22T09:00:00Z")).journey.is_empty());
}

#[test]
fn a_loop_ends_after_ten_thousand_moves() {
    let cart = Cart::new("- name: again\n  wait: 1 day\n- filter: [{no_tag: done}]\n  next: again\n");
    let mut run = cart.begin(START).run;
    run.moves = limits::MOVES;
    let ended = cart.moved(&run, "2026-11-22T09:00:00Z");
    assert!(matches!(reason(&ended), EndReason::Looping { .. }), "{ended:?}");
}
