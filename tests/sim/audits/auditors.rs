//! Auditors with bad habits, beside honest ones.

use super::market::{BOND, Habit, Market, Nature, VICTIM, auditor, verdict};
use crate::days::seeds;
use proto::audit::case::{Stage, planted};
use proto::audit::{Identity, Round};
use proto::message::{BondAuditor, OpenRinger, PlantRinger, RevealVerdicts, UnbondAuditor};
use proto::query::{GetAuditor, GetDocket, GetReputation};
use proto::vrf::VrfSecret;
use proto::{Address, Amount, Coin, Digest};
use tests::town::{GATEWAY, STAKE, supplier};

/// Half of them honest: enough to be found wrong with, and enough to be found right.
const NATURES: [Nature; 6] = [
    Nature::Honest,
    Nature::Honest,
    Nature::Honest,
    Nature::Cheat(30),
    Nature::Cheat(100),
    Nature::Withholds,
];

const HONEST: usize = 10;

fn with(rogues: &[Habit]) -> Vec<Habit> {
    let mut habits = vec![Habit::Honest; HONEST];
    habits.extend(rogues);
    habits
}

/// Plays a market of ten honest auditors and some rogues: each of these ends with less.
fn ends_with_less(rogues: &[Habit]) {
    let habits = with(rogues);
    let mut nets = vec![0i128; habits.len()];
    for seed in seeds().into_iter().take(3) {
        let mut market = Market::new(seed, &NATURES, &habits);
        market.play(24);
        for (i, net) in nets.iter_mut().enumerate() {
            *net += market.net(i);
            assert!(i >= HONEST || market.lost(i) == Amount::ZERO, "honest {i} lost its bond");
        }
        for i in 0..3 {
            assert_eq!(market.town.stake(supplier(i)), STAKE, "an honest supplier lost its stake");
        }
    }
    let honest = nets[..HONEST].iter().sum::<i128>() / HONEST as i128;
    assert!(honest > 0, "honest work earns nothing");
    for (net, rogue) in nets[HONEST..].iter().zip(rogues) {
        assert!(*net < honest, "{rogue:?} ends with {net}, an honest twin with {honest}");
    }
}

#[test]
fn who_looks_at_nothing_ends_with_less() {
    ends_with_less(&[Habit::Constant, Habit::AlwaysZero, Habit::AlwaysOne, Habit::Guesses]);
}

#[test]
fn who_copies_hides_skips_or_is_silent_ends_with_less() {
    ends_with_less(&[Habit::Copies, Habit::Hides, Habit::Skips, Habit::Silent]);
}

#[test]
fn a_third_that_colludes_against_a_supplier_convicts_nobody_and_loses_more_than_it_takes() {
    let habits = with(&[Habit::Colludes; 5]);
    let (mut taken, mut lost) = (0, 0);
    for seed in seeds().into_iter().take(3) {
        let mut market = Market::new(seed, &[Nature::Honest; 6], &habits);
        market.play(24);
        let kept = market.town.ask(&GetReputation { operator: Some(supplier(VICTIM)) }).unwrap();
        assert_eq!(kept.reputations[0].standing.convictions, 0);
        taken += STAKE.0 - market.town.stake(supplier(VICTIM)).0;
        lost += (HONEST..habits.len()).map(|i| market.lost(i).0).sum::<u128>();
        let average = |range: std::ops::Range<usize>| {
            let count = range.len() as i128;
            range.map(|i| market.net(i)).sum::<i128>() / count
        };
        let (honest, liars) = (average(0..HONEST), average(HONEST..habits.len()));
        assert!(liars < honest, "liars end with {liars}, the honest with {honest}");
    }
    eprintln!("liars lost {lost} to take {taken}");
    assert!(lost > taken, "liars lost {lost}, but took {taken}");
}

#[test]
fn who_never_looks_is_caught_by_planted_answers_where_everybody_else_is_honest() {
    const SALT: Digest = Digest([8; 32]);
    let bad = supplier(5);
    let expected = verdict(Identity::Differs, 500);
    let mut natures = [Nature::Honest; 6];
    natures[5] = Nature::Cheat(100);
    let mut market = Market::new(1, &natures, &with(&[Habit::Constant]));
    market.play_with(20, |market, next| {
        let mut messages = Vec::new();
        for back in (0..=60).filter(|back| next.0 > *back) {
            let start = proto::Height(next.0 - back);
            let Ok(docket) = market.town.ask(&GetDocket { start }) else { continue };
            if docket.closes != next {
                continue;
            }
            let ringers = market.cases(start).into_iter().filter(|case| case.audit.operator == bad);
            let open = |audit_id| OpenRinger { operator: GATEWAY, audit_id, salt: SALT, expected };
            messages.extend(ringers.map(|case| open(case.audit.id).into()));
        }
        let sessions = market.running().filter(|session| session.claim_window().start == next);
        messages.extend(sessions.filter(|s| s.seat(&bad).is_some()).map(|session| {
            let commitment = planted(&SALT, &GATEWAY, &bad, &session.id, &expected);
            PlantRinger { operator: GATEWAY, commitment }.into()
        }));
        messages
    });
    let honest = (0..HONEST).map(|i| market.net(i)).sum::<i128>() / HONEST as i128;
    assert!(market.net(HONEST) < honest, "{} against {honest}", market.net(HONEST));
    assert!(market.lost(HONEST).0 > 0);
    // The account behind the planted answers is no cheat: they are not held against it.
    let kept = market.town.ask(&GetReputation { operator: Some(bad) }).unwrap().reputations;
    assert_eq!((market.town.stake(bad), kept[0].standing.convictions), (STAKE, 0));
}

#[test]
fn a_ticket_cannot_be_ground() {
    let mut market = Market::new(1, &[Nature::Honest; 3], &[Habit::Honest; 4]);
    let mut tried = 0;
    market.play_with(1, |market, next| {
        let start = market.running().next().map(|session| session.start).unwrap_or_default();
        let Ok(docket) = market.town.ask(&GetDocket { start }) else { return vec![] };
        if !docket.schedule().reveal.contains(&next) {
            return vec![];
        }
        tried += 1;
        // Another key's output, the own key's over another input: neither is a ticket.
        let input = docket.ticket_input(Round::First).unwrap();
        let other = |key: [u8; 32], input: &[u8]| {
            let (_, ticket) = VrfSecret::from_bytes(&key).prove(input);
            let auditor = auditor(0);
            RevealVerdicts { auditor, start, ticket, verdicts: vec![] }
        };
        for message in [other([99; 32], &input.0), other([30; 32], b"a better seed")] {
            let mut host = market.town.host.clone();
            let told = host.make_block(|host| chain::execute(host, &message.clone().into()));
            let text = told.unwrap_err().to_string();
            assert!(text.contains("the ticket: the proof is not this key's"), "{text}");
        }
        vec![]
    });
    assert!(tried > 0);
}

#[test]
fn who_sits_on_the_second_committee_cannot_be_known_from_the_first_rounds_tickets() {
    let mut market = Market::new(1, &[Nature::Withholds; 3], &[Habit::Honest; 9]);
    let (mut early, mut late) = (0, 0);
    market.play_with(2, |market, next| {
        let start = market.running().next().map(|session| session.start).unwrap_or_default();
        let Ok(docket) = market.town.ask(&GetDocket { start }) else { return vec![] };
        let schedule = docket.schedule();
        if schedule.reveal.contains(&next) {
            early += 1;
            assert_eq!(docket.ticket_input(Round::Second), None, "known before the last reveal");
        }
        if !schedule.reveal_again.contains(&next) {
            return vec![];
        }
        late += 1;
        // The ticket of the first round is none of the second.
        let input = docket.ticket_input(Round::First).unwrap();
        let (_, ticket) = VrfSecret::from_bytes(&[30; 32]).prove(&input.0);
        let message = RevealVerdicts { auditor: auditor(0), start, ticket, verdicts: vec![] };
        let told = market.town.host.clone().make_block(|h| chain::execute(h, &message.into()));
        assert!(told.unwrap_err().to_string().contains("the proof is not this key's"));
        vec![]
    });
    assert!(early > 0 && late > 0);
    let starts = (1..200u64).map(proto::Height);
    let again = starts.flat_map(|start| market.cases(start)).filter(|case| !case.second.is_empty());
    assert!(again.count() > 0, "no second committee was asked");
}

#[test]
fn a_bond_comes_back_and_only_validators_can_give_one() {
    let mut market = Market::new(1, &[Nature::Honest; 3], &[Habit::Honest; 4]);
    market.play(2);
    let add = Coin::stake(BOND);
    let stranger = BondAuditor { auditor: Address([99; 20]), add };
    let text = market.town.block(&[stranger.into()])[0].as_ref().unwrap_err().to_string();
    assert!(text.contains("only validators audit"), "{text}");
    let leave = UnbondAuditor { auditor: auditor(0) };
    let before = market.town.paid(auditor(0));
    market.town.block(&[leave.clone().into()])[0].as_ref().unwrap();
    assert!(market.town.block(&[leave.into()])[0].is_err());
    let until = market.town.ask(&GetAuditor { address: Some(auditor(0)) }).unwrap().until;
    market.town.until(until.plus(2));
    assert_eq!(market.town.paid(auditor(0)).0 - before.0, BOND.0);
    assert!(market.town.ask(&GetAuditor { address: Some(auditor(0)) }).is_err());
}

#[test]
fn all_audits_of_an_honest_market_pass_or_fail_by_bad_luck() {
    let mut market = Market::new(1, &[Nature::Honest; 6], &[Habit::Honest; 9]);
    market.play(10);
    let starts = (1..200u64).map(proto::Height);
    let cases: Vec<_> = starts.flat_map(|start| market.cases(start)).collect();
    assert_eq!(cases.len(), 50);
    assert!(
        cases
            .iter()
            .all(|case| matches!(case.stage, Stage::Passed | Stage::Failed | Stage::Lapsed))
    );
    let passed = cases.iter().filter(|case| case.stage == Stage::Passed).count();
    assert!(passed > 35, "{passed} of 50 passed");
}
