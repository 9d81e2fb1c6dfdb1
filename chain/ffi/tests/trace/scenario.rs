//! What is played: a market from its first service to its last returned stake.

use crate::audits;
use crate::cast::{
    APP, AUTHORITY, Account, GATEWAY, HONEST, LIAR, OWNER, ROGUE, SILENT, SOURCE, VALIDATOR,
    account,
};
use crate::recorder::Recorder;
use proto::claim::ClaimRoot;
use proto::coins::{AllowedCoin, Value};
use proto::leaf::Opening;
use proto::message::{
    AuditGenesis, Delegate, Deposit, Genesis, ListService, Message, OpenSession, Proof,
    StakeGateway, StakeSupplier, SubmitClaims, SubmitProofs, Undelegate, UnjailSupplier,
    UnstakeGateway, UnstakeSupplier, UpdateParams, UpdateSupplier, Withdraw,
};
use proto::params::Params;
use proto::query::{GetClock, GetSeed, GetSession};
use proto::service::Service;
use proto::session::Session;
use proto::supplier::{Offer, PayoutShare};
use proto::{Address, Amount, Coin, Cu, Denom, Digest, Height, Ppm, Price};
use tests::town::{CHAIN, DOLLAR, Tree, dollar, dollar_service, draft, service, sign};

/// What each supplier stakes: the least, so that who loses of it is jailed.
const STAKE: Amount = Amount(1_000_000_000);
const BUDGET: Amount = Amount(1_000_000);

/// Parameters under which every claim must be proven.
fn params() -> Params {
    let mut params = Params::dev();
    params.proving.always_above = Amount(0);
    params.proving.draws = 2;
    // Every claim that is final is audited.
    params.audits.rate = Ppm::ONE;
    params.audits.fee = Amount(2_000);
    params.audits.ringers = vec![OWNER.address()];
    params.coins = vec![AllowedCoin { denom: dollar(), value: DOLLAR }];
    params
}

fn listed() -> Service {
    Service { source: SOURCE.address(), identity_threshold: 1, ..service() }
}

/// The same in a coin that came over IBC.
fn listed_in_dollars() -> Service {
    Service { source: SOURCE.address(), ..dollar_service() }
}

/// Plays everything.
pub fn play() -> Recorder {
    let genesis = Genesis {
        authority: AUTHORITY.address(),
        params: params(),
        services: vec![],
        suppliers: vec![],
        gateways: vec![],
        escrow: vec![],
        delegations: vec![],
        audits: AuditGenesis::default(),
    };
    let mut run = Recorder::new(CHAIN, &genesis);
    run.block(&[]);
    come_in(&mut run);
    let sessions = open(&mut run);
    change(&mut run);
    let trees: Vec<(Session, Vec<Usage>)> =
        sessions.into_iter().map(|session| (session.clone(), usage(&session))).collect();
    claim(&mut run, &trees);
    prove(&mut run, &trees);
    audits::audit(&mut run, &trees[0].0, &trees[2].0);
    run.until(trees[0].0.settle_height().plus(2));
    leave(&mut run);
    run
}

/// Registrations, honest and not.
fn come_in(run: &mut Recorder) {
    run.block(&[
        ListService { source: SOURCE.address(), service: listed() }.into(),
        ListService { source: ROGUE.address(), service: listed() }.into(),
        ListService { source: SOURCE.address(), service: listed_in_dollars() }.into(),
        ListService {
            source: SOURCE.address(),
            service: Service { denom: unknown(), ..listed_in_dollars() },
        }
        .into(),
        stake_gateway(GATEWAY, STAKE.0 * 10, Denom::stake()),
        stake_gateway(GATEWAY, BUDGET.0 * 4, dollar()),
        stake_gateway(GATEWAY, 1, unknown()),
        stake_gateway(ROGUE, 1, Denom::stake()),
        stake_gateway(ROGUE, STAKE.0, dollar()),
        deposit(APP, 50_000_000, Denom::stake()),
        deposit(GATEWAY, 50_000_000, Denom::stake()),
        deposit(ROGUE, u128::MAX, Denom::stake()),
        deposit(ROGUE, 5, unknown()),
        deposit(APP, 30_000_000, dollar()),
        withdraw(ROGUE, 1, Denom::stake()),
        delegate(APP, GATEWAY, 20_000_000, Denom::stake()),
        delegate(APP, GATEWAY, 10_000_000, dollar()),
        delegate(APP, GATEWAY, 0, Denom::stake()),
        audits::bond(VALIDATOR),
        audits::bond(ROGUE),
    ]);
    run.block(&[
        stake_supplier(HONEST, STAKE),
        stake_supplier(LIAR, STAKE),
        stake_supplier(SILENT, STAKE),
        stake_supplier(ROGUE, Amount(1)),
        UpdateSupplier {
            operator: ROGUE.address(),
            relay_key: ROGUE.relay_key(),
            endpoint: "http://rogue".into(),
            offers: vec![],
        }
        .into(),
    ]);
}

/// Sessions for the app and for the gateway itself, one for the app in the other coin, and those that
/// nobody gets.
fn open(run: &mut Recorder) -> Vec<Session> {
    let next = run.ask(&GetClock {}).next_start;
    run.block(&audits::choose());
    run.block(&audits::plant_probes(next));
    run.until(next);
    run.block(&[]);
    let start = run.ask(&GetClock {}).start;
    let (own, other) = (listed(), listed_in_dollars());
    run.block(&[
        open_session(GATEWAY, APP, &own, start, BUDGET),
        open_session(GATEWAY, GATEWAY, &own, start, BUDGET),
        open_session(GATEWAY, APP, &other, start, BUDGET),
        open_session(GATEWAY, APP, &own, start, BUDGET),
        open_session(GATEWAY, APP, &own, Height(start.0 - 10), BUDGET),
        open_session(GATEWAY, APP, &own, start, Amount(1 << 60)),
        open_session(GATEWAY, GATEWAY, &other, start, Amount(BUDGET.0 * 2)),
        open_session(ROGUE, APP, &own, start, BUDGET),
    ]);
    [(APP, &own), (GATEWAY, &own), (APP, &other)]
        .map(|(app, service)| {
            Session::id_of(CHAIN, &service.id, &app.address(), &GATEWAY.address(), start)
        })
        .map(|id| run.ask(&GetSession { id }))
        .into()
}

/// Changes that sessions which are open do not see.
fn change(run: &mut Recorder) {
    let cheap = AllowedCoin { denom: dollar(), value: Value { stake: 1, units: 1_000 } };
    let other = Params { jail: 5, coins: vec![cheap], ..params() };
    let mut broken = params();
    broken.shares.burn = Ppm(999_999);
    run.block(&[
        UpdateParams { authority: AUTHORITY.address(), params: other }.into(),
        UpdateParams { authority: ROGUE.address(), params: params() }.into(),
        UpdateParams { authority: AUTHORITY.address(), params: broken }.into(),
        ListService {
            source: SOURCE.address(),
            service: Service { context_max: 1_024, ..listed() },
        }
        .into(),
        ListService { source: SOURCE.address(), service: Service { denom: dollar(), ..listed() } }
            .into(),
        UpdateSupplier {
            operator: HONEST.address(),
            relay_key: HONEST.relay_key(),
            endpoint: "http://elsewhere".into(),
            offers: offers(1_100_000),
        }
        .into(),
        UnjailSupplier { operator: HONEST.address() }.into(),
        Undelegate { app: ROGUE.address(), gateway: GATEWAY.address() }.into(),
    ]);
}

/// What one supplier of a session books.
struct Usage {
    who: Account,
    tree: Tree,
}

fn usage(session: &Session) -> Vec<Usage> {
    let of = |who: Account| {
        let relay = |n| {
            let mut relay = draft(session, who.address(), n, 5 + n);
            if who == LIAR {
                // Tokens that nobody got.
                relay.receipt.usage.out += 50;
            }
            sign(relay, who.number())
        };
        Usage { who, tree: Tree::of((0..8).map(relay).collect()) }
    };
    session.seats.iter().map(|seat| of(account(seat.operator))).collect()
}

/// Claims in their window, and all that is none.
fn claim(run: &mut Recorder, trees: &[(Session, Vec<Usage>)]) {
    let window = trees[0].0.claim_window();
    let first = |who: Account| {
        let (session, usages) = &trees[0];
        usages.iter().find(|usage| usage.who == who).map(|usage| usage.tree.root(session)).unwrap()
    };
    run.block(&[submit(HONEST, vec![first(HONEST)])]);
    run.block(&audits::plant(&trees[0].0));
    run.until(window.start);
    let mut messages = Vec::new();
    for (session, usages) in trees {
        for Usage { who, tree } in usages {
            messages.push(submit(*who, vec![tree.root(session)]));
        }
    }
    let honest = first(HONEST);
    messages.extend([
        submit(ROGUE, vec![honest]),
        submit(HONEST, vec![ClaimRoot { session_id: Digest([9; 32]), ..honest }]),
        submit(HONEST, vec![ClaimRoot { sum: Cu(u64::MAX), ..honest }]),
        submit(HONEST, vec![]),
        submit(HONEST, vec![honest]),
    ]);
    run.block(&messages);
}

/// Leaves that the seed asks for, and some that it does not.
fn prove(run: &mut Recorder, trees: &[(Session, Vec<Usage>)]) {
    run.until(trees[0].0.proof_window().start);
    let mut messages = vec![proof(ROGUE, Digest([9; 32]), vec![])];
    for (session, usages) in trees {
        let seed = run.ask(&GetSeed { height: session.reveal_height() }).seed;
        for Usage { who, tree } in usages.iter().filter(|usage| usage.who != SILENT) {
            let openings = tree.openings(session, who.address(), &seed);
            messages.push(proof(*who, session.id, openings.clone()));
            messages.push(proof(*who, session.id, openings));
        }
    }
    run.block(&messages);
}

/// Everybody goes, and gets what is left.
fn leave(run: &mut Recorder) {
    run.block(&[UnjailSupplier { operator: LIAR.address() }.into()]);
    let top_up = stake_supplier(LIAR, STAKE);
    run.block(&[top_up]);
    for _ in 0..22 {
        run.block(&[]);
    }
    run.block(&[
        UnjailSupplier { operator: LIAR.address() }.into(),
        Undelegate { app: APP.address(), gateway: GATEWAY.address() }.into(),
        withdraw(APP, 1_000_000, Denom::stake()),
        withdraw(APP, 1_000_000, dollar()),
        withdraw(APP, 1_000_000, unknown()),
        UnstakeSupplier { owner: ROGUE.address(), operator: HONEST.address() }.into(),
        UnstakeSupplier { owner: OWNER.address(), operator: HONEST.address() }.into(),
        UnstakeGateway { gateway: ROGUE.address() }.into(),
        UnstakeGateway { gateway: GATEWAY.address() }.into(),
        audits::unbond(VALIDATOR),
        audits::unbond(ROGUE),
    ]);
    for _ in 0..70 {
        run.block(&[]);
    }
}

fn offers(ask: u64) -> Vec<Offer> {
    let offer =
        |service: Service| Offer { service: service.id, ask: Price(ask), capacity: 1_000_000 };
    [listed(), listed_in_dollars()].map(offer).into()
}

fn share(to: Account, share: u32) -> PayoutShare {
    PayoutShare { to: to.address(), share: Ppm(share) }
}

fn stake_supplier(who: Account, add: Amount) -> Message {
    StakeSupplier {
        owner: OWNER.address(),
        operator: who.address(),
        add: Coin::stake(add),
        relay_key: who.relay_key(),
        endpoint: "http://box".into(),
        offers: offers(1_000_000),
        payouts: vec![share(OWNER, 400_000), share(who, 600_000)],
    }
    .into()
}

/// A coin that people have and governance does not allow.
fn unknown() -> Denom {
    Denom::new("unknown").unwrap()
}

fn stake_gateway(who: Account, add: u128, denom: Denom) -> Message {
    let add = Coin::new(Amount(add), denom);
    StakeGateway { gateway: who.address(), add, relay_key: who.relay_key() }.into()
}

fn deposit(who: Account, amount: u128, denom: Denom) -> Message {
    Deposit { app: who.address(), coin: Coin::new(Amount(amount), denom) }.into()
}

fn withdraw(who: Account, amount: u128, denom: Denom) -> Message {
    Withdraw { app: who.address(), coin: Coin::new(Amount(amount), denom) }.into()
}

fn delegate(app: Account, gateway: Account, limit: u128, denom: Denom) -> Message {
    let limit = Coin::new(Amount(limit), denom);
    let expires = Height(10_000);
    Delegate { app: app.address(), gateway: gateway.address(), limit, expires }.into()
}

fn open_session(
    gateway: Account,
    app: Account,
    service: &Service,
    start: Height,
    budget: Amount,
) -> Message {
    let (gateway, app): (Address, Address) = (gateway.address(), app.address());
    OpenSession { gateway, app, service: service.id.clone(), start, budget }.into()
}

fn submit(who: Account, claims: Vec<ClaimRoot>) -> Message {
    SubmitClaims { operator: who.address(), claims }.into()
}

fn proof(who: Account, session_id: Digest, openings: Vec<Opening>) -> Message {
    SubmitProofs { operator: who.address(), proofs: vec![Proof { session_id, openings }] }.into()
}
