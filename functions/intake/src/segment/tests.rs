//! What each item of the Segment API means, and which are rejected.

use dunlin_core::call::Action;
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::asked::Sameness;

const NOW: Timestamp = Timestamp::constant(1_772_366_400, 0);

fn take(path: &str, body: Value) -> (Vec<Asked>, String) {
    let endpoint = Endpoint::find(path).expect("an endpoint");
    let mut rejects = Rejects::default();
    let asked = read(endpoint, body.as_object().cloned().expect("an object"), NOW, &mut rejects);
    (asked.expect("a good request"), rejects.summary())
}

fn shown(asked: &Asked) -> Value {
    let mut shown = serde_json::to_value(&asked.action).expect("an action");
    shown["user"] = json!(asked.user);
    shown
}

#[test]
fn each_kind_means_its_call() {
    let cases = [
        (
            "identify",
            json!({"userId": 7, "traits": {"email": "a@b.co", "plan": "pro"}}),
            json!({"kind": "identify", "user": "7", "email": "a@b.co", "properties": {"plan": "pro"}}),
        ),
        ("i", json!({"anonymousId": "x", "traits": null}), json!({"kind": "identify", "user": "x"})),
        (
            "track",
            json!({"userId": "7", "event": "Paid", "properties": {"sum": 1}, "context": {"traits": {"email": "a@b.co"}}}),
            json!({"kind": "track", "user": "7", "name": "Paid", "email": "a@b.co", "data": {"sum": 1}}),
        ),
        ("track", json!({"userId": "7", "event": "Email Unsubscribed"}), json!({"kind": "unsubscribe", "user": "7"})),
        (
            "page",
            json!({"userId": "7", "name": "Home", "properties": {"title": "T"}, "context": {"page": {"url": "https://x.co/"}}}),
            json!({"kind": "track", "user": "7", "name": "Viewed page", "data": {"name": "Home", "title": "T", "url": "https://x.co/"}}),
        ),
        (
            "screen",
            json!({"userId": "7", "name": "Main", "properties": {"name": "own"}}),
            json!({"kind": "track", "user": "7", "name": "Viewed screen", "data": {"name": "own"}}),
        ),
        (
            "group",
            json!({"userId": "7", "groupId": "g", "traits": {"name": "ACME"}}),
            json!({"kind": "edit", "user": "7", "changes": {"group": {"name": "ACME"}}}),
        ),
        (
            "alias",
            json!({"previousId": "old", "userId": "new"}),
            json!({"kind": "reidentify", "user": "old", "new_id": "new"}),
        ),
    ];
    for (path, body, want) in cases {
        let (asked, rejects) = take(path, body.clone());
        assert_eq!(asked.iter().map(shown).collect::<Vec<_>>(), std::slice::from_ref(&want), "{path} {body}");
        assert_eq!(rejects, "");
        let mut item = body;
        item["type"] = json!(if path == "i" { "identify" } else { path });
        let (asked, _) = take("batch", json!({ "batch": [item] }));
        assert_eq!(asked.iter().map(shown).collect::<Vec<_>>(), [want]);
    }
}

#[test]
fn a_bad_item_is_counted_and_its_neighbours_are_taken() {
    let wide: Properties = (0..1001).map(|n| (n.to_string(), Value::Null)).collect();
    let (asked, rejects) = take(
        "batch",
        json!({"batch": [
            {"type": "track", "userId": "1", "event": "Paid"},
            {"type": "track", "event": "Paid"},
            {"type": "track", "userId": "1"},
            {"type": "track", "userId": "1", "event": "x", "messageId": "m".repeat(100)},
            {"type": "alias", "userId": "1"},
            {"type": "dance", "userId": "1"},
            {"userId": "1"},
            7,
            {"type": "identify", "userId": "2", "traits": {"email": "nobody", "a": wide}},
            {"type": "identify", "userId": "2", "traits": {"email": "nobody", "a": 1}},
            {"type": "identify", "userId": ["2"]},
            {"type": "group", "userId": "2", "traits": "x"},
        ]}),
    );
    assert_eq!(asked.iter().map(|asked| asked.user.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(
        rejects,
        "`event` is required: 1; `messageId` must be shorter than 100 characters: 1; `previousId` is required: 1; \
         `traits.email` is not a valid e-mail address: 1; `traits` must be an object: 1; `type` is missing or unknown: 2; \
         `userId` must be text or a number: 1; `userId` or `anonymousId` is required: 1; an item is nested too deep or has too many keys: 1; \
         an item is not an object: 1"
    );
}

#[test]
fn tags_follow_their_call() {
    let vero = |tags: Value| json!({"Vero": {"tags": tags}});
    let (asked, _) = take(
        "batch",
        json!({"integrations": vero(json!({"action": "add", "values": ["vip"]})), "batch": [
            {"type": "identify", "userId": "1", "messageId": "m1"},
            {"type": "alias", "previousId": "1", "userId": "2", "integrations": vero(json!({"action": "remove", "values": ["old", "x"]}))},
            {"type": "track", "userId": "3", "event": "Paid", "integrations": {}},
        ]}),
    );
    assert_eq!(
        asked.iter().map(shown).collect::<Vec<_>>(),
        [
            json!({"kind": "identify", "user": "1"}),
            json!({"kind": "tags", "user": "1", "add": ["vip"]}),
            json!({"kind": "reidentify", "user": "1", "new_id": "2"}),
            json!({"kind": "tags", "user": "2", "remove": ["old", "x"]}),
            json!({"kind": "track", "user": "3", "name": "Paid"}),
        ]
    );
    assert_eq!(asked[0].sameness, Sameness::Message { id: "m1".into(), part: "main" });
    assert_eq!(asked[1].sameness, Sameness::Message { id: "m1".into(), part: "tags" });
    assert_eq!(asked[4].sameness, Sameness::Never);
    let (asked, rejects) =
        take("identify", json!({"userId": "1", "integrations": vero(json!({"action": "paint", "values": ["x"]}))}));
    assert_eq!((asked.len(), rejects.as_str()), (1, "`integrations.Vero.tags.action` must be `add` or `remove`: 1"));
}

#[test]
fn the_context_of_a_batch_is_that_of_items_without_one() {
    let (asked, _) = take(
        "batch",
        json!({"context": {"traits": {"email": "all@b.co"}}, "batch": [
            {"type": "track", "userId": "1", "event": "a"},
            {"type": "track", "userId": "1", "event": "b", "context": {"traits": {"email": "own@b.co"}}},
            {"type": "track", "userId": "1", "event": "c", "context": {}},
            {"type": "track", "userId": "1", "event": "d", "context": null},
        ]}),
    );
    let emails: Vec<_> = asked
        .iter()
        .map(|asked| match &asked.action {
            Action::Track { email, .. } => email.as_ref().map(ToString::to_string),
            _ => None,
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(emails, [text("all@b.co"), text("own@b.co"), None, text("all@b.co")]);
}

#[test]
fn a_wrong_clock_is_corrected_by_when_the_item_was_sent() {
    let at = |times: Value| {
        let mut item = times;
        item["userId"] = json!("1");
        take("identify", item).0.remove(0).at
    };
    let wrong = json!({"originalTimestamp": "2001-01-01T00:00:00Z", "sentAt": "2001-01-01T00:00:30.000Z", "timestamp": "2001-01-01T00:00:00Z"});
    assert_eq!(at(wrong), Some(NOW - SignedDuration::from_secs(30)));
    assert_eq!(
        at(json!({"timestamp": "2026-01-01T00:00:00+01:00", "sentAt": "2001-01-01T00:00:30Z"})),
        "2025-12-31T23:00:00Z".parse().ok()
    );
    assert_eq!(at(json!({"timestamp": "soon"})), None);
    let (asked, _) = take(
        "batch",
        json!({"sentAt": "2001-01-01T00:01:00Z", "batch": [{"type": "identify", "userId": "1", "originalTimestamp": "2001-01-01T00:00:00Z"}]}),
    );
    assert_eq!(asked[0].at, Some(NOW - SignedDuration::from_secs(60)));
}

#[test]
fn a_batch_is_bounded() {
    let mut rejects = Rejects::default();
    let mut batch = |body: Value| {
        let fields = body.as_object().cloned().expect("an object");
        read(Endpoint::Batch, fields, NOW, &mut rejects).map(|asked| asked.len()).map_err(|refusal| refusal.message)
    };
    let item = json!({"type": "identify", "userId": "1"});
    assert_eq!(batch(json!({"batch": vec![item.clone(); 2_500]})), Ok(2_500));
    assert_eq!(batch(json!({"batch": vec![item; 2_501]})), Err("`batch` has more than 2500 items: send fewer".into()));
    assert_eq!(batch(json!({})), Err("`batch` is required: an array of calls".into()));
    assert_eq!(batch(json!({"batch": []})), Ok(0));
}
