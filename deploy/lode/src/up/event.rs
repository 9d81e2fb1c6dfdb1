//! What `lode up --json` says: one JSON object a line. This is a stable interface: fields are
//! added, never renamed or removed. It is described in docs/up.md.

use proto::{Address, Amount, Coin, Cu, Digest, Height, Price};
use serde::Serialize;
use std::path::PathBuf;

/// Where the chain of the network is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ChainPlace {
    pub(crate) chain_id: String,
    pub(crate) rpc: String,
    /// Where nodes of the Cosmos SDK answer beside their RPC; the embedded engine has RPC alone.
    #[serde(flatten)]
    pub(crate) sdk: Option<SdkPlace>,
}

/// What a node of the Cosmos SDK serves for wallets and explorers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SdkPlace {
    pub(crate) rest: String,
    pub(crate) grpc: String,
}

/// Who is who in the network.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Accounts {
    pub(crate) app: Address,
    pub(crate) gateway: Address,
    pub(crate) source: Address,
    pub(crate) suppliers: Vec<Address>,
    /// The validator's account, where an auditor runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auditor: Option<Address>,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Line {
    /// A client may connect.
    Ready {
        openai_base_url: String,
        api_key: String,
        models: Vec<String>,
        chain: ChainPlace,
        accounts: Accounts,
        home: PathBuf,
    },
    /// A session was opened.
    Session {
        session: Digest,
        service: String,
        app: Address,
        gateway: Address,
        suppliers: Vec<Address>,
        start: Height,
        end: Height,
        price: Price,
        budget: Coin,
    },
    /// A supplier claimed.
    Claim { session: Digest, supplier: Address, cu: Cu, relays: u64, height: Height },
    /// A supplier proved a claim.
    Proof { session: Digest, supplier: Address, height: Height },
    /// A claim was settled.
    Payout {
        session: Digest,
        supplier: Address,
        cu: Cu,
        cost: Coin,
        supplier_share: Amount,
        source_share: Amount,
        audits_share: Amount,
        treasury_share: Amount,
        burned: Amount,
        reason: String,
        height: Height,
    },
    /// A claim is looked at.
    Audit { audit: Digest, session: Digest, supplier: Address, height: Height },
    /// What became of an audit.
    Verdict {
        audit: Digest,
        session: Digest,
        supplier: Address,
        stage: String,
        identity: String,
        quality: Option<u16>,
        height: Height,
    },
    /// A supplier lost stake.
    Slash { session: Digest, supplier: Address, amount: Coin, reason: String, height: Height },
    /// A block was made. For the live view; machines get no line of it.
    #[serde(skip)]
    Block { height: Height },
    /// A process of the network ended by itself and was started again.
    Restarted { role: String, reason: String },
}
