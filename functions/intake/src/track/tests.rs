//! What each request of the Track API asks for, and what each wrong one is told.

use serde_json::json;

use super::Endpoint::{Delete, Edit, Identify, Reidentify, Resubscribe, Tags, Track, Unsubscribe};
use super::*;

fn ask(endpoint: Endpoint, body: Value) -> Result<Asked, String> {
    let mut fields = body.as_object().cloned().expect("an object");
    open(&mut fields).and_then(|()| read(endpoint, fields)).map_err(|refusal| refusal.message)
}

fn action(endpoint: Endpoint, body: Value) -> Value {
    let asked = ask(endpoint, body).expect("a good request");
    let mut shown = serde_json::to_value(&asked.action).expect("an action");
    shown["user"] = json!(asked.user);
    if let Some(at) = asked.at {
        shown["at"] = json!(at);
    }
    shown
}

#[test]
fn every_endpoint_is_found_with_and_without_its_suffix() {
    let all = [
        "users/track",
        "users/edit",
        "users/tags/edit",
        "users/unsubscribe",
        "users/resubscribe",
        "users/reidentify",
        "users/delete",
        "events/track",
        "heartbeat",
    ];
    for path in all {
        let found = Endpoint::find(path);
        assert!(found.is_some(), "{path}");
        assert_eq!(Endpoint::find(&format!("{path}.json")), found);
        assert_eq!(Endpoint::find(&format!("{path}/")), found);
    }
    for path in ["", "users", "users/track.xml", "users/track.json.json", "Users/Track", "heartbeat/x"] {
        assert_eq!(Endpoint::find(path), None, "{path}");
    }
}

#[test]
fn each_endpoint_asks_for_its_action() {
    let cases = [
        (
            Identify,
            json!({"id": 42, "email": null, "data": {"plan": "pro", "old": null}, "development_mode": true}),
            json!({"kind": "identify", "user": "42", "properties": {"plan": "pro", "old": null}}),
        ),
        (
            Identify,
            json!({"email": "Ann@EXAMPLE.com"}),
            json!({"kind": "identify", "user": "Ann@example.com", "email": "Ann@example.com"}),
        ),
        (
            Identify,
            json!({"id": "7", "channels": {"type": "push", "address": "x", "platform": "ios"}, "extras": {"update_only": "true", "created_at": 0}}),
            json!({"kind": "identify", "user": "7", "channels": [{"type": "push", "address": "x", "platform": "ios"}], "update_only": true, "at": "1970-01-01T00:00:00Z"}),
        ),
        (
            Identify,
            json!({"id": "7", "data": null, "channels": [], "extras": {"update_only": true}}),
            json!({"kind": "identify", "user": "7", "update_only": true}),
        ),
        (
            Edit,
            json!({"id": "", "email": "a@b.co", "changes": {"email": "c@d.co"}}),
            json!({"kind": "edit", "user": "a@b.co", "changes": {"email": "c@d.co"}}),
        ),
        (
            Edit,
            json!({"id": "7", "changes": "{\"a\":{\"b\":[1]}}"}),
            json!({"kind": "edit", "user": "7", "changes": {"a": {"b": [1]}}}),
        ),
        (
            Tags,
            json!({"id": "7", "add": ["vip", 9], "remove": null}),
            json!({"kind": "tags", "user": "7", "add": ["vip", "9"]}),
        ),
        (
            Tags,
            json!({"id": "7", "add": "[]", "remove": "[\"x\"]"}),
            json!({"kind": "tags", "user": "7", "remove": ["x"]}),
        ),
        (
            Tags,
            json!({"id": "7", "add": "vip", "remove": "null"}),
            json!({"kind": "tags", "user": "7", "add": ["vip"]}),
        ),
        (Tags, json!({"id": "7", "add": null, "remove": []}), json!({"kind": "tags", "user": "7"})),
        (Unsubscribe, json!({"id": 7, "email": ""}), json!({"kind": "unsubscribe", "user": "7"})),
        (Resubscribe, json!({"email": "a@b.co"}), json!({"kind": "resubscribe", "user": "a@b.co"})),
        (Reidentify, json!({"id": "7", "new_id": 8}), json!({"kind": "reidentify", "user": "7", "new_id": "8"})),
        (Delete, json!({"id": "7"}), json!({"kind": "delete", "user": "7"})),
        (
            Track,
            json!({"identity": {"id": 7, "email": "a@b.co", "age": 4}, "event_name": "Paid", "data": {"sum": 1.5}, "extras": {"source": "web", "vero_conv": 12, "created_at": "2026-03-01T12:00:00+02:00", "other": {}}}),
            json!({"kind": "track", "user": "7", "email": "a@b.co", "name": "Paid", "properties": {"age": 4}, "data": {"sum": 1.5}, "source": "web", "conversion": "12", "at": "2026-03-01T10:00:00Z"}),
        ),
        (
            Track,
            json!({"identity": "{\"email\":\"a@b.co\"}", "event_name": 404, "data": "", "extras": "null"}),
            json!({"kind": "track", "user": "a@b.co", "email": "a@b.co", "name": "404"}),
        ),
        (
            Track,
            json!({"identity": "{\"id\":123456789012345678901234567890}", "event_name": "Paid"}),
            json!({"kind": "track", "user": "123456789012345678901234567890", "name": "Paid"}),
        ),
    ];
    for (endpoint, body, want) in cases {
        assert_eq!(action(endpoint, body.clone()), want, "{endpoint:?} {body}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let long = "x".repeat(255);
    let cases = [
        (Identify, json!({}), "`id` or `email` is required"),
        (Identify, json!({"id": " ", "email": ""}), "`id` or `email` is required"),
        (Identify, json!({"id": {"a": 1}}), "`id` must be text or a number"),
        (Identify, json!({"id": long}), "`id` must be shorter than 255 bytes"),
        (Identify, json!({"id": "7", "email": "ann@"}), "`email` is not a valid e-mail address"),
        (Identify, json!({"id": "7", "email": format!("{long}@b.co")}), "`email` is not a valid e-mail address"),
        (Identify, json!({"id": "7", "email": "a@b.co\r\nBcc: c@d.co"}), "`email` is not a valid e-mail address"),
        (Identify, json!({"id": "7", "data": [1]}), "`data` must be an object"),
        (Identify, json!({"id": "7", "data": "{"}), "`data` must be JSON: an object, an array, or the text of one"),
        (Identify, json!({"id": "7", "extras": 5}), "`extras` must be an object"),
        (
            Identify,
            json!({"id": "7", "extras": {"created_at": "soon"}}),
            "`extras.created_at` must be ISO-8601 with an offset, or Unix seconds",
        ),
        (
            Identify,
            json!({"id": "7", "channels": [{"type": "push"}]}),
            "`channels` must be objects with `type`, `address` and `platform`, all texts",
        ),
        (Edit, json!({"id": "7"}), "`changes` is required: an object with the properties to set"),
        (Edit, json!({"id": "7", "changes": "x"}), "`changes` must be JSON: an object, an array, or the text of one"),
        (Edit, json!({"id": "7", "changes": {"email": "x"}}), "`changes.email` is not a valid e-mail address"),
        (Tags, json!({"id": "7"}), "`add` or `remove` is required"),
        (Tags, json!({"id": "7", "add": [""]}), "`add` must not hold an empty tag"),
        (Tags, json!({"id": "7", "remove": [[]]}), "`remove` must be text or a number"),
        (Tags, json!({"id": "7", "add": [long]}), "`add` holds a tag of 255 characters or more"),
        (Reidentify, json!({"id": "7"}), "`new_id` is required"),
        (Reidentify, json!({"new_id": "7"}), "`id` or `email` is required"),
        (Delete, json!({"identity": {"id": 1}}), "`id` or `email` is required"),
        (Track, json!({"event_name": "Paid"}), "`identity` is required: an object with `id` or `email`"),
        (Track, json!({"identity": 7, "event_name": "Paid"}), "`identity` must be an object"),
        (Track, json!({"identity": {}, "event_name": "Paid"}), "`identity.id` or `identity.email` is required"),
        (
            Track,
            json!({"identity": {"email": "a"}, "event_name": "Paid"}),
            "`identity.email` is not a valid e-mail address",
        ),
        (Track, json!({"identity": {"id": 1}}), "`event_name` is required"),
        (Track, json!({"identity": {"id": 1}, "event_name": "_-"}), "`event_name` must not be empty"),
        (Track, json!({"identity": {"id": 1}, "event_name": long}), "`event_name` must be shorter than 255 bytes"),
        (Track, json!({"identity": {"id": 1}, "event_name": ["a"]}), "`event_name` must be text or a number"),
        (Track, json!({"identity": {"id": 1}, "event_name": "a", "data": "[]"}), "`data` must be an object"),
        (
            Track,
            json!({"identity": {"id": 1}, "event_name": "a", "extras": {"source": []}}),
            "`extras.source` must be text or a number",
        ),
    ];
    for (endpoint, body, want) in cases {
        assert_eq!(ask(endpoint, body.clone()).map_err(|why| why.clone()), Err(want.to_owned()), "{endpoint:?} {body}");
    }
}

#[test]
fn json_text_cannot_hide_depth_or_keys() {
    let deep = format!("{}1{}", "{\"a\":".repeat(60), "}".repeat(60));
    let why = ask(Endpoint::Identify, json!({"id": "7", "data": deep}));
    assert_eq!(why, Err("`data` is nested deeper than 24 levels".into()));
    let wide: Properties = (0..1001).map(|n| (n.to_string(), Value::Null)).collect();
    let why = ask(Endpoint::Edit, json!({"id": "7", "changes": Value::Object(wide).to_string()}));
    assert_eq!(why, Err("`changes` brings the call over 1000 keys: send fewer properties".into()));
}
