//! A walk over pages of parked tasks.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use super::Task;
use super::args::Which;
use crate::admin::accepted;
use crate::client::Client;

/// Tasks in a page at most: `manage`'s own bound.
const PAGE: usize = 1_000;

/// A page, as `manage` answers.
#[derive(Deserialize)]
struct Page {
    parked: Vec<Task>,
    next: Option<String>,
}

/// Where a walk is.
pub(super) struct Walk<'c> {
    client: &'c Client,
    method: Method,
    path: String,
    after: Option<String>,
    is_over: bool,
}

impl<'c> Walk<'c> {
    /// Asks for page after page of those that are meant and were parked `before`.
    pub(super) fn new(
        client: &'c Client,
        method: Method,
        path: &str,
        which: &Which,
        before: Option<Timestamp>,
    ) -> Self {
        let Which { project, kind, reason } = which;
        let before = before.map(|before| before.to_string());
        let fields = [("project", project), ("queue", kind), ("reason", reason), ("before", &before)];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        let path = format!("/manage/v1{path}?{}", query.finish());
        Self { client, method, path, after: None, is_over: false }
    }

    /// The next page of at most `limit`; it may be empty.
    pub(super) async fn next(&mut self, limit: usize) -> anyhow::Result<Option<Vec<Task>>> {
        if self.is_over || limit == 0 {
            return Ok(None);
        }
        let after = self.after.as_ref().map(|after| format!("&after={after}")).unwrap_or_default();
        let path = format!("{}&limit={}{after}", self.path, limit.min(PAGE));
        let page: Page = accepted(&self.client.send(self.method.clone(), &path, None).await?)?;
        self.is_over = page.next.is_none();
        self.after = page.next;
        Ok(Some(page.parked))
    }
}
