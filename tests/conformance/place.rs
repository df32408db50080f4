//! Who is asked.

/// Who is asked.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// `infra/local` in memory, by the SDK's replaced HTTP client.
    InProcess,
    /// `infra/local` on disk, by our HTTP client.
    OverAPort,
    /// Another implementation, or (without an endpoint) AWS.
    Elsewhere {
        /// The name of its column.
        name: String,
        /// Where it listens.
        endpoint: Option<String>,
    },
}

/// A setting of a run by hand.
#[expect(clippy::disallowed_methods, reason = "the one place where this room reads the environment")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Place {
    /// Whom the environment names: `DUNLIN_CONFORMANCE_NAME`, listening at `DUNLIN_CONFORMANCE_ENDPOINT`. AWS is asked
    /// only when the name is `aws` and there is no endpoint.
    pub(crate) fn named() -> Option<Self> {
        let name = setting("DUNLIN_CONFORMANCE_NAME")?;
        let endpoint = setting("DUNLIN_CONFORMANCE_ENDPOINT");
        assert!(endpoint.is_some() || name == "aws", "DUNLIN_CONFORMANCE_ENDPOINT says where {name} listens");
        Some(Self::Elsewhere { name, endpoint })
    }

    /// The name of its column.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::InProcess => "local",
            Self::OverAPort => "port",
            Self::Elsewhere { name, .. } => name,
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        !matches!(self, Self::Elsewhere { .. })
    }

    pub(crate) fn is_aws(&self) -> bool {
        matches!(self, Self::Elsewhere { endpoint: None, .. })
    }
}
