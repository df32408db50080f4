use dunlin_core::call::Action;
use dunlin_local::folder;

use super::*;
use crate::project::tests::Scratch;

fn asked(file: &str, profile: &str) -> Walk {
    Walk {
        file: format!("{}/../../examples/{file}", env!("CARGO_MANIFEST_DIR")).into(),
        profile: profile.to_owned(),
        event: "{}".to_owned(),
        then: Vec::new(),
        answer: Vec::new(),
        name: None,
        at: Some("2026-11-21T09:00:00Z".parse().expect("an instant")),
        timezone: "Europe/Berlin".to_owned(),
        project: "prj_demo".to_owned(),
    }
}

fn played(asked: &Walk) -> anyhow::Result<DryRun> {
    let (campaign, _) = folder::one(&asked.file).expect("a folder");
    play(asked, campaign.expect("a campaign"))
}

fn told(asked: &Walk) -> Vec<String> {
    tell(&played(asked).expect("a walk"))
}

#[test]
fn a_walk_shows_each_step_in_local_time_and_in_utc() {
    let lines = told(&asked("renewal.yaml", r#"{"plan": "pro", "renewal_at": "2026-12-24", "unsubscribed": true}"#));
    assert_eq!(
        lines,
        [
            "Sat 2026-11-21 10:00:00 Europe/Berlin  2026-11-21T09:00:00Z  wait-1           waits: until 14 days before user.renewal_at at 10:00, that is 2026-12-10T09:00:00Z",
            "Thu 2026-12-10 10:00:00 Europe/Berlin  2026-12-10T09:00:00Z  two-weeks        sends `two-weeks`",
            "Thu 2026-12-10 10:00:00 Europe/Berlin  2026-12-10T09:00:00Z  wait-3           waits: until 1 day before user.renewal_at at 10:00, that is 2026-12-23T09:00:00Z",
            "Wed 2026-12-23 10:00:00 Europe/Berlin  2026-12-23T09:00:00Z  filter-4         holds",
            "Wed 2026-12-23 10:00:00 Europe/Berlin  2026-12-23T09:00:00Z  tomorrow         sends `tomorrow`",
            "Wed 2026-12-23 10:00:00 Europe/Berlin  2026-12-23T09:00:00Z  over             ends: told twice",
            "ends: at `over`, told twice",
        ]
    );
}

#[test]
fn a_walk_says_why_a_mail_would_not_leave_and_what_was_not_understood() {
    let lines =
        told(&asked("trial.yaml", r#"{"plan": "trial", "unsubscribed": true, "ianaTimezone": "Mars/Olympus"}"#));
    assert_eq!(lines.first().map(String::as_str), Some("zone user.ianaTimezone: unknown_zone"));
    assert!(
        lines.iter().any(|line| line.ends_with("sends `a-week-in`, but it does not leave: unsubscribed")),
        "{lines:#?}"
    );
    assert_eq!(lines.last().map(String::as_str), Some("ends: at `no-date`, nobody knows when the trial ends"));
}

#[test]
fn what_is_no_profile_is_refused_in_words() {
    for (profile, expected) in [
        ("[]", "--profile is no object"),
        ("{", "--profile is not JSON"),
        ("@/no/such/file", "cannot read /no/such/file of --profile"),
        (r#"{"id": 5}"#, "`id` of --profile is not a text"),
        (r#"{"unsubscribed": "yes"}"#, "`unsubscribed` of --profile is neither true nor false"),
        (r#"{"tags": "vip"}"#, "`tags` of --profile is not a list of texts"),
    ] {
        let error = played(&asked("trial.yaml", profile)).expect_err(profile);
        assert!(format!("{error:#}").contains(expected), "{profile}: {error:#}");
    }
}

#[test]
fn a_birthday_is_waited_for_and_who_has_none_does_not_enter() {
    let lines = told(&asked("birthday.yaml", r#"{"birthday": "1990-04-30"}"#));
    assert_eq!(
        lines,
        [
            "Sat 2026-11-21 10:00:00 Europe/Berlin  2026-11-21T09:00:00Z  (trigger)        waits: until user.birthday at 9:00, each year, that is 2027-04-30T07:00:00Z",
            "Fri 2027-04-30 09:00:00 Europe/Berlin  2027-04-30T07:00:00Z  (trigger)        the date is there",
            "Fri 2027-04-30 09:00:00 Europe/Berlin  2027-04-30T07:00:00Z  (trigger)        enters if the rule lets them in: again after 300 days; earlier entries are not known here",
            "Fri 2027-04-30 09:00:00 Europe/Berlin  2027-04-30T07:00:00Z  message          sends `message`, by 2027-04-30T19:00:00Z or not at all",
            "ends: after the last step",
        ]
    );
    assert_eq!(told(&asked("birthday.yaml", "{}")), ["does not enter: user.birthday is not a date: missing"]);
    let no_month = told(&asked("birthday.yaml", r#"{"birthday": "1992-13-29"}"#));
    assert_eq!(no_month, ["does not enter: user.birthday is not a date: unreadable"]);
}

#[test]
fn a_cart_that_is_ordered_after_the_reminder_is_thanked_for() {
    let cart = asked("abandoned-cart.yaml", "{}");
    assert_eq!(told(&cart), ["does not enter: event.cart_id has no value to tell it by"]);
    let then = r#"{"after": "6 hours", "event": "Order completed", "data": {"cart_id": 7, "total": 30}}"#;
    let ordered = Walk { event: r#"{"cart_id": 7}"#.to_owned(), then: vec![then.to_owned()], ..cart };
    let lines = told(&ordered);
    assert!(lines.iter().any(|line| line.ends_with("(later)          `Order completed` happens")), "{lines:#?}");
    let by = "sends `forgotten`, by 2026-11-22T01:00:00Z or not at all";
    assert!(lines.iter().any(|line| line.ends_with(by)), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.ends_with("(goal)           was reached at 2026-11-21T15:00:00Z")),
        "{lines:#?}"
    );
    assert_eq!(lines.last().map(String::as_str), Some("ends: at `over`, the cart is settled"));
    assert!(
        lines.iter().any(|line| line.ends_with("sends `thanks`"))
            && !lines.iter().any(|line| line.ends_with("sends `last-chance`"))
    );
}

#[test]
fn an_order_of_another_cart_is_told_not_to_be_the_one() {
    let then = r#"{"after": "1 hour", "event": "Order completed", "data": {"cart_id": 8, "total": 30}}"#;
    let other = Walk {
        event: r#"{"cart_id": 7}"#.to_owned(),
        then: vec![then.to_owned()],
        ..asked("abandoned-cart.yaml", "{}")
    };
    let lines = told(&other);
    let why = "`Order completed` at 2026-11-21T10:00:00Z is not the one: its `cart_id` is 8, and `event.cart_id` is 7";
    assert!(lines.iter().any(|line| line.ends_with(&format!("soon             {why}"))), "{lines:#?}");
}

#[test]
fn what_does_not_fit_the_campaign_or_its_option_is_refused_in_words() {
    let cart = || asked("abandoned-cart.yaml", "{}");
    let then = |text: &str| Walk { then: vec![text.to_owned()], ..cart() };
    let answer = |text: &str| Walk { answer: vec![text.to_owned()], ..cart() };
    let birthday = || asked("birthday.yaml", "{}");
    for (asked, expected) in [
        (then(r#"{"event": "Order completed"}"#), "missing field `after`"),
        (then(r#"{"after": "3", "event": "Order completed"}"#), "`3` has no unit"),
        (then(r#"{"after": "1 hour", "data": {"a": 1}}"#), "--then has `data` and no `event`"),
        (then(r#"{"after": "1 hour"}"#), "--then says nothing that happens"),
        (then(r#"{"after": "1 hour", "evnt": "a"}"#), "unknown field `evnt`"),
        (answer(r#"{"status": 200, "error": "timeout"}"#), "--answer has a `status`"),
        (answer(r#"{"error": "tired"}"#), "`error` of --answer is none of bad_request"),
        (
            Walk { name: Some("Bought".to_owned()), ..birthday() },
            "--name: no event starts this campaign, but until user.birthday",
        ),
        (Walk { event: r#"{"a": 1}"#.to_owned(), ..birthday() }, "--event: no event starts this campaign"),
    ] {
        let error = format!("{:#}", played(&asked).expect_err(expected));
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn an_update_and_an_answer_are_read_as_a_step_and_a_server_write_them() {
    let text = r#"{"after": "1 day", "update": {"set": {"plan": "pro"}, "unset": ["old"], "add_tags": ["vip"]}, "unsubscribed": true}"#;
    let changes = serde_json::json!({"plan": "pro", "old": null}).as_object().cloned().expect("an object");
    let tags = Action::Tags { add: vec!["vip".to_owned()], remove: Vec::new() };
    assert_eq!(then(text).expect("read").actions, [Action::Edit { changes }, tags, Action::Unsubscribe]);
    let good = answer(r#"{"status": 200, "body": {"ok": true}}"#).expect("read");
    assert_eq!((good.is_good(), good.body), (true, Some(serde_json::json!({"ok": true}))));
    let bad = answer(r#"{"status": 503}"#).expect("read");
    assert_eq!((bad.status, bad.error.as_deref()), (Some(503), Some("status")));
    assert_eq!(answer(r#"{"error": "timeout"}"#).expect("read").error.as_deref(), Some("timeout"));
}

#[test]
fn a_file_that_check_refuses_is_walked_after_its_problems_and_is_not_well() {
    let scratch = Scratch::new("walk");
    let written = |send: &str, text: &str| {
        let file = scratch.path().join(format!("{send}.yaml"));
        let text = format!(
            "name: Hello\nkind: workflow\ntrigger: {{event: Signed up}}\nfrom: a@example.com\nsteps:\n  - send: {send}\nmessages:\n  hello: {{subject: Hi, text: '{text}'}}\n"
        );
        std::fs::write(&file, text).expect("written");
        Walk { file, ..asked("trial.yaml", "{}") }
    };
    let (good, bad) = (written("hello", "{{ url.unsubscribe }}"), written("helo", "{{ url.unsubscribe }}"));
    assert_eq!(walk(&good).expect("walked"), Outcome::Well);
    assert_eq!(walk(&bad).expect("walked"), Outcome::Unwell);
    let told = |asked: &Walk| refused(&folder::one(&asked.file).expect("a folder").1);
    assert!(told(&good).is_empty() && told(&written("hello", "no link")).is_empty(), "a warning refuses nothing");
    assert_eq!(
        told(&bad),
        [
            "error: helo.yaml:6: steps[0].send: there is no message `helo`; did you mean `hello`?",
            "warning: helo.yaml:8: messages.hello: no step sends the message `hello`; add a step `send: hello`, or remove it",
            "`dunlin check` refuses this file, so nothing of it runs; if it ran, it would do this:",
        ]
    );
}
