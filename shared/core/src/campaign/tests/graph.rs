//! Steps that lead nowhere, round for ever, or by a choice that is none, are refused.

use super::*;

#[test]
fn what_is_referred_to_must_be_there() {
    let table = [
        (
            "send: hello",
            "send: helo",
            "error: x.yaml: steps[0].send: there is no message `helo`; did you mean `hello`?",
        ),
        (
            "wait: 3 days",
            "{wait: 3 days, next: hullo}",
            "error: x.yaml: steps[1].next: there is no step `hullo`; did you mean `hello`?",
        ),
        (
            "wait: 3 days",
            "{filter: [{tag: a}], else: nowhere}",
            "error: x.yaml: steps[1].else: there is no step `nowhere`; the steps are `hello`, `filter-2`",
        ),
        (
            "{{ user.name }}",
            "{% render ''foot'' %}",
            "error: x.yaml: messages.hello.text: there is no partial `foot`; add the file `partials/foot.liquid`",
        ),
        (
            "from: Ann <ann@example.com>\n",
            "",
            "warning: x.yaml: messages.hello: the project's sender is used, if it names one; add `from: Name <name@example.com>` to the message or to the campaign, unless the project names one",
        ),
        (
            "Ann <ann@example.com>",
            "Ann",
            "error: x.yaml: from: `Ann` is not `name <address>` or a valid address; write `name@example.com` or `Name <name@example.com>`",
        ),
        (
            ", text: 'Hi {{ user.name }} {{ url.unsubscribe }}'",
            "",
            "error: x.yaml: messages.hello: the message has no body; add `html:` or `text:`",
        ),
        (
            "subject: Hello",
            "subject: ' '",
            "error: x.yaml: messages.hello.subject: the subject is empty or has more than one line; write one line",
        ),
        (
            "wait: 3 days",
            "{name: b, wait: 3 days}\n  - {name: b, send: hello}",
            "error: x.yaml: steps[2].name: another step is called `b`, too; give each step a name of its own",
        ),
        (
            "wait: 3 days",
            "{name: '', wait: 3 days}",
            "error: x.yaml: steps[1].name: the name is empty, longer than 254 bytes, or has a control character; write a short name like `welcome-2`",
        ),
        (
            "wait: 3 days",
            "{exit: done, next: hello}",
            "error: x.yaml: steps[1].next: nothing comes after an `exit`; remove `next`",
        ),
    ];
    for (from, to, expected) in table {
        let found = spoilt(from, to);
        assert!(found.iter().any(|problem| problem == expected), "{to}: {found:#?}");
    }
}

#[test]
fn a_step_that_nobody_knows_is_named() {
    let found = spoilt("- send: hello", "- frobnicate: hello");
    let named = "error: x.yaml: steps[0].frobnicate: unknown key `frobnicate`; write one of `wait`, `wait_for`";
    assert!(found.iter().any(|problem| problem.starts_with(named)), "{found:#?}");
}

#[test]
fn a_campaign_that_loops_for_ever_is_refused_with_the_loop() {
    let table = [
        (
            "- {name: a, send: hello, next: a}",
            "steps[0]: loops for ever without waiting: a → a; put a `wait` into the loop, or lead it on",
        ),
        (
            "- {name: a, send: hello}\n  - {name: b, filter: [{tag: x}], next: a}",
            "steps[1]: loops for ever without waiting: a → b → a; put a `wait` into the loop, or lead it on",
        ),
        (
            "- {name: a, filter: [{tag: x}], else: c}\n  - {name: b, send: hello}\n  - {name: c, send: hello, next: a}",
            "steps[2]: loops for ever without waiting: a → b → c → a; put a `wait` into the loop, or lead it on",
        ),
        (
            "- {name: a, send: hello}\n  - {name: b, wait: 7 days, next: a}",
            "steps[0]: loops for ever: no run leaves a, b; put a `filter` into the loop that ends it",
        ),
    ];
    for (steps, expected) in table {
        let found = spoilt("- send: hello\n  - wait: 3 days", steps);
        assert!(found.contains(&format!("error: x.yaml: {expected}")), "{steps}: {found:#?}");
    }
    let month = "- {name: a, send: hello}\n  - {name: b, wait: 30 days, next: a}\nexits: {unless: [{no_tag: enough}]}";
    let found = spoilt("- send: hello\n  - wait: 3 days", month);
    assert!(
        !found.iter().any(|problem| problem.contains("loops for ever")),
        "what ends it early leaves it: {found:#?}"
    );
    let tuesdays = "- {name: a, wait: {until: '9:00', on: [tuesday]}}\n  - {name: b, send: hello}\n  - {filter: [{no_tag: x}], next: a}";
    let found = spoilt("- send: hello\n  - wait: 3 days", tuesdays);
    assert!(found.iter().any(|problem| problem.contains("its wait may be over at once")), "{found:#?}");
    let until = "- {name: a, wait_until: [{tag: x}], within: 1 day, happened: b, timed_out: end}\n  - {name: b, send: hello, next: a}\n  - {name: end, exit: over}";
    let found = spoilt("- send: hello\n  - wait: 3 days", until);
    assert!(found.iter().any(|problem| problem.contains("loops for ever without waiting: a → b → a")), "{found:#?}");
    let reminders = [
        // Until it is paid, every three days; four hours after the cart was last filled; until they have the tag, every week.
        "- {name: a, wait_for: {event: Paid}, within: 3 days, happened: end}\n  - {name: b, send: hello, next: a}\n  - {name: end, exit: over}",
        "- {name: a, wait_for: {event: Filled}, within: 4 hours, happened: a}\n  - {name: b, send: hello}",
        "- {name: a, wait_until: [{tag: x}], within: 7 days, happened: end}\n  - {name: b, send: hello, next: a}\n  - {name: end, exit: over}",
    ];
    for loops in reminders {
        assert_eq!(spoilt("- send: hello\n  - wait: 3 days", loops), [""; 0], "{loops}");
    }
    let weekly = "- {name: a, send: hello}\n  - wait: 7 days\n  - {filter: [{no_tag: x}], next: a}";
    assert_eq!(spoilt("- send: hello\n  - wait: 3 days", weekly), [""; 0]);
}

#[test]
fn a_choice_that_is_none_or_does_not_add_up_is_refused() {
    let table = [
        (
            "{branch: []}",
            "steps[1].branch: the branch has no arms; add one like `{when: [{tag: vip}], to: STEP}`, or remove the step",
        ),
        (
            "{branch: [{when: [], to: end}]}",
            "steps[1].branch[0].when: the arm has no conditions; add one, or lead there by `else`",
        ),
        ("{split: []}", "steps[1].split: the shares add up to 0 percent; make them 100"),
        (
            "{split: [{percent: 33.33, to: end}, {percent: 66.66, to: end}]}",
            "steps[1].split: the shares add up to 99.99 percent; make them 100",
        ),
        (
            "{split: [{percent: 100, to: end}], next: end}",
            "steps[1].next: nothing comes after a `split`; remove `next`",
        ),
        (
            "{split: [{percent: 100, to: hullo}]}",
            "steps[1].split[0].to: there is no step `hullo`; did you mean `hello`?",
        ),
        (
            "{branch: [{when: [{tag: a}], to: nowhere}]}",
            "steps[1].branch[0].to: there is no step `nowhere`; the steps are `hello`, `branch-2`, `end`",
        ),
        (
            "hold_out: 101",
            "steps[1].hold_out: 101 is not a part of a hundred; write a number from 0.01 to 100 with two decimals at most",
        ),
        ("hold_out: ten", "steps[1].hold_out: is a text, not a number; write a number"),
        ("split: [{percent: 50}]", "steps[1].split[0]: `to` is missing; add `to:`"),
        ("branch: [{to: hello}]", "steps[1].branch[0]: `when` is missing; add `when:`"),
    ];
    for (step, expected) in table {
        let found = spoilt("wait: 3 days\n", &format!("{step}\n  - {{name: end, exit: over}}\n"));
        assert!(found.contains(&format!("error: x.yaml: {expected}")), "{step}: {found:#?}");
    }
    let fine = "{split: [{percent: 33.33, to: end}, {percent: 66.67, to: end}]}\n  - {name: end, exit: over}\n";
    assert_eq!(spoilt("wait: 3 days\n", fine), [""; 0]);
}

/// A workflow whose choice is followed by arms as they are written, behind which ways may meet.
fn with_arms(choice: &str, arms: &str) -> Vec<String> {
    spoilt(
        "- send: hello\n  - wait: 3 days",
        &format!("- {{name: choice, {choice}}}\n  {arms}\n  - {{name: over, exit: over}}"),
    )
}

#[test]
fn an_arm_that_runs_into_another_one_is_a_warning_that_names_both() {
    let halves = "split: [{percent: 50, to: a}, {percent: 50, to: b}]";
    let tiers = "branch: [{when: [{tag: x}], to: a}, {when: [{tag: y}], to: b}], else: over";
    let mend = "add `next:` with the step where the arms meet, like a last step `{name: over, exit: done}`, or `next: b` if that is meant";
    let table = [
        (halves, "- {name: a, send: hello}\n  - {name: b, send: hello}", 1, "a"),
        (tiers, "- {name: a, send: hello}\n  - {name: b, send: hello}", 1, "a"),
        (halves, "- {name: a, wait: 1 day}\n  - {name: again, send: hello}\n  - {name: b, send: hello}", 2, "again"),
        (halves, "- {name: a, filter: [{tag: z}], else: over}\n  - {name: b, send: hello}", 1, "a"),
        (
            halves,
            "- {name: a, wait_for: {event: X}, within: 1 day, happened: over}\n  - {name: b, send: hello}",
            1,
            "a",
        ),
        (
            halves,
            "- {name: a, webhook: {url: 'https://example.com/'}, failed: over}\n  - {name: b, send: hello}",
            1,
            "a",
        ),
    ];
    for (choice, arms, step, from) in table {
        let what = format!("warning: x.yaml: steps[{step}]: after `{from}` comes `b`, another arm of `choice`; {mend}");
        assert_eq!(with_arms(choice, arms), [what], "{choice}: {arms}");
    }
    let thirds = "split: [{percent: 30, to: a}, {percent: 30, to: b}, {percent: 40, to: c}]";
    let found = with_arms(thirds, "- {name: a, send: hello}\n  - {name: b, send: hello}\n  - {name: c, send: hello}");
    assert_eq!(found.len(), 2, "one for each arm that runs on: {found:#?}");
}

#[test]
fn arms_that_meet_and_steps_that_are_skipped_are_no_mistake() {
    let halves = "split: [{percent: 50, to: a}, {percent: 50, to: b}]";
    let one = |otherwise: &str| format!("branch: [{{when: [{{tag: x}}], to: a}}]{otherwise}");
    let sends = "- {name: a, send: hello}\n  - {name: b, send: hello}";
    let table = [
        // It is said, or there is nothing to run into.
        (halves.to_owned(), "- {name: a, send: hello, next: b}\n  - {name: b, send: hello}"),
        (halves.to_owned(), "- {name: a, exit: a}\n  - {name: b, send: hello}"),
        (
            halves.to_owned(),
            "- {name: a, wait_for: {event: X}, within: 1 day, happened: b, timed_out: b}\n  - {name: b, send: hello}",
        ),
        (
            halves.to_owned(),
            "- {name: a, send: hello, next: c}\n  - {name: b, send: hello}\n  - {name: c, send: hello}",
        ),
        (
            halves.to_owned(),
            "- {name: b, wait: 1 day, next: over}\n  - {name: a, send: hello}\n  - {name: again, send: hello}",
        ),
        ("split: [{percent: 50, to: a}, {percent: 50, to: a}]".to_owned(), "- {name: a, send: hello}"),
        // An arm that does nothing is where the other one ends, too.
        ("split: [{percent: 50, to: a}, {percent: 50, to: over}]".to_owned(), "- {name: a, send: hello}"),
        // One step more for some: what the others take, is named by `else`, or comes right below.
        (one(", else: b"), sends),
        (one(", else: a"), "- {name: a, send: hello}"),
        (one(""), "- {name: b, send: hello}\n  - {name: a, send: hello}"),
        ("branch: [{when: [{tag: x}], to: a}, {when: [{tag: y}], to: b}], else: b".to_owned(), sends),
        // An arm that goes back comes to the choice again, behind which another one may stand.
        (
            "filter: [{tag: z}]".to_owned(),
            "- {name: a, wait: 1 day}\n  - {name: again, branch: [{when: [{tag: x}], to: a}, {when: [{tag: y}], to: b}]}\n  - {name: b, send: hello}",
        ),
        // A choice within an arm says itself where its ways lead.
        (
            halves.to_owned(),
            "- {name: a, split: [{percent: 100, to: c}]}\n  - {name: b, send: hello}\n  - {name: c, send: hello}",
        ),
    ];
    for (choice, arms) in table {
        assert_eq!(with_arms(&choice, arms), [""; 0], "{choice}: {arms}");
    }
}

#[test]
fn holding_out_everybody_is_a_warning() {
    let found = spoilt("- send: hello", "- hold_out: 100\n  - send: hello");
    let expected =
        "warning: x.yaml: steps[0].hold_out: nobody goes on from here; write a smaller number, or `exit` instead";
    assert_eq!(found, [expected]);
    assert_eq!(spoilt("- send: hello", "- hold_out: 99.99\n  - send: hello"), [""; 0]);
}

#[test]
fn too_many_steps_are_refused() {
    let many = "  - send: hello\n".repeat(crate::limits::STEPS + 1);
    let found = spoilt("  - send: hello\n", &many);
    assert!(found[0].contains("there are 202 steps, more than 200; split the workflow in two"), "{found:?}");
}

#[test]
fn a_webhook_to_nowhere_and_a_step_that_does_nothing_are_refused() {
    let table = [
        ("- webhook: {url: 'http://127.0.0.1/'}", "steps[0].webhook.url"),
        ("- webhook: {url: 'https://intranet.internal/x'}", "steps[0].webhook.url"),
        ("- webhook: {url: 'https://{{ user.host }}/x'}", "steps[0].webhook.url: the server is made by Liquid"),
        ("- webhook: {url: 'ftp://example.com/'}", "steps[0].webhook.url"),
        ("- webhook: {url: 'https://example.com/', headers: {host: x}}", "steps[0].webhook.headers.host"),
        ("- update: {}", "steps[0].update: nothing is changed"),
        ("- webhook: {url: 'https://example.com/'}\n  as: a-b", "steps[0].as: the name has other characters"),
        (
            "- wait_for: {event: X, match: {a: user.b}}\n  within: 1 day",
            "steps[0].wait_for.match.a: `user.b` may change",
        ),
        ("- wait_for: {event: X}\n  within: 1 day\n  timed_out: nowhere", "steps[0].timed_out: there is no step"),
        ("- wait_until: []\n  within: 1 day", "steps[0].wait_until: there are no conditions"),
    ];
    for (step, expected) in table {
        let text = format!("name: T\nkind: workflow\ntrigger: {{event: E}}\nmessages: {{}}\nsteps:\n{step}\n");
        let found = problems(&text);
        assert!(
            found.iter().any(|problem| problem.contains("error: x.yaml:") && problem.contains(expected)),
            "{step}: {found:#?}"
        );
    }
    let good = "name: T\nkind: workflow\ntrigger: {event: E}\nmessages: {}\nsteps:\n- webhook: {url: 'https://example.com/{{ user.id }}', headers: {x-key: '{{ event.key }}'}}\n";
    assert_eq!(problems(good), [""; 0]);
    let query = good.replace("example.com/{{ user.id }}", "example.com?u={{ user.id }}");
    assert_eq!(problems(&query), [""; 0], "what stands in the query chooses no server");
}

#[test]
fn a_trigger_that_starts_nothing_is_refused() {
    for (trigger, expected) in [
        ("{enters: []}", "trigger.enters: there are no conditions"),
        ("{api: false}", "trigger.api: `false` starts nothing"),
        ("{date: event.x}", "trigger.date: `event.x` is no property of a person"),
        ("{date: user.x, else: y}", "trigger.else: who has no date does not enter"),
        ("{date: user.x, before: 1 day, after: 1 day}", "trigger.after: has both `before` and `after`"),
        ("{}", "trigger: does not say what it is"),
        ("{event: X, enters: [{tag: a}]}", "trigger: has both `enters` and `event`"),
    ] {
        let text = format!("name: T\nkind: workflow\ntrigger: {trigger}\nmessages: {{}}\nsteps:\n- exit: x\n");
        let found = problems(&text);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{trigger}: {found:#?}");
    }
}
