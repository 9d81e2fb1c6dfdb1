//! Names and bounds that all roles share.

/// The coin that stakes are made of, in its smallest unit: a millionth of a lode.
pub const STAKE_DENOM: &str = "ulode";

/// What addresses begin with (bech32).
pub const ADDRESS_PREFIX: &str = "lode";

/// SLIP-44 coin type in the derivation path of account keys: that of the Cosmos hub, which wallets
/// offer first.
pub const COIN_TYPE: u32 = 118;

/// The protocol that this code speaks. A session carries the version that it opened with.
pub const PROTOCOL_VERSION: u32 = 1;

/// Header of a relay: a base64 [`crate::relay::Envelope`], from gateway to relay miner.
pub const RELAY_HEADER: &str = "lode-relay";

/// Trailer of an answer: a base64 signed [`crate::relay::Receipt`], from relay miner to gateway.
pub const RECEIPT_TRAILER: &str = "lode-receipt";

/// Header that gives a supplier the seed of its sampler, 16 hex digits, fixed by the relay's id.
pub const SEED_HEADER: &str = "x-lode-seed";

/// Header under which a supplier keeps evidence of an answer, chosen by the relay miner; the answer
/// repeats it where there will be some.
pub const EVIDENCE_HEADER: &str = "x-lode-evidence";

/// Where a supplier gives out evidence, once, by what the header said.
pub const EVIDENCE_PATH: &str = "/lode/evidence/";

/// Header of an answer to a client: the id of the receipt.
pub const RECEIPT_HEADER: &str = "x-lode-receipt";

/// Where a relay miner takes acknowledgements that no request carried.
pub const ACK_PATH: &str = "/lode/ack";

/// Suppliers in one session at most: more would make over-commitment too dear to insure.
pub const SUPPLIERS_PER_SESSION_MAX: usize = 16;

/// Suppliers of one service at most: the roster's index must stay one small record.
pub const ROSTER_MAX: usize = 131_072;

/// Claims in one transaction at most: a block must have room for other things.
pub const CLAIMS_PER_TX_MAX: usize = 256;

/// Proofs in one transaction at most: each costs three signature checks.
pub const PROOFS_PER_TX_MAX: usize = 64;

/// Commitments or verdicts in one transaction at most: each reads and writes its audit.
pub const VERDICTS_PER_TX_MAX: usize = 64;

/// Accounts among which a supplier's share is split at most.
pub const PAYOUT_SHARES_MAX: usize = 16;

/// Offers of one supplier at most.
pub const OFFERS_MAX: usize = 64;

/// Bytes of a service's id at most.
pub const SERVICE_ID_MAX: usize = 64;

/// Bytes of an endpoint's URL at most.
pub const ENDPOINT_MAX: usize = 255;

/// Bytes of a short description (precision, kernel class) at most.
pub const LABEL_MAX: usize = 64;

/// Bytes of a chain's id at most, as in CometBFT.
pub const CHAIN_ID_MAX: usize = 50;

/// Operators of one owner at most: a change of the owner's stake re-weighs all of them.
pub const OPERATORS_PER_OWNER_MAX: usize = 64;

/// Coins that governance may allow beside that of stakes at most: they are part of the parameters,
/// which every session reads.
pub const COINS_MAX: usize = 32;

/// Delegations of one app at most, one for each gateway and coin.
pub const DELEGATIONS_MAX: usize = 64;

/// Weight-proportional draws from one claim at most.
pub const PROOF_DRAWS_MAX: usize = 16;

/// Entries that link one relay to a signed acknowledgement at most: as many relays as may be
/// unacknowledged at once.
pub const ACK_TAIL_MAX: usize = 256;
