//! What tests stand a relay miner in: a session, its gateway, a supplier's server, a chain.

mod backend;
mod gateway;
mod market;
mod stand;

pub(crate) use backend::Backend;
pub(crate) use gateway::{Gateway, header, receipt};
pub(crate) use market::Town;
pub(crate) use stand::{Stand, digest_of, receipt_of, told};

use crate::admit::Identity;
use crate::book::Opened;
use crate::count::{BadBody, Count, Counter, Counters, Ending, Endpoint, Need};
use proto::audit;
use proto::coins::Value;
use proto::keys::RelaySecret;
use proto::params::{Params, Proving};
use proto::service::{Service, ServiceId};
use proto::session::{Seat, Session, Terms};
use proto::supplier::PayoutShare;
use proto::usage::CuWeights;
use proto::{Address, Amount, Denom, Digest, Height, Ppm, Price};
use std::sync::Arc;

pub(crate) const CHAIN: &str = "lode-test";
pub(crate) const OPERATOR: Address = Address([7; 20]);
pub(crate) const OWNER: Address = Address([8; 20]);
pub(crate) const HELPER: Address = Address([9; 20]);

pub(crate) fn relay_secret() -> RelaySecret {
    RelaySecret::from_bytes(&[3; 32])
}

pub(crate) fn identity() -> Identity {
    let relay_key = relay_secret().public();
    Identity { chain_id: CHAIN.into(), operator: OPERATOR, relay_key }
}

pub(crate) fn params() -> Params {
    let standard = Params::dev();
    Params {
        inflight_max: 8,
        checkpoint_cu: 8,
        proving: Proving { always_above: Amount(1), ..standard.proving },
        audits: audit::Params {
            rate: Ppm::ONE,
            claim_typical: Amount(20 * standard.audits.claim_typical.0),
            ..standard.audits
        },
        ..standard
    }
}

/// A token of either kind weighs 1, and a unit costs a coin.
pub(crate) fn service() -> Service {
    Service {
        id: ServiceId::new("demo").unwrap(),
        source: Address([5; 20]),
        model_hash: Digest([1; 32]),
        tokenizer_hash: Digest([2; 32]),
        template_hash: Digest([3; 32]),
        precision: "q8".into(),
        kernel_class: "cpu".into(),
        context_max: 1024,
        cu_weights: CuWeights { fresh_in: 1, cached_in: 1, out: 1 },
        price_start: Price(1_000_000),
        denom: Denom::stake(),
        identity_threshold: 0,
    }
}

/// The session that begins at `start`.
pub(crate) fn session(start: u64) -> Session {
    let (service, params) = (service(), params());
    let (app, gateway) = (Address([1; 20]), Address([2; 20]));
    let share = |to, share| PayoutShare { to, share: Ppm(share) };
    Session {
        id: Session::id_of(CHAIN, &service.id, &app, &gateway, Height(start)),
        service: service.id.clone(),
        app,
        gateway,
        gateway_key: Gateway::secret().public(),
        start: Height(start),
        end: Height(start + params.session_length),
        budget: market::BUDGET,
        seats: vec![Seat {
            operator: OPERATOR,
            relay_key: relay_secret().public(),
            endpoint: "http://127.0.0.1:9000".into(),
            payouts: vec![share(OWNER, 900_000), share(HELPER, 100_000)],
        }],
        terms: Terms::of(&service, &params, Price(1_000_000), Value::PAR),
    }
}

pub(crate) fn opened(session: Session) -> Opened {
    Opened { chain_id: CHAIN.into(), operator: OPERATOR, session }
}

/// A body whose prompt is one token; the supplier's server does what the prompt says.
pub(crate) fn body(prompt: &str, max_tokens: u64) -> Vec<u8> {
    let body = serde_json::json!({"model": "demo", "prompt": prompt, "max_tokens": max_tokens});
    body.to_string().into_bytes()
}

/// Counts each `x` as a token. An answer is whole when it ends with `.`; one with a `?` is garbage.
#[derive(Debug)]
pub(crate) struct Letters;

#[derive(Default)]
struct LetterCount {
    out: u64,
    last: u8,
    garbage: bool,
}

impl Counter for Letters {
    fn begin(&self, _: Endpoint, body: &[u8]) -> Result<(Need, Box<dyn Count>), BadBody> {
        let body: serde_json::Value =
            serde_json::from_slice(body).map_err(|error| BadBody(error.to_string()))?;
        let out_max = body["max_tokens"].as_u64().ok_or(BadBody("no max_tokens".into()))?;
        let model = body["model"].as_str().ok_or(BadBody("no model".into()))?.to_owned();
        Ok((Need { model, prompt: 1, out_max }, Box::new(LetterCount::default())))
    }
}

impl Count for LetterCount {
    fn push(&mut self, bytes: &[u8]) {
        self.out += bytes.iter().filter(|byte| **byte == b'x').count() as u64;
        self.garbage |= bytes.contains(&b'?');
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    fn out(&mut self) -> u64 {
        self.out
    }

    fn ending(&mut self) -> Ending {
        match (self.garbage, self.last) {
            (true, _) => Ending::Garbage,
            (false, b'.') => Ending::Whole,
            (false, _) => Ending::Open,
        }
    }
}

pub(crate) fn counters() -> Counters {
    let listed = (Digest([2; 32]), Digest([3; 32]));
    Counters::from([(listed, Arc::new(Letters) as Arc<dyn Counter>)])
}
