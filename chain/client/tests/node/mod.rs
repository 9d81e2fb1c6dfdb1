//! A node of the embedded engine that can be killed.

use proto::message::{AuditGenesis, Genesis as MarketGenesis};
use proto::params::Params;
use proto::{Address, Amount, Coin, Time};
use solo::{Balance, Config, Genesis, GenesisValidator, Solo, ValidatorKeys};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

pub(crate) const CHAIN_ID: &str = "lode-test";
pub(crate) const GAS_PRICE: &str = "0.001ulode";
/// What the genesis gives to one account.
pub(crate) const PURSE: u128 = 1_000_000_000_000;

/// A node in its own home, with its own threads.
pub(crate) struct Node {
    home: tempfile::TempDir,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Node {
    /// A chain whose coins are all `rich`'s.
    pub(crate) fn start(rich: Address) -> Node {
        let home = tempfile::tempdir().unwrap();
        let keys = ValidatorKeys::create(home.path()).unwrap();
        let keys = GenesisValidator { operator: rich, power: 10, keys: keys.public() };
        solo::init(home.path(), &genesis(rich, keys)).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut node = Node { home, address, runtime: None };
        node.revive();
        node
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins, or goes on, from what is on disk.
    pub(crate) fn revive(&mut self) {
        let solo = open(self.home.path());
        let listener = std::net::TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.address = listener.local_addr().unwrap();
        let runtime = Runtime::new().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            solo::serve(solo, listener, daemon::Stop::new()).await.unwrap();
        });
        self.runtime = Some(runtime);
    }

    /// Stops all of it where it is: no answer is finished, no connection is closed in order.
    pub(crate) async fn kill(&mut self) {
        let runtime = self.runtime.take().unwrap();
        // A runtime waits for its threads when it goes, which this one must not.
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(20)))
            .await
            .unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn open(home: &Path) -> Solo {
    let config = Config {
        block_time_ms: 100,
        min_gas_price: GAS_PRICE.parse().unwrap(),
        ..Config::default()
    };
    Solo::open(home, config).unwrap()
}

fn genesis(rich: Address, validator: GenesisValidator) -> Genesis {
    let coins = vec![Coin::stake(Amount(PURSE))];
    Genesis {
        chain_id: CHAIN_ID.to_owned(),
        genesis_time: Time(1_767_225_600_000),
        balances: vec![Balance { address: rich, coins }],
        validators: vec![validator],
        market: MarketGenesis {
            authority: rich,
            params: Params::dev(),
            services: Vec::new(),
            suppliers: Vec::new(),
            gateways: Vec::new(),
            escrow: Vec::new(),
            delegations: Vec::new(),
            audits: AuditGenesis::default(),
        },
    }
}
