//! What operators make: projects, tokens, campaigns.

use dunlin_core::token::Revocations;

use super::*;

fn campaign() -> Value {
    json!({
        "id": "cmp_welcome", "name": "Welcome", "kind": "transactional", "trigger": {"event": "Signed up"}, "from": "Ann <ann@example.com>",
        "message": {"subject": "Hello", "text": "Hello"}
    })
}

#[tokio::test]
async fn a_project_is_created_once_shown_listed_and_changed() {
    let house = House::with_project().await;
    let (status, answer) = house.post("/projects", json!({"id": "prj_demo", "name": "Again"})).await;
    assert_eq!((status, code(&answer)), (409, "conflict"));
    let (_, other) = house.post("/projects", json!({"name": "Other", "from": "Ann <ann@example.com>"})).await;
    let id = other["id"].as_str().expect("an id");
    assert_eq!(house.get(&format!("/projects/{id}")).await, (200, other.clone()));
    let change = json!({"name": "New", "from": "x@example.com"});
    let (status, changed) = house.ask(Method::PUT, "/projects/prj_demo", change).await;
    assert_eq!((status, &changed["name"], &changed["from"]), (200, &json!("New"), &json!("x@example.com")));
    let (_, listed) = house.get("/projects").await;
    assert_eq!(listed["projects"].as_array().map(Vec::len), Some(2));
    assert_eq!(house.get("/projects/prj_none").await.0, 404);
}

#[tokio::test]
async fn a_request_that_does_not_read_is_refused_with_its_reason() {
    let house = House::with_project().await;
    for (path, body, reason) in [
        ("/projects", json!({}), "missing field `name`"),
        ("/projects", json!({"name": " "}), "the name is empty"),
        ("/projects", json!({"name": "x".repeat(201)}), "more than 200 bytes"),
        ("/projects", json!({"name": "x", "nmae": "y"}), "unknown field `nmae`"),
        ("/projects", json!({"name": "x", "id": "shop"}), "not a project id"),
        ("/projects", json!({"name": "x", "from": "nobody"}), "`from` is not"),
        ("/projects/demo/tokens", json!({"label": "x"}), "not a project id"),
        ("/projects/prj_demo/tokens", json!({"label": ""}), "the name is empty"),
        ("/projects/prj_demo/tokens/x/revoke", Value::Null, "u32"),
        ("/parked/evt_1/redrive", Value::Null, "not a parked task id"),
    ] {
        let (status, answer) = house.post(path, body).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(reason), "{path} {status} {message}");
    }
    for path in ["/projects/prj_demo/suppressions/nobody", "/parked?limit=x", "/projects/prj_demo/profiles/%20"] {
        assert_eq!(house.get(path).await.0, 400, "{path}");
    }
    let key = format!("Bearer {KEY}");
    let (status, ..) = house.send(Method::POST, "/manage/v1/projects", Some(&key), " ".repeat(BODY_BYTES + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_token_is_issued_shown_rotated_and_revoked() {
    let house = House::with_project().await;
    let (status, first) = house.post("/projects/prj_demo/tokens", json!({"label": "shop"})).await;
    let text = first["token"].as_str().expect("a token");
    let claim = house.keyring.verify(text, &Revocations::default()).expect("ours");
    assert_eq!((status, claim.project, claim.serial), (201, project(), 1));
    assert_eq!(house.get("/projects/prj_demo/tokens/1").await, (200, first.clone()));
    let (status, rotated) = house.post("/projects/prj_demo/tokens/1/rotate", Value::Null).await;
    assert_eq!((status, &rotated["issued"]["serial"], &rotated["issued"]["label"]), (201, &json!(2), &json!("shop")));
    assert!(rotated["former"].get("revoked_at").is_none());
    let (_, rotated) = house.post("/projects/prj_demo/tokens/2/rotate?revoke=true", Value::Null).await;
    assert_eq!((&rotated["issued"]["serial"], &rotated["former"]["revoked_at"]), (&json!(3), &json!(NOON.to_string())));
    assert_eq!(house.post("/projects/prj_demo/tokens/2/rotate", Value::Null).await.0, 409);
    assert_eq!(house.post("/projects/prj_demo/tokens/1/revoke", Value::Null).await.0, 200);
    assert_eq!(house.post("/projects/prj_demo/tokens/9/revoke", Value::Null).await.0, 404);
    assert_eq!(house.post("/projects/prj_none/tokens", json!({"label": "x"})).await.0, 404);
    let revoked = Control::new(&house.clients, "dunlin-").revocations().await.expect("a list");
    assert!(house.keyring.verify(text, &revoked).is_err());
    let (_, listed) = house.get("/projects/prj_demo/tokens").await;
    let live: Vec<bool> =
        listed["tokens"].as_array().expect("a list").iter().map(|token| token.get("revoked_at").is_none()).collect();
    assert_eq!(live, [false, false, true]);
    assert!(
        house.get("/projects/prj_demo/tokens/1").await.1.get("token").is_none() && !listed.to_string().contains("dl.")
    );
}

#[tokio::test]
async fn a_campaign_is_published_in_versions_paused_and_resumed() {
    let house = House::with_project().await;
    let path = "/projects/prj_demo/campaigns/cmp_welcome";
    let (status, put) = house.ask(Method::PUT, path, campaign()).await;
    assert_eq!((status, &put["version"], &put["problems"]), (200, &json!(1), &json!([])), "{put}");
    let mut second = campaign();
    second["name"] = json!("Welcome!");
    second.as_object_mut().expect("an object").remove("id");
    for _ in 0..2 {
        assert_eq!(house.ask(Method::PUT, path, second.clone()).await.1["version"], 2);
    }
    let (_, shown) = house.get(path).await;
    assert_eq!((&shown["shown_version"], &shown["content"]["name"]), (&json!(2), &json!("Welcome!")));
    let (_, first) = house.get(&format!("{path}?version=1")).await;
    assert_eq!((&first["shown_version"], &first["content"]["name"]), (&json!(1), &json!("Welcome")));
    assert_eq!(
        house.ask(Method::PUT, path, first["content"].clone()).await.1["version"],
        3,
        "what is shown can be put"
    );
    for (version, status) in [("0", 404), ("4", 404), ("x", 400)] {
        assert_eq!(house.get(&format!("{path}?version={version}")).await.0, status);
    }
    assert_eq!(house.post(&format!("{path}/pause"), Value::Null).await.1["paused"], true);
    assert_eq!(house.get("/projects/prj_demo/campaigns").await.1["campaigns"][0]["paused"], true);
    assert_eq!(house.post(&format!("{path}/resume"), Value::Null).await.1["paused"], false);
    assert_eq!(house.post("/projects/prj_demo/campaigns/cmp_none/pause", Value::Null).await.0, 404);
    assert_eq!(house.ask(Method::PUT, "/projects/prj_none/campaigns/cmp_welcome", campaign()).await.0, 404);
}

#[tokio::test]
async fn a_bad_campaign_is_refused_with_file_and_path_and_the_published_version_stays() {
    let house = House::with_project().await;
    let path = "/projects/prj_demo/campaigns/cmp_welcome";
    house.ask(Method::PUT, path, campaign()).await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut campaign = campaign();
        change(&mut campaign);
        campaign
    };
    let workflow = |steps: Value| {
        json!({
            "name": "Loop", "kind": "workflow", "trigger": {"event": "a"}, "from": "ann@example.com",
            "messages": {"hello": {"subject": "a", "text": "b"}}, "steps": steps
        })
    };
    let bad = [
        ("unknown field", with(&|c| c["subjct"] = json!("x"))),
        ("no object", json!([])),
        ("another id", with(&|c| c["id"] = json!("cmp_other"))),
        ("a template that does not parse", with(&|c| c["message"]["subject"] = json!("{{ user.name"))),
        ("a missing partial", with(&|c| c["message"]["text"] = json!("{% render 'none' %}"))),
        ("a loop for ever", workflow(json!([{"name": "a", "send": "hello", "next": "a"}]))),
        ("a missing message", workflow(json!([{"send": "goodbye"}]))),
    ];
    for (what, campaign) in bad {
        let (status, answer) = house.ask(Method::PUT, &format!("{path}?file=welcome.yaml"), campaign).await;
        assert_eq!((status, code(&answer)), (422, "campaign_refused"), "{what}");
        let problem = &answer["problems"][0];
        assert!(problem["severity"] == "error" && problem["file"].is_string(), "{what}: {problem}");
        for field in ["path", "what", "mend"] {
            let text = problem[field].as_str().expect("a text");
            assert!(!text.is_empty() || what == "no object", "{what}: {problem}");
        }
    }
    let (_, shown) = house.get(path).await;
    assert_eq!((&shown["version"], &shown["content"]["name"]), (&json!(1), &json!("Welcome")));
}
