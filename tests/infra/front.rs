//! The front door: the API's routes and what stands behind them.

use std::collections::BTreeMap;

use crate::template::Template;

/// The stem of the function behind each route.
fn routes(template: &Template) -> BTreeMap<String, String> {
    let behind = |target: &str| {
        let integration = target.strip_prefix("integrations/").expect("an integration");
        let uri = template.text(&template.document["Resources"][integration]["Properties"]["IntegrationUri"]);
        let function = &template.document["Resources"][uri.trim_end_matches(".Arn")]["Properties"]["FunctionName"];
        template.text(function).trim_start_matches("dunlin-").to_owned()
    };
    let routes = template.resources("AWS::ApiGatewayV2::Route");
    let route = |one: &serde_json::Value| {
        let properties = &one["Properties"];
        (template.text(&properties["RouteKey"]), behind(&template.text(&properties["Target"])))
    };
    routes.into_values().map(route).collect()
}

#[test]
fn the_routes_are_those_of_the_front_door_on_one_machine() {
    let expected = [
        ("ANY /api/v2/{path+}", "intake"),
        ("ANY /v1/{path+}", "intake"),
        ("ANY /l/{path+}", "link"),
        ("ANY /manage/{path+}", "manage"),
        ("ANY /status", "manage"),
        ("ANY /status.json", "manage"),
    ];
    let expected = expected.map(|(key, stem)| (key.to_owned(), stem.to_owned()));
    assert_eq!(routes(&Template::read()), expected.into());
}

#[test]
fn cargo_lambda_serves_the_same_routes() {
    let manifest = std::fs::read_to_string(dunlin_tests::root().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml_edit::DocumentMut = manifest.parse().expect("TOML");
    let router = manifest["workspace"]["metadata"]["lambda"]["watch"]["router"].as_table_like().expect("a router");
    let watched: BTreeMap<String, String> = router
        .iter()
        .map(|(path, function)| {
            let key = format!("ANY {}", path.replace("{*path}", "{path+}"));
            (key, function.as_str().expect("a function").trim_start_matches("dunlin-").to_owned())
        })
        .collect();
    assert_eq!(watched, routes(&Template::read()));
}

#[test]
fn a_request_reaches_a_function_whole_and_its_answer_has_time() {
    let template = Template::read();
    for (id, one) in template.resources("AWS::ApiGatewayV2::Integration") {
        let integration = &one["Properties"];
        assert_eq!(
            (&integration["IntegrationType"], &integration["PayloadFormatVersion"]),
            (&"AWS_PROXY".into(), &"2.0".into()),
            "{id}"
        );
        let wait = integration["TimeoutInMillis"].as_u64().expect("a time-out");
        assert!(wait > 20_000 && wait <= 30_000, "{id}: {wait} ms");
    }
}

#[test]
fn only_the_api_may_invoke_the_functions_behind_it() {
    let template = Template::read();
    let permissions = template.resources("AWS::Lambda::Permission");
    assert_eq!(permissions.len(), 3);
    for (id, one) in permissions {
        assert_eq!(one["Properties"]["Principal"], "apigateway.amazonaws.com", "{id}");
        assert!(template.text(&one["Properties"]["SourceArn"]).ends_with(":Api/*"), "{id}");
    }
}

#[test]
fn the_access_log_holds_no_path_and_no_query() {
    let template = Template::read();
    let format = template
        .text(&template.resources("AWS::ApiGatewayV2::Stage")["ApiStage"]["Properties"]["AccessLogSettings"]["Format"]);
    serde_json::from_str::<serde_json::Value>(&format).expect("a line of JSON");
    for personal in ["path", "querystring", "$context.identity", "protocol"] {
        assert!(!format.contains(personal), "{personal}");
    }
}
