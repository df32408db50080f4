//! A request that a step has made to a server on the web.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Problem, is_liquid};
use crate::hook::{Method, header_problem, target};

/// What is asked of whom. Texts may be Liquid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where: `https://…`, at a public address. What is before the path has no Liquid.
    pub url: String,
    /// `post`, unless another is said.
    #[serde(default, skip_serializing_if = "is_post")]
    pub method: Method,
    /// Headers of your own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is sent, as JSON. A text that is only `{{ event.total }}` takes the value as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_post(method: &Method) -> bool {
    *method == Method::Post
}

impl Webhook {
    /// What is wrong with it. Paths begin below the webhook.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let server: String = self.url.split('/').take(3).collect::<Vec<_>>().join("/");
        let host = server.split(['?', '#']).next().unwrap_or_default();
        if is_liquid(host) {
            let mend = "write the host out, and use Liquid behind it: who writes data must not choose the server";
            problems.push(Problem::error("url", "the server is made by Liquid", mend));
        } else if let Err(refused) = target(if is_liquid(&self.url) { host } else { &self.url }) {
            let (what, mend) = (format!("`{}` is not called", self.url), refused.to_string());
            problems.push(Problem::error("url", what, mend));
        }
        for (name, value) in &self.headers {
            let value = if is_liquid(value) { "" } else { value };
            if let Some(problem) = header_problem(name, value) {
                let path = format!("headers.{name}");
                problems.push(Problem::error(path, problem.to_string(), "remove it, or write another"));
            }
        }
        if self.method == Method::Get && self.body.is_some() {
            let mend = "put it into the URL, or write `method: post`";
            problems.push(Problem::warning("body", "most servers refuse or overlook the body of a `get`", mend));
        }
        problems
    }
}
