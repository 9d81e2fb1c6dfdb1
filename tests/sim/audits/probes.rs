//! Apps whose traffic nobody reads, and probes among them.

use super::market::{Habit, Market, Nature, auditor};
use chain::Refused;
use proto::audit::case::Stage;
use proto::audit::{Audited, Schedule, probe};
use proto::message::{ChooseAudit, Delegate, Deposit, Message, OpenProbe, OpenSession, PlantProbe};
use proto::query::{GetClock, GetProber, GetSession};
use proto::session::Session;
use proto::supplier::Standing;
use proto::{Address, Amount, Coin, Digest, Height, Price};
use tests::town::{APP, BUDGET, CHAIN, GATEWAY, SOURCE, STAKE, Town, genesis, service, supplier};

const SALT: Digest = Digest([6; 32]);

fn plant(app: Address, start: Height) -> Message {
    let commitment = probe::commitment(&SALT, &GATEWAY, &app, start);
    PlantProbe { operator: GATEWAY, commitment }.into()
}

fn open(app: Address, start: Height) -> Message {
    OpenProbe { operator: GATEWAY, salt: SALT, app, start }.into()
}

/// A market whose app lets nobody read its traffic.
fn quiet(natures: &[Nature]) -> Market {
    let mut market = Market::new(1, natures, &[Habit::Honest; 9]);
    let choice = ChooseAudit { app: GATEWAY, audited: Audited::Probes };
    market.town.run(&[choice.into()])[0].as_ref().unwrap();
    market
}

/// What an operator sends in the block at `next` that probes every session.
fn probes(market: &Market, next: Height) -> Vec<Message> {
    let clock = market.town.ask(&GetClock {}).unwrap();
    let plants = (next.plus(1) == clock.next_start).then(|| plant(GATEWAY, clock.next_start));
    let due = market.running().filter(|session| session.audit_window().start == next);
    plants.into_iter().chain(due.map(|session| open(GATEWAY, session.start))).collect()
}

#[test]
fn where_nobody_may_read_no_audit_is_drawn_and_no_auditor_loses() {
    let mut market = quiet(&[Nature::Cheat(100); 3]);
    market.play(6);
    let starts = (1..200u64).map(Height);
    assert_eq!(starts.flat_map(|start| market.cases(start)).count(), 0);
    for i in 0..9 {
        assert_eq!((market.net(i), market.lost(i)), (0, Amount::ZERO), "{}", auditor(i));
    }
}

#[test]
fn a_cheat_is_convicted_by_probes_among_what_nobody_reads() {
    let natures = [Nature::Cheat(100), Nature::Honest, Nature::Honest];
    let mut market = quiet(&natures);
    market.play_with(14, probes);
    let starts = (1..400u64).map(Height);
    let cases: Vec<_> = starts.flat_map(|start| market.cases(start)).collect();
    assert!(cases.iter().any(|case| case.stage == Stage::Convicted), "nobody was convicted");
    assert!(market.town.stake(supplier(0)) < STAKE);
    assert_eq!(market.town.stake(supplier(1)), STAKE);
    let prober = market.town.ask(&GetProber { operator: Some(GATEWAY) }).unwrap();
    assert_eq!((prober.opened, prober.unopened), (14, 0), "{prober:?}");
}

/// A town in which two apps lock budgets through one gateway, and let nobody read.
fn two_apps() -> Town {
    let mut genesis = genesis(3);
    genesis.params.audits.ringers = vec![GATEWAY];
    let mut town = Town::begin(3, &genesis, &[]);
    for app in [APP, SOURCE] {
        let coin = Coin::stake(Amount(BUDGET.0 * 10));
        let outcomes = town.block(&[
            Deposit { app, coin: coin.clone() }.into(),
            Delegate { app, gateway: GATEWAY, limit: coin, expires: Height(10_000) }.into(),
            ChooseAudit { app, audited: Audited::Probes }.into(),
        ]);
        outcomes.into_iter().for_each(|outcome| outcome.unwrap());
    }
    town
}

fn open_session(town: &mut Town, app: Address, start: Height) -> (Session, Vec<String>) {
    let (gateway, service) = (GATEWAY, service().id);
    let id = Session::id_of(CHAIN, &service, &app, &gateway, start);
    town.host.take_events();
    let message = OpenSession { gateway, app, service, start, budget: BUDGET };
    town.block(&[message.into()])[0].as_ref().unwrap();
    let told = town.host.take_events().into_iter().map(|event| {
        let names: Vec<&str> = event.attributes.iter().map(|(name, _)| *name).collect();
        let sizes: Vec<usize> = event.attributes.iter().map(|(_, text)| text.len()).collect();
        format!("{} {names:?} {sizes:?}", event.kind)
    });
    (town.ask(&GetSession { id }).unwrap(), told.collect())
}

#[test]
fn a_probe_looks_to_its_supplier_like_any_session_that_nobody_reads() {
    use proto::wire::Wire;
    let mut town = two_apps();
    let start = town.ask(&GetClock {}).unwrap().next_start;
    town.block(&[plant(APP, start)])[0].as_ref().unwrap();
    town.until(start.plus(1));
    let (probe, told) = open_session(&mut town, APP, start);
    let (other, told_of_other) = open_session(&mut town, SOURCE, start);
    assert_eq!(told, told_of_other, "events differ in kind, fields, order or sizes");
    assert_eq!(probe.encode().len(), other.encode().len());
    assert_eq!(probe.terms, other.terms);
    // Who pays, and whom the draw gave to whom, is all that differs.
    let as_other = Session { id: other.id, app: other.app, seats: other.seats.clone(), ..probe };
    assert_eq!(as_other, other);
}

/// What becomes of an open that comes in the block at `at`, for a probe that was planted at `planted`.
fn opened(
    planted: impl Fn(Height) -> Height,
    at: impl Fn(&Session) -> Height,
) -> Result<(), Refused> {
    let mut town = two_apps();
    let start = town.ask(&GetClock {}).unwrap().next_start;
    town.until(planted(start));
    town.block(&[plant(APP, start)])[0].as_ref().unwrap();
    town.until(start.plus(2));
    let (session, _) = open_session(&mut town, APP, start);
    town.until(at(&session));
    town.block(&[open(APP, start)]).remove(0)
}

#[test]
fn a_probe_is_planted_before_its_sessions_and_opened_when_audits_are_drawn() {
    let before = |start: Height| start.minus(1);
    let draw = |session: &Session| session.audit_window().start;
    opened(before, draw).unwrap();
    let commits = |session: &Session| Schedule::of(&session.audit_window()).commit;
    for (planted, at, says) in
        [(0, 0, "must have been before"), (1, 1, "this is taken in"), (1, -1, "this is taken in")]
    {
        let told = opened(
            |start| start.minus(planted),
            |session| match at {
                0 => draw(session),
                1 => commits(session).end.minus(1),
                _ => session.audit_window().start.minus(1),
            },
        );
        let text = told.unwrap_err().to_string();
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_probe_that_is_not_opened_costs_its_deposit_and_is_counted() {
    let mut town = two_apps();
    let before = town.paid(GATEWAY);
    let start = town.ask(&GetClock {}).unwrap().next_start;
    town.block(&[plant(APP, start)])[0].as_ref().unwrap();
    let again = town.block(&[plant(APP, start)]).remove(0).unwrap_err().to_string();
    assert!(again.contains("planted already"), "{again}");
    let deposit = genesis(3).params.audits.probe_deposit;
    assert_eq!(before.0 - town.paid(GATEWAY).0, deposit.0);
    town.until(Height(town.height().0 + 2 * genesis(3).params.liable() + 4));
    let prober = town.ask(&GetProber { operator: Some(GATEWAY) }).unwrap();
    assert_eq!((prober.planted, prober.opened, prober.unopened), (1, 0, 1));
    assert_eq!(before.0 - town.paid(GATEWAY).0, deposit.0);
    let stranger = PlantProbe { operator: APP, commitment: SALT };
    let told = town.block(&[stranger.into()]).remove(0).unwrap_err().to_string();
    assert!(told.contains("governance lists who may"), "{told}");
}

#[test]
fn what_an_app_chose_holds_for_sessions_that_open_later_and_is_exported() {
    let mut town = two_apps();
    let start = town.ask(&GetClock {}).unwrap().next_start;
    town.until(start.plus(1));
    let (session, _) = open_session(&mut town, APP, start);
    assert_eq!(session.terms.audited, Audited::Probes);
    let own = town.open();
    assert_eq!(own.terms.audited, Audited::Full, "nobody chose, and this is a development network");
    town.until(own.settle_height().plus(1));
    let exported = chain::export(&town.host).unwrap();
    assert_eq!(exported.audits.choices.len(), 2);
    assert!(exported.suppliers.iter().all(|one| one.standing == Standing::Bonded));
    assert!(exported.services.iter().all(|one| one.price_start >= Price(1)));
}
