//! What the market costs in a block: sessions drawn, claims, proofs, settlements, and how much of it
//! grows with the number of suppliers. The host is in memory, so this is the market alone.
//!
//! ```text
//! cargo run --release -p tests --example finalize -- [SESSIONS]
//! ```
#![allow(clippy::unwrap_used)]

use chain::Host;
use chain::host::{Party, Purse};
use chain::memory::MemoryHost;
use proto::keys::RelaySecret;
use proto::message::{self, AuditGenesis, Genesis, Message, Proof};
use proto::params::Params;
use proto::query::{self, Query};
use proto::session::Session;
use proto::supplier::{Delegation, Escrow, Gateway, Offer, Standing, Supplier};
use proto::wire::Wire;
use proto::{Address, Amount, Coin, Denom, Digest, Height, Price};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tests::town::sign_with;
use tests::town::{BUDGET, CHAIN, GATEWAY, SOURCE, STAKE, Tree, draft, gateway_key, service};

/// Sessions unless told otherwise: with five suppliers each, ten thousand claims.
const SESSIONS: usize = 2_000;

/// Relays in each claim.
const RELAYS: u64 = 4;

/// Claims or proofs in one message.
const BATCH: usize = 16;

fn number(kind: u8, n: usize) -> [u8; 32] {
    let mut bytes = [kind; 32];
    bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
    bytes
}

fn account(kind: u8, n: usize) -> Address {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&number(kind, n)[..20]);
    Address(bytes)
}

fn secret(n: usize) -> RelaySecret {
    RelaySecret::from_bytes(&number(b's', n))
}

fn supplier(n: usize) -> Supplier {
    let operator = account(b's', n);
    Supplier {
        operator,
        owner: operator,
        stake: STAKE,
        relay_key: secret(n).public(),
        endpoint: "http://box".into(),
        offers: vec![Offer { service: service().id, ask: Price(1_000_000), capacity: 1_000_000 }],
        payouts: vec![],
        standing: Standing::Bonded,
        until: Height(0),
    }
}

/// A market with so many suppliers, and an app for each session.
fn market(suppliers: usize, apps: usize) -> MemoryHost {
    let mut host = MemoryHost::new(CHAIN);
    let mut params = Params::dev();
    // Every claim is proven: the dearest case.
    params.proving.always_above = Amount(0);
    let (denom, each) = (Denom::stake(), Amount(BUDGET.0 * 4));
    let gateway_stake = Amount(1 << 60);
    let stakes = Amount(STAKE.0 * suppliers as u128 + gateway_stake.0);
    host.mint(Party::Purse(Purse::Stake), &Coin::stake(stakes));
    host.mint(Party::Purse(Purse::Escrow), &Coin::stake(Amount(each.0 * apps as u128)));
    let app = |n| account(b'a', n);
    let genesis = Genesis {
        authority: SOURCE,
        params,
        services: vec![service()],
        suppliers: (0..suppliers).map(supplier).collect(),
        gateways: vec![Gateway {
            address: GATEWAY,
            stake: gateway_stake,
            relay_key: gateway_key().public(),
            exposure: Amount::ZERO,
            standing: Standing::Bonded,
            until: Height(0),
            backings: Vec::new(),
        }],
        escrow: (0..apps)
            .map(|n| Escrow { app: app(n), denom: denom.clone(), amount: each })
            .collect(),
        delegations: (0..apps)
            .map(|n| Delegation {
                app: app(n),
                gateway: GATEWAY,
                denom: denom.clone(),
                limit: each,
                expires: Height(1 << 40),
            })
            .collect(),
        audits: AuditGenesis::default(),
    };
    chain::genesis(&mut host, &genesis).unwrap();
    host
}

fn ask<Q: Query>(host: &MemoryHost, question: &Q) -> Q::Answer {
    Q::Answer::decode(&chain::query(host, Q::PATH, &question.encode()).unwrap()).unwrap()
}

/// Makes a block of these messages, and says how long each part of it took: the hooks, the messages.
fn block(host: &mut MemoryHost, messages: &[Message]) -> (Duration, Duration) {
    let (start, mut inner) = (Instant::now(), Duration::ZERO);
    host.make_block(|host| {
        let start = Instant::now();
        for message in messages {
            chain::execute(host, message).unwrap();
        }
        inner = start.elapsed();
    });
    host.take_events();
    (start.elapsed() - inner, inner)
}

/// Makes blocks until the next is at `height`, and says how long they took.
fn until(host: &mut MemoryHost, height: Height) -> Duration {
    let mut took = Duration::ZERO;
    while host.block().height.plus(1) < height {
        took += block(host, &[]).0;
    }
    took
}

fn open(host: &mut MemoryHost, sessions: usize) -> (Vec<Session>, Duration) {
    let start = ask(host, &query::GetClock {}).start;
    let (mut ids, mut messages) = (Vec::new(), Vec::new());
    for n in 0..sessions {
        let app = account(b'a', n);
        ids.push(Session::id_of(CHAIN, &service().id, &app, &GATEWAY, start));
        let open = message::OpenSession {
            gateway: GATEWAY,
            app,
            service: service().id,
            start,
            budget: BUDGET,
        };
        messages.push(open.into());
    }
    let took = block(host, &messages).1;
    let session = |id| ask(host, &query::GetSession { id });
    (ids.into_iter().map(session).collect(), took)
}

/// The tree of each seat, by operator.
type Trees = BTreeMap<Address, Vec<(Session, Tree)>>;

fn serve(sessions: &[Session]) -> Trees {
    let mut trees = Trees::new();
    for session in sessions {
        for seat in &session.seats {
            let [a, b, c, d, e, f, g, h, ..] = seat.operator.0;
            let n = u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize;
            let relay = |i| sign_with(draft(session, seat.operator, i, 10 + i), &secret(n));
            let tree = Tree::of((0..RELAYS).map(relay).collect());
            trees.entry(seat.operator).or_default().push((session.clone(), tree));
        }
    }
    trees
}

fn claims(trees: &Trees) -> Vec<Message> {
    let batches = |(operator, trees): (&Address, &Vec<(Session, Tree)>)| {
        let operator = *operator;
        let message = move |batch: &[(Session, Tree)]| {
            let claims = batch.iter().map(|(session, tree)| tree.root(session)).collect();
            Message::from(message::SubmitClaims { operator, claims })
        };
        trees.chunks(BATCH).map(message).collect::<Vec<_>>()
    };
    trees.iter().flat_map(batches).collect()
}

fn proofs(trees: &Trees, seed: &Digest) -> Vec<Message> {
    let mut messages = Vec::new();
    for (operator, trees) in trees {
        for batch in trees.chunks(BATCH) {
            let proof = |(session, tree): &(Session, Tree)| Proof {
                session_id: session.id,
                openings: tree.openings(session, *operator, seed),
            };
            let proofs = batch.iter().map(proof).collect();
            messages.push(message::SubmitProofs { operator: *operator, proofs }.into());
        }
    }
    messages
}

fn micros(took: Duration, count: usize) -> f64 {
    took.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// What grows with suppliers, and what must not.
fn draws(suppliers: usize) {
    let mut host = market(suppliers, 200);
    // At each boundary so many suppliers enter the roster as one block can take.
    let mut joining = block(&mut host, &[]).0;
    for _ in 0..suppliers / JOIN_AT_ONCE {
        joining = joining.max(boundary(&mut host));
    }
    let (_, first) = open(&mut host, 100);
    let quiet = boundary(&mut host);
    let (_, second) = open(&mut host, 100);
    println!(
        "{suppliers:>9}  {:>14.1}  {:>18.2}  {:>18.1}",
        micros(first + second, 200),
        quiet.as_secs_f64() * 1e3,
        joining.as_secs_f64() * 1e3,
    );
}

/// Suppliers that enter a roster at one boundary.
const JOIN_AT_ONCE: usize = 8_192;

/// How long the first block of the next session takes: rosters change, the price takes its step.
fn boundary(host: &mut MemoryHost) -> Duration {
    let start = ask(host, &query::GetClock {}).next_start;
    until(host, start);
    block(host, &[]).0
}

fn settlement(sessions: usize) {
    let mut host = market(1_000, sessions);
    block(&mut host, &[]);
    let (sessions, _) = open(&mut host, sessions);
    let trees = serve(&sessions);
    let count: usize = trees.values().map(Vec::len).sum();
    until(&mut host, sessions[0].claim_window().start);
    let messages = claims(&trees);
    let (_, claimed) = block(&mut host, &messages);
    until(&mut host, sessions[0].proof_window().start);
    let seed = ask(&host, &query::GetSeed { height: sessions[0].reveal_height() }).seed;
    let messages = proofs(&trees, &seed);
    let (_, proven) = block(&mut host, &messages);
    until(&mut host, sessions[0].settle_height());
    let settled = until(&mut host, sessions[0].settle_height().plus(2));
    println!("\n{count} claims of {RELAYS} relays, each proven by {} leaves:", 4);
    println!(
        "  claim     {:8.1} us, {:8.0} a second",
        micros(claimed, count),
        1e6 / micros(claimed, count)
    );
    println!(
        "  proof     {:8.1} us, {:8.0} a second",
        micros(proven, count),
        1e6 / micros(proven, count)
    );
    println!(
        "  all settled in {:.1} ms, {:.1} us each",
        settled.as_secs_f64() * 1e3,
        micros(settled, count)
    );
}

/// The most memory that this process held so far, where the system tells it.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(format!("{} MB", kilobytes / 1_024))
}

/// A whole session of a market with so many suppliers, from its opening to its settlement, with blocks
/// of nothing else: how many sessions a second that is.
fn whole(suppliers: usize, sessions: usize) {
    let mut host = market(suppliers, sessions);
    block(&mut host, &[]);
    for _ in 0..suppliers / JOIN_AT_ONCE {
        boundary(&mut host);
    }
    let before = Instant::now();
    let (opened, _) = open(&mut host, sessions);
    let mut market_alone = before.elapsed();
    // What suppliers and gateways sign is not the chain's work.
    let trees = serve(&opened);
    market_alone += until(&mut host, opened[0].claim_window().start);
    market_alone += block(&mut host, &claims(&trees)).1;
    market_alone += until(&mut host, opened[0].proof_window().start);
    let seed = ask(&host, &query::GetSeed { height: opened[0].reveal_height() }).seed;
    let shown = proofs(&trees, &seed);
    market_alone += block(&mut host, &shown).1;
    market_alone += until(&mut host, opened[0].settle_height().plus(2));
    println!(
        "\n{sessions} sessions among {suppliers} suppliers, {} claims: {:.0} sessions a second",
        trees.values().map(Vec::len).sum::<usize>(),
        sessions as f64 / market_alone.as_secs_f64(),
    );
    if let Some(peak) = peak_memory() {
        println!("  at most {peak} with all records in memory");
    }
}

fn main() {
    let sessions = std::env::args().nth(1).map_or(SESSIONS, |text| text.parse().unwrap());
    println!("suppliers  open, us each   quiet boundary, ms  fullest boundary, ms");
    for suppliers in [1_000, 10_000, 100_000] {
        draws(suppliers);
    }
    settlement(sessions);
    whole(100_000, sessions);
}
