//! A receipt as a customer keeps it: one document that can be checked without a network.
//!
//! ```text
//! request  (gateway's key)  --.
//! receipt  (supplier's key) --+--> leaf --> usage tree --> claim --> what was paid for it
//! bill     (gateway's key)  --'
//! ```
//! Nothing here does I/O. What a document cannot show by itself is that its session is the one on
//! chain: `lode query session` and `lode query settled` show that.

mod verify;

pub use verify::{Invalid, Stage, Verified, verify};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proto::claim::{ClaimRoot, Settled};
use proto::keys::{RelaySecret, Signature};
use proto::leaf::Opening;
use proto::relay::{Receipt, RelayRequest, Signed};
use proto::seed;
use proto::session::Session;
use proto::wire::Wire;
use proto::{Coin, Cu, Digest, Usage};
use serde::{Deserialize, Serialize};

/// The form of documents that this code writes and reads.
pub const VERSION: u32 = 1;

/// Keeps a gateway's signature over a document from passing for one over another thing.
const DOMAIN: &str = "lode/gateway/receipt/1";

/// All that is known of one relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`VERSION`].
    pub version: u32,
    pub chain_id: String,
    pub session: Session,
    /// What the gateway asked.
    pub request: Signed<RelayRequest>,
    /// What the supplier says it delivered.
    pub receipt: Signed<Receipt>,
    /// The same two in the bytes that are signed and hashed.
    pub canonical: Canonical,
    pub bill: Bill,
    /// What the supplier claimed for the session, once it did.
    pub claim: Option<ClaimRoot>,
    /// That this relay is in the claim.
    pub opening: Option<Opening>,
    /// What became of the claim, once it is settled.
    pub settled: Option<Settled>,
    /// The gateway's, over all of the above.
    pub signature: Signature,
}

/// What the gateway bills: the less of its own count and the supplier's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    pub usage: Usage,
    pub cu: Cu,
    /// At the session's price, rounded down.
    pub cost: Coin,
}

/// The canonical encodings, in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canonical {
    pub request: String,
    pub receipt: String,
}

/// What is known of one relay, before the gateway signs for it.
#[derive(Clone, Debug)]
pub struct Known {
    pub chain_id: String,
    pub session: Session,
    pub request: Signed<RelayRequest>,
    pub receipt: Signed<Receipt>,
    pub bill: Bill,
    pub claim: Option<ClaimRoot>,
    pub opening: Option<Opening>,
    pub settled: Option<Settled>,
}

impl Document {
    /// The document, signed by the session's gateway.
    pub fn sign(known: Known, secret: &RelaySecret) -> Document {
        let canonical = Canonical {
            request: BASE64.encode(known.request.encode()),
            receipt: BASE64.encode(known.receipt.encode()),
        };
        let Known { chain_id, session, request, receipt, bill, claim, opening, settled } = known;
        let mut document = Document {
            version: VERSION,
            chain_id,
            session,
            request,
            receipt,
            canonical,
            bill,
            claim,
            opening,
            settled,
            signature: Signature([0; 64]),
        };
        document.signature = secret.sign(&document.digest());
        document
    }

    /// What the gateway signs: each part in its canonical encoding, what is not there as nothing.
    fn digest(&self) -> Digest {
        fn maybe(part: &Option<impl Wire>) -> Vec<u8> {
            part.as_ref().map(|part| [vec![1], part.encode()].concat()).unwrap_or_default()
        }
        seed::hash(
            DOMAIN,
            &[
                &self.version.to_be_bytes(),
                self.chain_id.as_bytes(),
                &self.session.encode(),
                &self.request.encode(),
                &self.receipt.encode(),
                &self.bill.usage.encode(),
                &self.bill.cu.0.to_be_bytes(),
                &self.bill.cost.encode(),
                &maybe(&self.claim),
                &maybe(&self.opening),
                &maybe(&self.settled),
            ],
        )
    }
}
