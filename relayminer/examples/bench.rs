//! Relays that are admitted, signed and durably booked a second, for each core that is used: all that
//! a relay costs a relay miner but HTTP, the supplier and counting tokens.
//!
//! ```text
//! cargo run --release -p relayminer --example bench -- [RELAYS] [SESSIONS] [FOLDER]
//! ```
//! Prints one line of JSON. The folder should be on the disk on which books will be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::coins::Value;
use proto::keys::RelaySecret;
use proto::params::Params;
use proto::relay::{
    AckEntry, Acked, Envelope, RelayRequest, Signable, Status, body_digest, sampler_seed,
};
use proto::service::{Service, ServiceId};
use proto::session::{Seat, Session, Terms};
use proto::transcript::commit;
use proto::usage::CuWeights;
use proto::wire::Wire;
use proto::{Address, Amount, Cu, Denom, Digest, Height, Price, Time, Usage};
use relayminer::admit::{self, Identity, Refused};
use relayminer::book::{Opened, Record, Writer};
use relayminer::receipt::{self, Outcome, Times};
use relayminer::sessions::Live;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CHAIN: &str = "lode-bench";
const OPERATOR: Address = Address([7; 20]);
const AT: Height = Height(3);

/// Relays of one session that run at once.
const AT_ONCE: usize = 64;

fn gateway() -> RelaySecret {
    RelaySecret::from_bytes(&[4; 32])
}

fn supplier() -> RelaySecret {
    RelaySecret::from_bytes(&[3; 32])
}

fn session(number: u8) -> Result<Session, Box<dyn Error>> {
    let service = Service {
        id: ServiceId::new("bench")?,
        source: Address([5; 20]),
        model_hash: Digest([1; 32]),
        tokenizer_hash: Digest([2; 32]),
        template_hash: Digest([3; 32]),
        precision: String::new(),
        kernel_class: String::new(),
        context_max: 4096,
        cu_weights: CuWeights { fresh_in: 1, cached_in: 1, out: 4 },
        price_start: Price(1),
        denom: Denom::stake(),
        identity_threshold: 0,
    };
    let (app, gateway_address) = (Address([number; 20]), Address([2; 20]));
    let seat = Seat {
        operator: OPERATOR,
        relay_key: supplier().public(),
        endpoint: "http://127.0.0.1:9000".into(),
        payouts: Vec::new(),
    };
    let params = Params { inflight_max: 256, ..Params::standard() };
    Ok(Session {
        id: Session::id_of(CHAIN, &service.id, &app, &gateway_address, Height(1)),
        service: service.id.clone(),
        app,
        gateway: gateway_address,
        gateway_key: gateway().public(),
        start: Height(1),
        end: Height(61),
        budget: Amount(1 << 60),
        seats: vec![seat],
        terms: Terms::of(&service, &params, Price(1), Value::PAR),
    })
}

/// What a gateway sends: headers, each acknowledging all relays of the round before, and the body.
fn headers(session: &Session, relays: usize, body: &[u8]) -> Result<Vec<String>, Box<dyn Error>> {
    let (secret, mut acked, mut headers) = (gateway(), Acked::default(), Vec::new());
    let relay_id = |seq: usize| body_digest(&seq.to_be_bytes());
    let mut round = Vec::new();
    for seq in 0..relays {
        if seq % AT_ONCE == 0 {
            round = (seq.saturating_sub(AT_ONCE)..seq)
                .map(|seq| AckEntry { relay_id: relay_id(seq), cu: Cu(240) })
                .collect();
            for entry in &round {
                acked = acked.with(entry)?;
            }
        }
        let request = RelayRequest {
            chain_id: CHAIN.into(),
            session_id: session.id,
            supplier: OPERATOR,
            relay_id: relay_id(seq),
            seq: seq as u64,
            request_digest: body_digest(body),
            max_cu: Cu(1_000),
            issued_at: AT,
            acked,
        };
        // The first of a round brings its entries; the others may overtake each other behind it.
        let entries = if seq % AT_ONCE == 0 { std::mem::take(&mut round) } else { Vec::new() };
        let envelope = Envelope { request: request.sign(&secret), entries };
        headers.push(STANDARD.encode(envelope.encode()));
    }
    Ok(headers)
}

async fn relay(
    live: &Live,
    writer: &Writer,
    is: &Identity,
    secret: &RelaySecret,
    header: &str,
    body: &[u8],
) -> Result<(), Refused> {
    let session = live.session();
    let envelope = admit::read_header(Some(header.as_bytes()))?;
    admit::check_header(&envelope, session, is, AT)?;
    let checked = admit::check(envelope, session, body)?;
    admit::check_reservation(&checked, Cu(900))?;
    let request = checked.envelope().request.body.clone();
    let accepted = live
        .write::<Refused>(writer, |book| {
            let accepted = admit::admit(book, checked, AT, Time(1))?;
            Ok(Record::Accepted(Box::new(accepted)))
        })
        .await?;
    let failed = |error: relayminer::book::WriteFailed| Refused::Failed(error.to_string());
    accepted.durable().await.map_err(failed)?;
    let seed = sampler_seed(&request.session_id, &request.relay_id, &request.supplier);
    let outcome = Outcome {
        status: Status::Completed,
        usage: Usage { fresh_in: 40, cached_in: 0, out: 50 },
        answer: commit(&seed.to_be_bytes()),
        evidence_root: Digest::default(),
        times: Times { started_at: Time(1), first_token_at: Time(2), finished_at: Time(3) },
    };
    let signed = receipt::sign(secret, &request, session.terms.cu_weights, &outcome);
    let record = Record::Receipt(Box::new(signed));
    let written = live.write::<Refused>(writer, |_| Ok(record)).await?;
    written.durable().await.map_err(failed)
}

async fn serve(
    live: Arc<Live>,
    writer: Writer,
    is: Identity,
    headers: Vec<String>,
    body: Arc<[u8]>,
) -> Result<(), Refused> {
    let secret = supplier();
    for round in headers.chunks(AT_ONCE) {
        let relays = round.iter().map(|header| relay(&live, &writer, &is, &secret, header, &body));
        futures::future::try_join_all(relays).await?;
    }
    Ok(())
}

fn argument(place: usize) -> Option<String> {
    std::env::args().nth(place)
}

fn main() -> Result<(), Box<dyn Error>> {
    let relays: usize = argument(1).map_or(Ok(100_000), |text| text.parse())?;
    let sessions: usize = argument(2).map_or(Ok(16), |text| text.parse())?;
    let folder = argument(3).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("lode-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(relays / sessions, sessions, &folder);
    std::fs::remove_dir_all(&folder)?;
    println!("{}", measured?);
    Ok(())
}

fn measure(
    each: usize,
    sessions: usize,
    folder: &Path,
) -> Result<serde_json::Value, Box<dyn Error>> {
    let body: Arc<[u8]> = vec![b'x'; 1_000].into();
    let mut work = Vec::new();
    for number in 0..sessions {
        let session = session(u8::try_from(number)?)?;
        let headers = headers(&session, each, &body)?;
        let opened = Opened { chain_id: CHAIN.into(), operator: OPERATOR, session };
        work.push((Arc::new(Live::fresh(opened, folder)), headers));
    }
    let is =
        Identity { chain_id: CHAIN.into(), operator: OPERATOR, relay_key: supplier().public() };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (writer, written) = Writer::start(folder)?;
    let (started, cpu) = (Instant::now(), daemon::process::cpu_seconds());
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (live, headers) in work {
            tasks.spawn(serve(live, writer.clone(), is.clone(), headers, body.clone()));
        }
        tasks.join_all().await.into_iter().collect::<Result<(), Refused>>()
    })?;
    let (wall, cpu) = (started.elapsed().as_secs_f64(), daemon::process::cpu_seconds() - cpu);
    let relays = each * sessions;
    Ok(serde_json::json!({
        "bench": "miner_book",
        "relays": relays,
        "sessions": sessions,
        "wall_s": wall,
        "cpu_s": cpu,
        "us_per_relay": cpu * 1e6 / relays as f64,
        "relays_per_core_s": relays as f64 / cpu,
        "relays_per_s": relays as f64 / wall,
        "syncs": written.syncs(),
        "relays_per_sync": relays as f64 / written.syncs() as f64,
    }))
}
