//! Transcripts from suppliers: asked for by who sits, sealed to it, and proving themselves.

use chain_client::keys::Signer;
use futures::StreamExt;
use proto::audit::ask::{Ask, SignedAsk};
use proto::audit::exhibit::{BadExhibit, EXHIBIT_MAX, Exhibit, ExhibitRefused, PURPOSE};
use proto::audit::{Audit, Round};
use proto::claim::ClaimRoot;
use proto::dossier::Checked;
use proto::leaf::Opening;
use proto::overcount::{Evidence, Overcount, overcount};
use proto::sealed::{NotOpened, SEAL_EXTRA, SealSecret};
use proto::session::Session;
use proto::vrf::VrfProof;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a supplier may take to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Bytes of a refusal that are read and told.
const REFUSAL_MAX: usize = 2_048;

/// What asks suppliers.
pub struct Fetcher {
    client: reqwest::Client,
    signer: Signer,
    chain_id: String,
}

/// What one ask is about.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub audit: &'a Audit,
    pub round: Round,
    pub ticket: VrfProof,
    pub session: &'a Session,
    pub root: &'a ClaimRoot,
}

/// Why a transcript was not given out: each of these is the supplier's.
#[derive(Debug, thiserror::Error)]
pub enum Withheld {
    #[error("the supplier has no seat in the session")]
    NoSeat,
    #[error("{endpoint} does not answer: {reason}")]
    Silent { endpoint: String, reason: String },
    #[error("{endpoint} refused with {status}: {text}")]
    Refused { endpoint: String, status: u16, text: String },
    #[error("{endpoint} answered with more than {EXHIBIT_MAX} bytes")]
    Long { endpoint: String },
    #[error("it did not answer in time")]
    Slow,
    #[error("what came: {0}")]
    Sealed(#[from] NotOpened),
    #[error("what came is no exhibit: {0}")]
    Bad(#[from] BadExhibit),
    #[error("the exhibit does not hold: {0}")]
    Wrong(#[from] ExhibitRefused),
    /// The chain alone can see that: whoever has the leaf can show it.
    #[error("the claim holds a bill that cannot be: {guilt}")]
    Overcounted { guilt: Overcount, opening: Box<Opening> },
}

/// Why nothing could be asked: this is the auditor's own.
#[derive(Debug, thiserror::Error)]
pub enum CannotAsk {
    #[error("no client for HTTP can be made: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(getrandom::Error),
}

impl Fetcher {
    /// What asks with `signer`'s account on a chain; an exhibit may take `limit`.
    pub fn new(signer: Signer, chain_id: &str, limit: Duration) -> Result<Fetcher, CannotAsk> {
        // A supplier names its own address: it must not lead anywhere else.
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(limit)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Fetcher { client, signer, chain_id: chain_id.to_owned() })
    }

    /// Asks once.
    pub async fn fetch(
        &self,
        wanted: Wanted<'_>,
    ) -> Result<Result<(Exhibit, Checked), Withheld>, CannotAsk> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(CannotAsk::NoRandomness)?;
        let key = SealSecret::from_seed(&seed);
        Ok(self.ask(wanted, &key).await)
    }

    async fn ask(
        &self,
        wanted: Wanted<'_>,
        key: &SealSecret,
    ) -> Result<(Exhibit, Checked), Withheld> {
        let Wanted { audit, session, .. } = wanted;
        let seat = session.seat(&audit.operator).ok_or(Withheld::NoSeat)?;
        let account_key = self.signer.public_key().to_bytes();
        let ask = Ask {
            audit: audit.id,
            account_key: account_key.try_into().expect("a compressed key has 33 bytes"),
            round: wanted.round,
            ticket: wanted.ticket,
            seal_key: key.public(),
            relay_key: seat.relay_key,
        };
        let signature = self.signer.sign(&ask.signed_bytes(&self.chain_id));
        let digest = ask.digest();
        let sent = SignedAsk { ask, signature }.encode();
        let sealed = self.post(&seat.endpoint, audit, sent).await?;
        let bytes = key.open(PURPOSE, &digest, &sealed)?;
        let exhibit = Exhibit::decode(&bytes)?;
        let shown = Evidence { receipt: None, opening: Some(&exhibit.opening) };
        if let Ok(guilt) = overcount(&self.chain_id, session, seat, wanted.root, shown) {
            return Err(Withheld::Overcounted { guilt, opening: Box::new(exhibit.opening) });
        }
        let checked = exhibit.check(&self.chain_id, session, audit, wanted.root)?;
        Ok((exhibit, checked))
    }

    async fn post(
        &self,
        endpoint: &str,
        audit: &Audit,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, Withheld> {
        let url = format!("{}/lode/audits/{}", endpoint.trim_end_matches('/'), audit.id);
        let at = || endpoint.to_owned();
        let silent =
            |error: reqwest::Error| Withheld::Silent { endpoint: at(), reason: causes(&error) };
        let answer = self.client.post(url).body(bytes).send().await.map_err(silent)?;
        let status = answer.status();
        let max = if status.is_success() { EXHIBIT_MAX + SEAL_EXTRA } else { REFUSAL_MAX };
        let (mut read, mut parts) = (Vec::new(), answer.bytes_stream());
        while let Some(part) = parts.next().await {
            read.extend_from_slice(&part.map_err(silent)?);
            if read.len() > max {
                break;
            }
        }
        if !status.is_success() {
            let text = String::from_utf8_lossy(&read[..read.len().min(REFUSAL_MAX)]).into_owned();
            return Err(Withheld::Refused { endpoint: at(), status: status.as_u16(), text });
        }
        if read.len() > max { Err(Withheld::Long { endpoint: at() }) } else { Ok(read) }
    }
}

/// An error with what caused it: the outermost says little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
