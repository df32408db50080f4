//! How it is deployed: parameters, `samconfig.toml`, outputs.

use serde_json::Value;
use toml_edit::DocumentMut;

use crate::template::Template;

fn samconfig() -> DocumentMut {
    let text = std::fs::read_to_string(dunlin_tests::root().join("samconfig.toml")).expect("samconfig.toml");
    text.parse().expect("TOML")
}

#[test]
fn every_parameter_has_a_default_bounds_and_a_word_of_what_it_is() {
    let template = Template::read();
    let parameters = template.document["Parameters"].as_object().expect("parameters");
    for (name, parameter) in parameters {
        assert!(!parameter["Default"].is_null() && !parameter["Description"].is_null(), "{name}");
        let bounded = ["AllowedValues", "AllowedPattern", "MaxValue"].iter().any(|bound| !parameter[*bound].is_null());
        assert!(bounded, "{name} takes anything");
    }
    let groups = template.document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array();
    let grouped: Vec<&Value> =
        groups.into_iter().flatten().filter_map(|group| group["Parameters"].as_array()).flatten().collect();
    assert_eq!(grouped.len(), parameters.len(), "each is in one group of the console's form");
    assert!(grouped.iter().all(|name| name.as_str().is_some_and(|name| parameters.contains_key(name))));
}

#[test]
fn samconfig_names_the_template_and_has_dev_and_prod_with_parameters_that_there_are() {
    let (config, template) = (samconfig(), Template::read());
    for stage in ["default", "dev", "prod"] {
        assert_eq!(
            config[stage]["build"]["parameters"]["template_file"].as_str(),
            Some("infra/template.yaml"),
            "{stage}"
        );
        let deploy = &config[stage]["deploy"]["parameters"];
        let overrides = deploy["parameter_overrides"].as_str().expect("overrides");
        for (name, value) in overrides.split(' ').map(|one| one.split_once('=').expect("a name and a value")) {
            assert!(!template.document["Parameters"][name].is_null(), "{stage}: {name}={value}");
        }
        let prefix = format!("Prefix={}-", deploy["stack_name"].as_str().expect("a stack"));
        assert!(overrides.split(' ').any(|one| one == prefix), "{stage}: stack and prefix go together");
    }
    assert_eq!(config["default"]["deploy"].to_string(), config["dev"]["deploy"].to_string(), "`sam deploy` is dev");
}

#[test]
fn an_operator_is_told_the_address_and_where_the_admin_key_is() {
    let template = Template::read();
    let outputs = &template.document["Outputs"];
    let address = template.text(&outputs["ApiUrl"]["Value"]);
    assert_eq!(address, "https://Api.execute-api.AWS::Region.AWS::URLSuffix");
    assert_eq!(template.text(&outputs["AdminKeySecret"]["Value"]), "AdminKey");
}
