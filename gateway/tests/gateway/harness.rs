//! A whole small world in one process: a chain, relay miners, a gateway, a client.

mod chain;
mod client;
mod miner;
mod model;

pub use chain::FakeChain;
pub use client::{Answer, Client, ask};
pub use miner::{Does, FakeMiner};

use gateway::account::{ApiKey, KeyTerms};
use gateway::books::Books;
use gateway::config::{Records, Settings, Times};
use gateway::{Gateway, Parts};
use proto::keys::RelaySecret;
use proto::{Amount, Time};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub const CHAIN_ID: &str = "lode-test";
pub const MODEL: &str = "words";

/// How long anything in a test may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(20);

pub struct World {
    pub chain: Arc<FakeChain>,
    pub miners: Vec<Arc<FakeMiner>>,
    pub folder: TempDir,
    pub key: ApiKey,
    pub settings: Settings,
    running: Option<Running>,
}

/// A gateway in a runtime of its own, so that it can be killed at any point.
struct Running {
    runtime: tokio::runtime::Runtime,
    base: String,
    stop: daemon::Stop,
    served: tokio::task::JoinHandle<()>,
}

pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time(u64::try_from(since.as_millis()).unwrap())
}

pub fn gateway_key() -> RelaySecret {
    RelaySecret::from_bytes(&[42; 32])
}

/// Waits until something holds that another task brings about.
pub async fn until<T>(what: &str, mut holds: impl AsyncFnMut() -> Option<T>) -> T {
    let started = tokio::time::Instant::now();
    loop {
        if let Some(value) = holds().await {
            return value;
        }
        assert!(started.elapsed() < STUCK, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl World {
    /// A gateway with `suppliers` in its session.
    pub async fn new(suppliers: usize) -> World {
        World::with(suppliers, |_| {}).await
    }

    pub async fn with(suppliers: usize, set: impl FnOnce(&mut Settings)) -> World {
        // LODE_LOG shows what a gateway does in a test.
        daemon::log::init(false, "off");
        let folder = tempfile::tempdir().unwrap();
        model::write(&folder.path().join("model"));
        let chain = Arc::new(FakeChain::new(&folder.path().join("model")));
        let mut miners = Vec::new();
        for place in 0..suppliers {
            let miner = FakeMiner::start(place, &folder.path().join("model"), chain.clone()).await;
            chain.seat(miner.seat());
            miners.push(miner);
        }
        let mut settings = Settings {
            times: Times { ack_ms: 10, drain_ms: 5_000, ..Times::default() },
            records: Records { fetch_proofs: true, ..Records::default() },
            ..Settings::default()
        };
        set(&mut settings);
        let books = Books::open(&folder.path().join("books.db")).await.unwrap();
        let terms = KeyTerms { name: "shop".into(), ..KeyTerms::default() };
        let (key, _) = books.create_key(terms, &[9; 32], now()).await.unwrap();
        let mut world = World { chain, miners, folder, key, settings, running: None };
        world.start().await;
        world
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("books.db")
    }

    pub async fn books(&self) -> Books {
        Books::open(&self.path()).await.unwrap()
    }

    /// Another API key.
    pub async fn key(&self, terms: KeyTerms, entropy: u8) -> ApiKey {
        self.books().await.create_key(terms, &[entropy; 32], now()).await.unwrap().0
    }

    /// A key that may spend `cap`.
    pub async fn key_with_cap(&self, cap: u128, entropy: u8) -> ApiKey {
        let name = format!("cap {cap}");
        self.key(KeyTerms { name, cap: Some(Amount(cap)), ..KeyTerms::default() }, entropy).await
    }

    pub async fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (settings, chain, path) = (self.settings.clone(), self.chain.clone(), self.path());
        let model = self.folder.path().join("model");
        let stop = daemon::Stop::new();
        let asked = stop.clone();
        let (bound, port) = tokio::sync::oneshot::channel();
        let served = runtime.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            bound.send(listener.local_addr().unwrap().port()).unwrap();
            let parts = Parts {
                settings,
                chain,
                relay_key: gateway_key(),
                books: Books::open(&path).await.unwrap(),
                counters: gateway::count::Metered::load(&[model]).unwrap(),
                clock: Arc::new(now),
            };
            gateway::serve(parts, listener, asked).await.unwrap();
        });
        let base = format!("http://127.0.0.1:{}", port.await.unwrap());
        self.running = Some(Running { runtime, base, stop, served });
    }

    pub async fn ready(&self) {
        let client = self.client();
        until("ready", async || (client.get("/readyz").await.status == 200).then_some(())).await;
    }

    /// The gateway is gone at once, with all that it was doing.
    pub fn kill(&mut self) {
        self.running.take().unwrap().runtime.shutdown_background();
    }

    /// The gateway is asked to stop, and does.
    pub async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.stop.ask();
        running.served.await.unwrap();
        running.runtime.shutdown_background();
    }

    pub fn client(&self) -> Client {
        self.client_of(&self.key)
    }

    pub fn client_of(&self, key: &ApiKey) -> Client {
        let base = self.running.as_ref().unwrap().base.clone();
        Client::new(base, Some(key.reveal().to_owned()))
    }

    pub fn stranger(&self, key: Option<&str>) -> Client {
        let base = self.running.as_ref().unwrap().base.clone();
        Client::new(base, key.map(str::to_owned))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.runtime.shutdown_background();
        }
    }
}

/// That the type of the gateway's state can be shared between threads.
const _: fn() = || {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Gateway>();
};
