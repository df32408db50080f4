//! What steps do and write is looked at as closely as the mails are.

use super::*;

/// What is said of a workflow with these steps.
fn said(steps: &str) -> Vec<String> {
    problems(&format!("name: T\nkind: workflow\ntrigger: {{event: E}}\nmessages: {{}}\nsteps:\n{steps}\n"))
}

#[test]
fn liquid_in_what_a_step_writes_and_sends_is_checked_like_that_of_a_mail() {
    let table = [
        (
            "- update: {set: {a: '{{ event.x | falback: 1 }}'}}",
            "error: x.yaml: steps[0].update.set.a line 1, column 14: unknown filter `falback`; did you mean `fallback`?",
        ),
        (
            "- update: {set: {a: {b: [1, '{{ event.x']}}}",
            "error: x.yaml: steps[0].update.set.a.b[1] line 1, column 1: `{{` is never closed; add `}}`",
        ),
        (
            "- {track: X, data: {a: '{% fi %}'}}",
            "error: x.yaml: steps[0].data.a line 1, column 1: unknown tag `fi`; did you mean `if`?",
        ),
        (
            "- {start: cmp_y, data: {a: '{{ event.x | falback }}'}}",
            "error: x.yaml: steps[0].data.a line 1, column 14: unknown filter `falback`; did you mean `fallback`?",
        ),
        (
            "- webhook: {url: 'https://example.com/{{ event.a | upcse }}'}",
            "error: x.yaml: steps[0].webhook.url line 1, column 34: unknown filter `upcse`; did you mean `upcase`?",
        ),
        (
            "- webhook: {url: 'https://example.com/', headers: {x-a: '{{ event.items.0 }}'}}",
            "error: x.yaml: steps[0].webhook.headers.x-a line 1, column 16: expected a name",
        ),
        (
            "- webhook: {url: 'https://example.com/', body: {a: ['{{ }']}}",
            "error: x.yaml: steps[0].webhook.body.a[0] line 1, column 1: `{{` is never closed",
        ),
        (
            "- update: {set: {a: '{% render ''footer'' %}'}}",
            "error: x.yaml: steps[0].update.set.a: the partial `footer` is rendered in mails only; write its text here",
        ),
        (
            "- update: {set: {a: '{{ foo }}'}}",
            "warning: x.yaml: steps[0].update.set.a: `foo` is always empty; did you mean `user.foo` or `event.foo`? There are `user`, `event`, `journey`",
        ),
        (
            "- {track: X, data: {a: '{{ campaign.name }}'}}",
            "warning: x.yaml: steps[0].data.a: `campaign` is always empty; did you mean `user.campaign` or `event.campaign`? There are `user`, `event`, `journey`",
        ),
    ];
    for (step, expected) in table {
        let found = said(step);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{step}: {found:#?}");
    }
    let fine = "- update: {set: {a: '{{ event.items.0.sku }}', b: '{{ user.n | plus: 1 }} of {{ event.größe }}', c: '100 %', d: 5}}";
    assert_eq!(said(fine), [""; 0]);
}

#[test]
fn what_no_step_has_heard_is_asked_in_vain_and_told() {
    let crm = "- webhook: {url: 'https://example.com/'}\n  as: crm\n";
    let never = |name: &str| format!("no step has `as: {name}`, so that `journey.{name}.x` is never there");
    let table = [
        ("- filter: [{property: journey.crmm.x, equals: 1}]", "error", "steps[1].filter[0]", never("crmm")),
        (
            "- branch: [{when: [{not: {property: journey.crmm.x, equals: 1}}], to: webhook-1}]",
            "error",
            "steps[1].branch[0].when[0].not",
            never("crmm"),
        ),
        (
            "- wait_for: {event: b, match: {cart_id: journey.crmm.x}}\n  within: 1 day",
            "error",
            "steps[1].wait_for.match.cart_id",
            never("crmm"),
        ),
        (
            "- {track: X, data: {a: '{{ journey.crmm.x }}'}}",
            "warning",
            "steps[1].data.a",
            "`journey.crmm` is always empty: no step has `as: crmm`".to_owned(),
        ),
        (
            "- {track: X, data: {a: '{{ journey.crmm.x | upcase }}'}}",
            "warning",
            "steps[1].data.a",
            "`journey.crmm` is always empty: no step has `as: crmm`".to_owned(),
        ),
    ];
    for (step, severity, path, what) in table {
        let expected = format!("{severity}: x.yaml: {path}: {what}; did you mean `crm`?");
        let found = said(&format!("{crm}{step}\n"));
        assert!(found.contains(&expected), "{step}: {found:#?}");
        let right = said(&format!("{crm}{}\n", step.replace("crmm", "crm")));
        assert!(!right.iter().any(|problem| problem.contains("journey")), "{step}: {right:#?}");
    }
    assert_eq!(
        spoilt("{{ user.name }}", "{{ journey.order.total }}"),
        [
            "warning: x.yaml: messages.hello.text: `journey.order` is always empty: no step has `as: order`; add `as: order` to the step that hears it"
        ]
    );
}

#[test]
fn a_match_names_the_awaited_events_properties_without_event() {
    let found = said("- wait_for: {event: b, match: {event.cart_id: event.cart_id}}\n  within: 1 day");
    assert_eq!(
        found,
        [
            "error: x.yaml: steps[0].wait_for.match.event.cart_id: on the left are properties of the awaited event, without `event.`; write `cart_id: event.cart_id`"
        ]
    );
    assert_eq!(said("- wait_for: {event: b, match: {event_id: event.id}}\n  within: 1 day"), [""; 0]);
}

#[test]
fn a_tag_is_taken_as_it_is() {
    let liquid = "a tag is taken as it is: Liquid in it is not made; write the tag out, one step for each behind a `branch`, or `set` a property";
    assert_eq!(
        said("- update: {add_tags: [a, 'plan-{{ event.plan }}', ' '], remove_tags: ['{% if a %}']}"),
        [
            format!("error: x.yaml: steps[0].update.add_tags[1]: {liquid}"),
            "error: x.yaml: steps[0].update.add_tags[2]: the tag is empty; name a tag".to_owned(),
            format!("error: x.yaml: steps[0].update.remove_tags[0]: {liquid}"),
        ]
    );
}

#[test]
fn a_get_has_no_body_that_anyone_reads() {
    let found = said("- webhook: {url: 'https://example.com/', method: get, body: {a: 1}}");
    assert_eq!(
        found,
        [
            "warning: x.yaml: steps[0].webhook.body: most servers refuse or overlook the body of a `get`; put it into the URL, or write `method: post`"
        ]
    );
    assert_eq!(said("- webhook: {url: 'https://example.com/?a=1', method: get}"), [""; 0]);
}
