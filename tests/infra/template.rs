//! `infra/template.yaml` as CloudFormation reads it: short tags as `Fn::…`, references resolved as far as the template
//! itself says.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The template.
pub(crate) struct Template {
    /// The whole document, every `!Tag` written as its function.
    pub(crate) document: Value,
}

impl Template {
    /// Reads the repository's.
    pub(crate) fn read() -> Self {
        let path = dunlin_tests::root().join("infra/template.yaml");
        let text = std::fs::read_to_string(path).expect("infra/template.yaml");
        Self::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Self {
        let documents = Yaml::load_from_str(text).expect("YAML");
        Self { document: plain(&documents[0]) }
    }

    /// The resources of a type, by logical id.
    pub(crate) fn resources(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let all = self.document["Resources"].as_object().expect("resources");
        all.iter().filter(|(_, one)| one["Type"] == kind).map(|(id, one)| (id.as_str(), one)).collect()
    }

    /// The properties of the resource of a type whose `name` property resolves to `value`.
    pub(crate) fn named(&self, kind: &str, name: &str, value: &str) -> &Value {
        let found = self.resources(kind).into_values().find(|one| self.text(&one["Properties"][name]) == value);
        &found.unwrap_or_else(|| panic!("no {kind} with {name} = {value}"))["Properties"]
    }

    /// The function with this stem, resource and all.
    pub(crate) fn function(&self, stem: &str) -> &Value {
        let name = format!("dunlin-{stem}");
        let functions = self.resources("AWS::Serverless::Function");
        let found = functions.into_values().find(|one| self.text(&one["Properties"]["FunctionName"]) == name);
        found.unwrap_or_else(|| panic!("no function {name}"))
    }

    /// What a value comes to with the parameters' defaults. A resource is its logical id, an attribute `Id.Attribute`, a
    /// pseudo parameter its name.
    pub(crate) fn text(&self, value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Object(call) if call.len() == 1 => {
                let (function, argument) = call.iter().next().expect("one");
                self.call(function, argument)
            }
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    fn call(&self, function: &str, argument: &Value) -> String {
        match function {
            "Ref" => self.reference(argument.as_str().expect("a name")),
            "Fn::GetAtt" => argument.as_str().expect("an attribute").to_owned(),
            "Fn::Sub" => self.substituted(argument.as_str().expect("a text")),
            "Fn::If" => {
                let branch = if self.holds(&argument[0]) { &argument[1] } else { &argument[2] };
                self.text(branch)
            }
            other => panic!("{other} is not read by this test: {argument}"),
        }
    }

    fn reference(&self, name: &str) -> String {
        let parameter = &self.document["Parameters"][name];
        if parameter.is_null() { name.to_owned() } else { self.text(&parameter["Default"]) }
    }

    fn substituted(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once("${") {
            let (name, after) = behind.split_once('}').expect("a closed ${");
            out += before;
            out += &if name.contains('.') { name.to_owned() } else { self.reference(name) };
            rest = after;
        }
        out + rest
    }

    /// Whether a condition holds with the parameters' defaults.
    fn holds(&self, condition: &Value) -> bool {
        let condition = condition.as_str().map_or(condition, |name| &self.document["Conditions"][name]);
        if let Some(not) = condition.get("Fn::Not") {
            return !self.holds(&not[0]);
        }
        let both = &condition["Fn::Equals"];
        self.text(&both[0]) == self.text(&both[1])
    }
}

/// YAML with CloudFormation's short tags as plain JSON.
fn plain(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => json!(value),
            Scalar::Integer(value) => json!(value),
            Scalar::FloatingPoint(value) => json!(value.into_inner()),
            Scalar::String(value) => json!(value),
        },
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Mapping(entries) => {
            let key = |key: &Yaml<'_>| key.as_str().expect("a text as key").to_owned();
            Value::Object(entries.iter().map(|(name, value)| (key(name), plain(value))).collect::<Map<_, _>>())
        }
        Yaml::Tagged(tag, node) => {
            let function = match tag.suffix.as_str() {
                "Ref" => "Ref".to_owned(),
                other => format!("Fn::{other}"),
            };
            json!({ function: plain(node) })
        }
        other => panic!("an alias or worse, which CloudFormation does not read: {other:?}"),
    }
}

#[test]
fn references_come_to_what_cloudformation_makes_of_them() {
    let template = Template::parse(
        "Parameters: {Prefix: {Type: String, Default: dunlin-}}\n\
         Conditions: {Empty: !Equals [!Ref Prefix, '']}\n\
         Value: [!Sub '${Prefix}x/${Store.Arn}', !If [Empty, a, !Ref Store], !GetAtt Store.Arn]\n",
    );
    let values: Vec<_> = (0..3).map(|at| template.text(&template.document["Value"][at])).collect();
    assert_eq!(values, ["dunlin-x/Store.Arn", "Store", "Store.Arn"]);
}
