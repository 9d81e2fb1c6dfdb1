//! A whole relay miner on a free port, between a gateway and a supplier's server, beside a chain.

use super::{Backend, Gateway, OPERATOR, Town, counters, header, relay_secret, service};
use crate::clock::Clock;
use crate::config::{Limits, Times};
use crate::forward::Upstream;
use crate::serve::{Parts, ServeError, serve};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use daemon::Stop;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use proto::names::{ACK_PATH, RELAY_HEADER};
use proto::relay::{Envelope, Receipt, Signed};
use proto::session::Session;
use proto::wire::Wire;
use proto::{Digest, Price};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) struct Stand {
    pub(crate) town: Arc<Town>,
    pub(crate) session: Session,
    pub(crate) backend: Backend,
    pub(crate) url: String,
    pub(crate) admin: String,
    pub(crate) home: Arc<tempfile::TempDir>,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<Result<(), ServeError>>,
    times: Times,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What a gateway gets for a relay.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) receipt: Option<Signed<Receipt>>,
}

impl Told {
    pub(crate) fn receipt(&self) -> &Receipt {
        &self.receipt.as_ref().unwrap().body
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl Stand {
    pub(crate) async fn start() -> Stand {
        Stand::with(Times::default()).await
    }

    pub(crate) async fn with(times: Times) -> Stand {
        let (town, session) = Town::with_session();
        let home = Arc::new(tempfile::tempdir().unwrap());
        Stand::at(home, town, session, Backend::start().await, times).await
    }

    async fn at(
        home: Arc<tempfile::TempDir>,
        town: Arc<Town>,
        session: Session,
        backend: Backend,
        times: Times,
    ) -> Stand {
        let free = || TcpListener::bind("127.0.0.1:0");
        let (listener, admin) = (free().await.unwrap(), free().await.unwrap());
        let url_of = |l: &TcpListener| format!("http://{}", l.local_addr().unwrap());
        let (url, admin_url) = (url_of(&listener), url_of(&admin));
        let stop = Stop::new();
        let parts = Parts {
            operator: OPERATOR,
            relay_secret: relay_secret(),
            market: town.clone(),
            counters: counters(),
            upstream: Upstream::new(&backend.url, Some("secret"), times.patience()).unwrap(),
            home: home.path().to_owned(),
            limits: Limits::default(),
            times: times.clone(),
            keep_settled: 5,
            clock: Clock::system(),
            admin: Some(admin),
            reload: Some(Arc::new(|| Ok([(service().id, Price(600_000))].into()))),
        };
        let task = tokio::spawn(serve(parts, listener, stop.clone()));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let admin = admin_url;
        Stand { town, session, backend, url, admin, home, stop, task, times, client }
    }

    /// Another relay miner that finds what is on the disk at this moment, as after `kill -9`.
    pub(crate) async fn killed(&self) -> Stand {
        let home = Arc::new(tempfile::tempdir().unwrap());
        std::fs::create_dir(home.path().join("books")).unwrap();
        for entry in std::fs::read_dir(self.home.path().join("books")).unwrap() {
            let path = entry.unwrap().path();
            let to = home.path().join("books").join(path.file_name().unwrap());
            std::fs::copy(&path, to).unwrap();
        }
        let (town, session) = (self.town.clone(), self.session.clone());
        Stand::at(home, town, session, self.backend.clone(), self.times.clone()).await
    }

    /// A second one over the same folder.
    pub(crate) async fn second(&self) -> Stand {
        let (town, session) = (self.town.clone(), self.session.clone());
        Stand::at(self.home.clone(), town, session, self.backend.clone(), self.times.clone()).await
    }

    /// One beside the same chain, with an empty folder and the backend as it is told.
    pub(crate) async fn elsewhere(&self) -> Stand {
        let (town, session) = (self.town.clone(), self.session.clone());
        let home = Arc::new(tempfile::tempdir().unwrap());
        Stand::at(home, town, session, self.backend.clone(), self.times.clone()).await
    }

    pub(crate) fn gateway(&self) -> Gateway {
        Gateway::of(self.session.clone())
    }

    /// A relay whose answer is left to be read.
    pub(crate) async fn begin(&self, envelope: &Envelope, body: &[u8]) -> Response<Incoming> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/v1/completions", self.url))
            .header(RELAY_HEADER, header(envelope))
            .header("content-type", "application/json")
            .header("authorization", "Bearer of-the-client")
            .header("te", "trailers")
            .body(Full::new(Bytes::copy_from_slice(body)))
            .unwrap();
        self.client.request(request).await.unwrap()
    }

    pub(crate) async fn relay(&self, envelope: &Envelope, body: &[u8]) -> Told {
        told(self.begin(envelope, body).await).await
    }

    pub(crate) async fn acknowledge(&self, gateway: &mut Gateway) -> Told {
        let body = Full::new(Bytes::from(gateway.update().encode()));
        let uri = format!("{}{ACK_PATH}", self.url);
        let request = Request::builder().method(Method::POST).uri(uri).body(body).unwrap();
        told(self.client.request(request).await.unwrap()).await
    }

    pub(crate) async fn get(&self, url: String) -> serde_json::Value {
        let told = told(self.client.get(url.parse().unwrap()).await.unwrap()).await;
        assert_eq!(told.status, StatusCode::OK, "{url}: {told:?}");
        serde_json::from_slice(&told.body).unwrap()
    }

    pub(crate) async fn standing(&self) -> serde_json::Value {
        self.get(format!("{}/lode/sessions/{}", self.url, self.session.id)).await
    }

    pub(crate) async fn receipt(&self, seq: u64) -> serde_json::Value {
        let (session, relay) = (self.session.id, Gateway::id(seq));
        self.get(format!("{}/lode/receipts/{session}/{relay}", self.url)).await
    }

    pub(crate) async fn payout(&self) -> serde_json::Value {
        self.get(format!("{}/lode/payouts/{}", self.admin, self.session.id)).await
    }

    /// Stops it in order.
    pub(crate) async fn end(self) {
        self.stop.ask();
        self.task.await.unwrap().unwrap();
    }
}

pub(crate) async fn told(response: Response<Incoming>) -> Told {
    let (head, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let trailer = collected.trailers().and_then(|t| t.get(proto::names::RECEIPT_TRAILER));
    let receipt = trailer.map(|value| receipt_of(value.to_str().unwrap()));
    let (status, headers) = (head.status, head.headers);
    Told { status, headers, body: collected.to_bytes(), receipt }
}

pub(crate) fn receipt_of(text: &str) -> Signed<Receipt> {
    let receipt = Signed::<Receipt>::decode(&STANDARD.decode(text).unwrap()).unwrap();
    assert!(receipt.is_by(&relay_secret().public()));
    receipt
}

pub(crate) fn digest_of(value: &serde_json::Value) -> Digest {
    Digest::parse(value.as_str().unwrap()).unwrap()
}
