//! Services in another coin than that of stakes: each coin is kept, paid and conserved by itself.

use chain::Refused;
use chain::host::{Party, Purse};
use proto::claim::{Phase, Settled};
use proto::coins::{AllowedCoin, Value};
use proto::message::{self, Message};
use proto::params::Params;
use proto::query;
use proto::service::{Service, ServiceId};
use proto::session::Session;
use proto::supplier::{Backing, Gateway};
use proto::{Address, Amount, Coin, Denom, Height};
use tests::town::{
    APP, BUDGET, DOLLAR, GATEWAY, SOURCE, STAKE, Town, Tree, dollar, dollar_service, draft,
    first_seat, gateway_key, service, sign,
};

fn open(town: &mut Town) -> Session {
    town.open_of(dollar_service().id).unwrap()
}

/// Serves, claims and proves in the first seat.
fn serve(town: &mut Town, session: &Session) -> (Address, Settled) {
    let (i, operator) = first_seat(session);
    let tree = Tree::of((0..40).map(|n| sign(draft(session, operator, n, n + 1), i)).collect());
    let settled = town.settle(session, operator, tree.root(session), |town| {
        Some(tree.openings(session, operator, &town.seed(session)))
    });
    (operator, settled)
}

fn send(town: &mut Town, message: impl Into<Message>) -> Result<(), Refused> {
    town.block(&[message.into()]).remove(0)
}

fn refusal(town: &mut Town, message: impl Into<Message>) -> String {
    send(town, message).unwrap_err().to_string()
}

/// Governance allows these coins from the next session on.
fn allow(town: &mut Town, coins: Vec<AllowedCoin>) {
    let params = Params { coins, ..town.ask(&query::GetParams {}).unwrap() };
    send(town, message::UpdateParams { authority: SOURCE, params }).unwrap();
    let next = town.ask(&query::GetClock {}).unwrap().next_start;
    town.until(next);
    town.block(&[]);
}

fn gateway(town: &Town) -> Gateway {
    town.ask(&query::GetGateway { address: Some(GATEWAY) }).unwrap()
}

fn free(town: &Town, denom: &Denom) -> Amount {
    let app = town.ask(&query::GetApp { app: Some(GATEWAY) }).unwrap();
    app.escrow.iter().find(|kept| kept.denom == *denom).unwrap().amount
}

#[test]
fn everybody_is_paid_in_the_coin_of_the_service_and_the_treasury_gets_what_cannot_be_burned() {
    let mut town = Town::new(3);
    let (own, escrow) = (free(&town, &Denom::stake()), free(&town, &dollar()));
    let session = open(&mut town);
    let parties = |town: &Town, operator| {
        let purses = [Purse::Audits, Purse::Treasury].map(Party::Purse);
        [Party::Account(operator), Party::Account(SOURCE), purses[0], purses[1]]
            .map(|party| town.held(party, &dollar()).0)
    };
    let before = parties(&town, first_seat(&session).1);
    let (operator, settled) = serve(&mut town, &session);
    let got = parties(&town, operator);
    // 3,680 units at a price of 1: 85, 3, 3 and 2 percent, and to the treasury the 7 beside.
    assert_eq!((settled.phase, &settled.denom), (Phase::Proven, &dollar()));
    assert_eq!(settled.cost, Amount(3_680));
    let shares: Vec<u128> = got.iter().zip(before).map(|(got, before)| got - before).collect();
    assert_eq!(shares, [3_128, 110, 110, 332]);
    assert_eq!(settled.split.burn, Amount::ZERO);
    assert_eq!(free(&town, &dollar()).0, escrow.0 - 3_680);
    assert_eq!(free(&town, &Denom::stake()), own, "the other coin was touched");
    assert_eq!(town.stake(operator), STAKE);
}

#[test]
fn over_commitment_is_paid_from_what_backs_that_coin_and_not_from_the_stake() {
    let mut town = Town::new(2);
    let session = open(&mut town);
    let exposed = Backing { denom: dollar(), amount: STAKE, exposure: session.exposure() };
    assert_eq!(gateway(&town).backings, [exposed]);
    town.until(session.claim_window().start);
    let mut served = Vec::new();
    for seat in &session.seats {
        let i = seat.operator.0[0] - 100;
        let relay = |n| sign(draft(&session, seat.operator, n, 12_497), i);
        let tree = Tree::of((0..19).map(relay).collect());
        let claims = vec![tree.root(&session)];
        send(&mut town, message::SubmitClaims { operator: seat.operator, claims }).unwrap();
        served.push((seat.operator, tree));
    }
    town.until(session.proof_window().start);
    for (operator, tree) in &served {
        let openings = tree.openings(&session, *operator, &town.seed(&session));
        let proofs = vec![message::Proof { session_id: session.id, openings }];
        send(&mut town, message::SubmitProofs { operator: *operator, proofs }).unwrap();
    }
    town.until(session.settle_height().plus(1));
    let paid: u128 = served.iter().map(|(_, tree)| u128::from(tree.trie.root().sum)).sum();
    let after = gateway(&town);
    assert_eq!((after.stake, after.exposure), (STAKE, Amount::ZERO));
    let amount = Amount(STAKE.0 - (paid - BUDGET.0));
    assert_eq!(after.backings, [Backing { denom: dollar(), amount, exposure: Amount::ZERO }]);
}

#[test]
fn what_is_staked_of_one_coin_backs_no_other() {
    let mut town = Town::new(3);
    let start = town.ask(&query::GetClock {}).unwrap().start;
    let (gateway, service) = (GATEWAY, dollar_service().id);
    let budget = Amount(STAKE.0 / 2 + 1);
    let wide = message::OpenSession { gateway, app: GATEWAY, service, start, budget };
    let told = refusal(&mut town, wide.clone());
    let denom = dollar();
    assert_eq!(
        told,
        format!(
            "with this session the gateway could owe 10000000002{denom}, but it has 10000000000{denom} at stake: stake more of that coin, or lock a smaller budget"
        )
    );
    let relay_key = gateway_key().public();
    let more =
        |denom| message::StakeGateway { gateway, add: Coin::new(Amount(2), denom), relay_key };
    send(&mut town, more(Denom::stake())).unwrap();
    assert_eq!(refusal(&mut town, wide.clone()), told);
    send(&mut town, more(dollar())).unwrap();
    send(&mut town, wide).unwrap();
}

#[test]
fn a_penalty_in_stake_is_weighed_by_the_value_that_the_coin_had_when_the_session_opened() {
    let mut town = Town::new(3);
    let session = open(&mut town);
    assert_eq!(session.terms.value, DOLLAR);
    let lowered = Value { stake: 1, units: 1_000_000 };
    allow(&mut town, vec![AllowedCoin { denom: dollar(), value: lowered }]);
    let (i, operator) = first_seat(&session);
    let tree = Tree::of((0..19).map(|n| sign(draft(&session, operator, n, 12_497), i)).collect());
    let settled = town.settle(&session, operator, tree.root(&session), |_| None);
    let cost = u128::from(tree.trie.root().sum);
    // Five times what the claim would have cost, each two units of it five of stake.
    assert_eq!(
        (settled.phase, settled.slashed),
        (Phase::Expired, Amount(5 * (cost * 5).div_ceil(2)))
    );
    assert_eq!(town.stake(operator).0, STAKE.0 - settled.slashed.0);
}

#[test]
fn a_coin_that_is_taken_off_the_list_ends_no_session_but_opens_none() {
    let mut town = Town::new(3);
    let session = open(&mut town);
    allow(&mut town, vec![]);
    let denom = dollar();
    let refused = format!(
        "{denom} is no coin that governance allows here: the market's parameters name those that it does"
    );
    assert_eq!(town.open_of(dollar_service().id).unwrap_err().to_string(), refused);
    let coin = Coin::new(Amount(7), denom.clone());
    let deposit = message::Deposit { app: GATEWAY, coin: coin.clone() };
    assert_eq!(refusal(&mut town, deposit), refused);
    let (operator, settled) = serve(&mut town, &session);
    assert_eq!((settled.cost, settled.reason.as_str()), (Amount(3_680), ""));
    assert_eq!(town.held(Party::Account(operator), &denom), Amount(3_128));
    send(&mut town, message::Withdraw { app: GATEWAY, coin }).unwrap();
    send(&mut town, message::UnstakeGateway { gateway: GATEWAY }).unwrap();
    let until = gateway(&town).until;
    let before = town.held(Party::Account(GATEWAY), &denom);
    town.until(until.plus(2));
    assert_eq!(town.held(Party::Account(GATEWAY), &denom).0, before.0 + STAKE.0);
}

#[test]
fn a_service_stays_in_its_coin() {
    let mut town = Town::new(1);
    let list = |service: Service| message::ListService { source: SOURCE, service };
    let other = Service { denom: Denom::stake(), ..dollar_service() };
    assert_eq!(
        refusal(&mut town, list(other)),
        format!(
            "demo-usd is priced in {}, and so are its suppliers' asks: list it in another coin under another id",
            dollar()
        )
    );
    let id = ServiceId::new("new").unwrap();
    let unknown = Service { denom: Denom::new("uatom").unwrap(), id, ..service() };
    let told = refusal(&mut town, list(unknown));
    assert!(told.starts_with("uatom is no coin that governance allows here"), "{told}");
}

#[test]
fn an_app_delegates_each_coin_by_itself_and_ends_all_together() {
    let mut town = Town::new(1);
    let (app, gateway, expires) = (APP, GATEWAY, Height(1_000));
    for denom in [Denom::stake(), dollar()] {
        let coin = Coin::new(Amount(10_000_000), denom);
        send(&mut town, message::Deposit { app, coin: coin.clone() }).unwrap();
        let limit = Coin { amount: Amount(1_500_000), ..coin };
        send(&mut town, message::Delegate { app, gateway, limit, expires }).unwrap();
    }
    let open = |town: &mut Town, service| {
        let start = town.ask(&query::GetClock {}).unwrap().start;
        send(town, message::OpenSession { gateway, app, service, start, budget: BUDGET })
    };
    open(&mut town, dollar_service().id).unwrap();
    let limits = |town: &Town| {
        let delegations = town.ask(&query::GetApp { app: Some(app) }).unwrap().delegations;
        delegations.iter().map(|made| (made.denom.clone(), made.limit.0)).collect::<Vec<_>>()
    };
    assert_eq!(limits(&town), [(dollar(), 500_000), (Denom::stake(), 1_500_000)]);
    send(&mut town, message::Undelegate { app, gateway }).unwrap();
    assert_eq!(limits(&town), []);
    assert_eq!(
        open(&mut town, service().id).unwrap_err().to_string(),
        format!("{gateway} may not lock ulode of {app}: the app must delegate to it")
    );
}
