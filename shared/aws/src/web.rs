//! The way out to the web: requests to receivers that the owners of projects name. Everything here is for that they name
//! whatever they like: only public addresses, looked up once and connected to as they were found; no redirection is
//! followed, no proxy asked; a time-out on the whole, and a bound on what is read (`docs/adr/0013-webhooks.md`).

use std::error::Error as StdError;
use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use dunlin_core::hook::{Answer, Fault, Reach, Refused, Request, header_problem, retry_after};
use dunlin_core::limits::HOOK_ANSWER_BYTES;
use jiff::SignedDuration;

use crate::clients::Clients;
use crate::clock::Clock;

/// Time to look a name up and to open a connection to it: the slowest healthy receiver on another continent takes one
/// second.
const CONNECT: Duration = Duration::from_secs(3);
/// Time for a request as a whole, its answer's body included: what a batch may wait for one answer (`outage`).
const CALL: Duration = Duration::from_secs(10);
/// Who we say we are.
const USER_AGENT: &str = "dunlin";

/// How requests to the web leave. Whoever builds the clients decides, once.
#[derive(Clone, Debug)]
pub enum Way {
    /// Not at all: nobody is there.
    Nowhere,
    /// Over the network, so far.
    Network(Reach),
    /// To whoever answers in this process, at any public name.
    InProcess(SharedHttpConnector),
}

/// A client of receivers on the web.
#[derive(Clone, Debug)]
pub struct Web {
    reach: Reach,
    connector: Option<SharedHttpConnector>,
    clock: Clock,
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The answer, or why there is none.
    pub answer: Answer,
    /// How long the receiver asks to be left alone (`Retry-After`).
    pub asked: Option<SignedDuration>,
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        Self { answer: fault.into(), asked: None }
    }
}

impl Web {
    /// Builds the client; over the network it reads the machine's root certificates.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        let (reach, connector) = match &clients.way {
            Way::Nowhere => (Reach::Public, None),
            Way::Network(reach) => (*reach, Some(over_network(*reach))),
            Way::InProcess(connector) => (Reach::Public, Some(connector.clone())),
        };
        Self { reach, connector, clock: clients.clock.clone() }
    }

    /// Makes a request, once. Whatever happens is an answer.
    pub async fn call(&self, request: &Request) -> Reply {
        let exchanged = self.clock.timeout(CALL, Box::pin(self.exchange(request))).await;
        exchanged.unwrap_or(Err(Fault::Timeout)).unwrap_or_else(Reply::from)
    }

    async fn exchange(&self, request: &Request) -> Result<Reply, Fault> {
        let outgoing = self.outgoing(request)?;
        let connector = self.connector.as_ref().ok_or(Fault::Unreachable)?;
        let response = connector.call(outgoing).await.map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let asked = response.headers().get("retry-after").and_then(|text| retry_after(text, self.clock.now()));
        let (mut body, mut bytes) = (ByteStream::new(response.into_body()), Vec::new());
        while bytes.len() <= HOOK_ANSWER_BYTES
            && let Some(piece) = body.next().await
        {
            bytes.extend_from_slice(&piece.map_err(|_| Fault::Unreachable)?);
        }
        Ok(Reply { answer: Answer::of(status, &bytes), asked })
    }

    /// The request in the form of the connector.
    fn outgoing(&self, request: &Request) -> Result<HttpRequest, Fault> {
        let target = self.reach.target(&request.url).map_err(|refused| match refused {
            Refused::Address => Fault::RefusedAddress,
            _ => Fault::BadRequest,
        })?;
        let body = request.body.as_ref().map_or_else(SdkBody::empty, |body| SdkBody::from(body.to_string()));
        let mut outgoing = HttpRequest::new(body);
        outgoing.set_method(request.method.name()).map_err(|_| Fault::BadRequest)?;
        outgoing.set_uri(target.as_str()).map_err(|_| Fault::BadRequest)?;
        let mut set = |name: &str, value: &str| {
            let set = outgoing.headers_mut().try_insert(name.to_ascii_lowercase(), value.to_owned());
            set.map(drop).map_err(|_| Fault::BadRequest)
        };
        set("user-agent", USER_AGENT)?;
        if request.body.is_some() {
            set("content-type", "application/json")?;
        }
        for (name, value) in &request.headers {
            if header_problem(name, value).is_some() {
                return Err(Fault::BadRequest);
            }
            set(name, value)?;
        }
        set("webhook-id", &request.id)?;
        set("webhook-timestamp", &self.clock.now().as_second().to_string())?;
        Ok(outgoing)
    }
}

/// The connector of the SDK, with ring for TLS as `clients` has it. It follows no redirection and knows no proxy; a host
/// that is an address does not come by the resolver, and was looked at before.
fn over_network(reach: Reach) -> SharedHttpConnector {
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT).build())
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_with_resolver(Names(reach));
    SharedHttpConnector::new(connector)
}

/// Looks names up: the addresses found here are those that are connected to, so nobody can give others in between.
#[derive(Clone, Debug)]
struct Names(Reach);

/// A name that resolves to an address that is not public: who means well has no use for such a one among others.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to an address that is not public")]
struct NotPublic;

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            if addresses.iter().all(|address| self.0.allows(*address)) {
                Ok(addresses)
            } else {
                Err(ResolveDnsError::new(NotPublic))
            }
        })
    }
}

/// Why a connector has no answer.
fn fault(error: &ConnectorError) -> Fault {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut unresolved = false;
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return Fault::RefusedAddress;
        }
        unresolved |= error.is::<ResolveDnsError>();
        cause = error.source();
    }
    match error {
        _ if unresolved => Fault::Unresolved,
        error if error.is_timeout() => Fault::Timeout,
        error if error.is_user() => Fault::BadRequest,
        _ => Fault::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use futures::future::Either;
    use jiff::Timestamp;
    use tokio::net::TcpListener;

    use super::*;
    use crate::chance::Chance;

    fn web(way: Way, clock: &Clock) -> Web {
        Web::new(&Clients::in_process(crate::clients::https(), clock.clone(), Chance::seeded(1)).reaching(way))
    }

    fn to(url: &str) -> Request {
        serde_json::from_value(serde_json::json!({"id": "h", "url": url})).expect("a request")
    }

    /// A port of this machine that somebody listens at, and its URL by a name.
    async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://localhost:{}/", listener.local_addr().expect("an address").port());
        (listener, url)
    }

    /// The connector alone, past the look at the URL: a name on the web may resolve to anything.
    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_not_connected_to() {
        let (listener, url) = listener().await;
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url).expect("a URL");
        let connector = over_network(Reach::Public);
        let somebody = std::pin::pin!(listener.accept());
        let called = futures::future::select(connector.call(request), somebody).await;
        let Either::Left((refused, _)) = called else { panic!("somebody came") };
        assert_eq!(fault(&refused.expect_err("refused")), Fault::RefusedAddress);
    }

    #[tokio::test]
    async fn a_receiver_that_does_not_answer_is_waited_for_ten_seconds() {
        let (listener, url) = listener().await;
        let clock = Clock::stepped_at(Timestamp::UNIX_EPOCH);
        let web = web(Way::Network(Reach::Anywhere), &clock);
        let silence = async {
            let (connection, _) = listener.accept().await.expect("a connection");
            clock.advance_to(clock.next_wake().expect("somebody waits"));
            connection
        };
        let (reply, _connection) = futures::future::join(web.call(&to(&url)), silence).await;
        assert_eq!(reply, Reply::from(Fault::Timeout));
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH + SignedDuration::from_secs(10));
    }

    #[tokio::test]
    async fn a_connection_that_ends_before_the_answer_does_is_no_answer() {
        let (listener, url) = listener().await;
        let cut = async {
            let (connection, _) = listener.accept().await.expect("a connection");
            while connection.try_read(&mut [0; 4096]).is_err() {
                connection.readable().await.expect("a request");
            }
            connection.try_write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel").expect("written");
        };
        let web = web(Way::Network(Reach::Anywhere), &Clock::System);
        let (reply, ()) = futures::future::join(web.call(&to(&url)), cut).await;
        assert_eq!(reply, Reply::from(Fault::Unreachable));
    }

    #[tokio::test]
    async fn nothing_leaves_where_there_is_no_way() {
        let (_listener, url) = listener().await;
        let web = web(Way::Nowhere, &Clock::System);
        assert_eq!(web.call(&to("https://example.com/")).await, Reply::from(Fault::Unreachable));
        assert_eq!(web.call(&to(&url)).await, Reply::from(Fault::RefusedAddress));
    }
}
