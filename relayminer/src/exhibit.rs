//! What auditors are shown: the leaf that an audit drew, and all that is kept of its relay.
//!
//! Whoever asks must sit on the committee that the chain waits for: its ticket and the account's
//! signature say so. The answer is sealed to the ask's own key. What is cheap to refuse comes first;
//! the chain is asked once a block for an audit.

mod asks;
#[cfg(test)]
mod tests;

pub(crate) use asks::Asks;

use crate::look::Trees;
use crate::market::NoAnswer;
use crate::miner::Miner;
use crate::sessions::Live;
use crate::tree::TreeError;
use crate::vault::{FindFailed, Vault};
use chain_client::keys::signed_by;
use proto::audit::Audit;
use proto::audit::ask::{BadAsk, NoSeat, SignedAsk};
use proto::audit::exhibit::{EXHIBIT_MAX, Exhibit, PURPOSE};
use proto::keys::RelayKey;
use proto::sealed::NotSealed;
use proto::{Address, Digest};
use std::sync::Arc;
use std::time::Duration;

/// How long it may take to put an exhibit together: a tree may have to be built.
const SHOW_MAX: Duration = Duration::from_secs(30);

/// Why an auditor is shown nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskRefused {
    #[error(transparent)]
    Bad(#[from] BadAsk),
    #[error("the ask is for the audit {asked}, but was sent for {sent}")]
    OtherAudit { asked: Digest, sent: Digest },
    #[error("the ask is for the relay key {asked}, but this relay miner's is {own}")]
    OtherKey { asked: RelayKey, own: RelayKey },
    #[error("the ask is not signed by the account {0}")]
    Signature(Address),
    #[error("there is no audit {0} of this supplier")]
    Unknown(Digest),
    #[error(transparent)]
    NoSeat(#[from] NoSeat),
    #[error("this auditor was shown {audit} {max} times: that must do")]
    Often { audit: Digest, max: u32 },
    #[error("{max} auditors are shown something at this moment: ask again")]
    Busy { max: usize },
    #[error("nothing is known here of the claim in session {0}")]
    NoClaim(Digest),
    #[error(transparent)]
    Chain(#[from] NoAnswer),
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Lost(#[from] FindFailed),
    #[error(transparent)]
    Seal(#[from] NotSealed),
    #[error("the exhibit has {0} bytes, but at most {EXHIBIT_MAX} are shown")]
    Long(usize),
    #[error("it took longer than {} s", SHOW_MAX.as_secs())]
    Slow,
    #[error("{0}")]
    Failed(String),
}

impl AskRefused {
    /// The HTTP status, and a code for machines.
    pub(crate) fn code(&self) -> (u16, &'static str) {
        match self {
            AskRefused::Bad(_) | AskRefused::OtherAudit { .. } | AskRefused::Seal(_) => {
                (400, "malformed")
            }
            AskRefused::Signature(_) => (401, "not_signed"),
            AskRefused::NoSeat(_) => (403, "no_seat"),
            AskRefused::OtherKey { .. } | AskRefused::Unknown(_) => (404, "unknown_audit"),
            AskRefused::NoClaim(_) | AskRefused::Lost(_) | AskRefused::Long(_) => (410, "gone"),
            AskRefused::Often { .. } | AskRefused::Busy { .. } => (429, "busy"),
            AskRefused::Chain(_)
            | AskRefused::Tree(_)
            | AskRefused::Slow
            | AskRefused::Failed(_) => (503, "failed"),
        }
    }
}

impl Miner {
    /// The exhibit for an auditor's ask, sealed to it.
    pub(crate) async fn show(&self, audit: Digest, bytes: &[u8]) -> Result<Vec<u8>, AskRefused> {
        let SignedAsk { ask, signature } = SignedAsk::decode(bytes)?;
        if ask.audit != audit {
            return Err(AskRefused::OtherAudit { asked: ask.audit, sent: audit });
        }
        let own = self.identity.relay_key;
        if ask.relay_key != own {
            return Err(AskRefused::OtherKey { asked: ask.relay_key, own });
        }
        let signed = ask.signed_bytes(&self.identity.chain_id);
        if !signed_by(&ask.account_key, &signed, &signature) {
            return Err(AskRefused::Signature(ask.auditor()));
        }
        let at = self.pulse.last();
        let case = self.asks.case(&*self.market, audit, at).await?;
        let case = case.filter(|case| case.audit.operator == self.identity.operator);
        let case = case.ok_or(AskRefused::Unknown(audit))?;
        let docket = self.asks.docket(&*self.market, case.start, ask.round).await?;
        let docket = docket.ok_or(AskRefused::Unknown(audit))?;
        ask.check(&case, &docket, at)?;
        let _place = self.asks.enter(ask.auditor(), audit, ask.round)?;
        let exhibit = tokio::time::timeout(SHOW_MAX, self.exhibit(&case.audit));
        let exhibit = exhibit.await.map_err(|_| AskRefused::Slow)??;
        let mut seed = zeroize::Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|error| AskRefused::Failed(error.to_string()))?;
        let sealed = ask.seal_key.seal(PURPOSE, &ask.digest(), &exhibit, &seed)?;
        self.asks.shown(ask.auditor(), audit, ask.round, docket.closes);
        tracing::info!(%audit, auditor = %ask.auditor(), bytes = sealed.len(), "an auditor is shown a relay");
        Ok(sealed)
    }

    async fn exhibit(&self, audit: &Audit) -> Result<Vec<u8>, AskRefused> {
        let nothing = || AskRefused::NoClaim(audit.session_id);
        let live = self.sessions.get(&audit.session_id).ok_or_else(nothing)?;
        let flushed = live.flush(&self.writer).await;
        flushed.map_err(|error| AskRefused::Failed(error.to_string()))?;
        let (trees, vault, audit) = (self.trees.clone(), self.vault.clone(), *audit);
        let made = tokio::task::spawn_blocking(move || exhibit(&trees, &vault, &live, &audit));
        made.await.map_err(|error| AskRefused::Failed(error.to_string()))?
    }
}

/// The bytes of an exhibit. Reads books and evidence.
fn exhibit(
    trees: &Arc<Trees>,
    vault: &Vault,
    live: &Live,
    audit: &Audit,
) -> Result<Vec<u8>, AskRefused> {
    let nothing = || AskRefused::NoClaim(audit.session_id);
    let claimed = live.read(|book| {
        let root = book.included().map(|(root, _)| root);
        book.claims().iter().rfind(|claimed| Some(claimed.root) == root).copied()
    });
    let tree = trees.of(live, claimed.ok_or_else(nothing)?)?;
    let opening = tree.1.open_at(audit.point)?.ok_or_else(nothing)?;
    let relay = opening.leaf.request.body.relay_id;
    let dossier = vault.find(&audit.session_id, &relay)?;
    let bytes = Exhibit { opening, dossier }.encode();
    if bytes.len() > EXHIBIT_MAX {
        return Err(AskRefused::Long(bytes.len()));
    }
    Ok(bytes)
}
