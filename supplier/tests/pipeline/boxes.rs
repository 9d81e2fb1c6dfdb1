//! Boxes in this process, over real sockets.

use super::proxy::Proxy;
use axum::Router;
use daemon::Stop;
use engine::Outline;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use supplier::link::{Keys, LinkKey, PeerKey};
use supplier::pipeline::{Pipeline, Settings, StageAt};
use supplier::{Defaults, Parts, config::Limits, stage};
use tokio::net::TcpListener;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lode/models/lode-demo")
}

fn parts(model: engine::Model, speculation: usize) -> Parts {
    Parts {
        model,
        meter: Arc::new(meter::Meter::load(&folder()).unwrap()),
        name: "demo".to_owned(),
        defaults: Defaults::default(),
        limits: Limits { sequences: 32, cache_mib: 256, speculation, ..Limits::default() },
    }
}

/// A supplier that runs all layers itself.
pub(crate) fn alone() -> Router {
    alone_guessing(0)
}

/// The same, guessing up to so many tokens ahead.
pub(crate) fn alone_guessing(tokens: usize) -> Router {
    let model = engine::Model::load(&folder()).unwrap();
    supplier::router(parts(model, tokens), Stop::new()).unwrap()
}

/// A head and its stages.
pub(crate) struct Setting {
    pub(crate) head: Option<usize>,
    /// The layers of each stage; empty: a share.
    pub(crate) cuts: Vec<&'static str>,
    /// Whether stages know another head than this one.
    pub(crate) stranger: bool,
    /// Whether the head may run all layers itself.
    pub(crate) alone: bool,
    pub(crate) recover_s: u64,
    pub(crate) silence_ms: u64,
    pub(crate) step_ms: u64,
    pub(crate) speculation: usize,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting {
            head: None,
            cuts: Vec::new(),
            stranger: false,
            alone: false,
            recover_s: 60,
            silence_ms: 2_000,
            step_ms: 20_000,
            speculation: Limits::default().speculation,
        }
    }
}

/// One stage, which can be stopped and started again at the same address.
pub(crate) struct Stage {
    pub(crate) key: LinkKey,
    head: PeerKey,
    address: std::net::SocketAddr,
    /// Where its owner asks, since it runs.
    pub(crate) admin: Option<std::net::SocketAddr>,
    stop: Stop,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Stage {
    async fn new(head: PeerKey) -> Stage {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (key, stop) = (LinkKey::new().unwrap(), Stop::new());
        let mut stage = Stage { key, head, address, admin: None, stop, running: None };
        stage.run(listener).await;
        stage
    }

    async fn run(&mut self, listener: TcpListener) {
        let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.admin = Some(admin.local_addr().unwrap());
        let parts = stage::Parts {
            model: folder(),
            device: engine::Device::Cpu,
            outline: Outline::read(&folder()).unwrap(),
            keys: Keys::new(&self.key).unwrap(),
            heads: vec![self.head],
            fixed: None,
            weights_bytes: 1 << 30,
            cache_bytes: 1 << 28,
            curve: vec![(1, 100), (64, 1_000)],
            admin: Some(admin),
        };
        self.stop = Stop::new();
        let stop = self.stop.clone();
        self.running = Some(tokio::spawn(async move {
            stage::serve(parts, listener, stop).await.unwrap();
        }));
    }

    /// Ends it with all its connections.
    pub(crate) async fn kill(&mut self) {
        self.stop.ask();
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
    }

    /// Starts it anew, at the same address and with the same key.
    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.run(listener).await;
    }
}

pub(crate) struct Crew {
    pub(crate) router: Router,
    pub(crate) stages: Vec<Stage>,
    pub(crate) proxies: Vec<Proxy>,
    stop: Stop,
}

impl Crew {
    pub(crate) async fn new(setting: Setting) -> Crew {
        let home = tempfile::tempdir().unwrap();
        let key = home.path().join("link.key");
        let mut head = LinkKey::open(&key).unwrap().public();
        if setting.stranger {
            head = LinkKey::new().unwrap().public();
        }
        let (mut stages, mut proxies, mut at) = (Vec::new(), Vec::new(), Vec::new());
        for cut in &setting.cuts {
            let stage = Stage::new(head).await;
            let proxy = Proxy::before(stage.address).await;
            at.push(StageAt {
                address: proxy.address.to_string(),
                key: stage.key.public().to_string(),
                layers: (!cut.is_empty()).then(|| cut.parse().unwrap()),
            });
            stages.push(stage);
            proxies.push(proxy);
        }
        let settings = Settings {
            key,
            layers: setting.head,
            alone: setting.alone,
            ping_ms: 100,
            silence_ms: setting.silence_ms,
            step_ms: setting.step_ms,
            recover_s: setting.recover_s,
            ..Settings::default()
        };
        let pipeline =
            Pipeline::new(settings, &at, (&folder(), engine::Device::Cpu), 1 << 30).unwrap();
        let parts = parts(pipeline.ends().unwrap(), setting.speculation);
        let stop = Stop::new();
        let router = supplier::front(Some(pipeline), parts, stop.clone()).unwrap().router;
        Crew { router, stages, proxies, stop }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop.ask();
        self.stages.iter().for_each(|stage| stage.stop.ask());
    }
}
