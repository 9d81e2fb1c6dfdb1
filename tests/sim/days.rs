//! Days in the life of a market: sessions overlap, suppliers come, go, serve and lie, and coins move
//! about, all drawn from one integer.
//!
//! `LODE_SEED=7 cargo test -p tests --test sim days` plays one run again.

use proto::claim::{ClaimRoot, Phase};
use proto::keys::RelaySecret;
use proto::message::{self, Message, Proof};
use proto::query;
use proto::relay::Signable;
use proto::session::Session;
use proto::units::{Amount, Coin, Height};
use proto::{Address, Cu};
use std::collections::BTreeMap;
use strategies::dice::Dice;
use tests::town::{
    BUDGET, CHAIN, GATEWAY, SOURCE, Town, Tree, denoms, draft, gateway_key, services, sign,
    sign_with, supplier, supplier_key,
};

/// Runs of a test.
const RUNS: u64 = 12;

/// Sessions of a run.
const SESSIONS: usize = 8;

const SUPPLIERS: u8 = 7;

fn within(dice: &mut Dice, window: &std::ops::Range<Height>) -> Height {
    window.start.plus(dice.below(window.end.0 - window.start.0))
}

/// What a supplier is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    Honest,
    /// Writes three times of each relay's weight into its tree.
    Inflator,
    /// Serves half, and makes the other half up with a gateway's key of its own.
    Forger,
    /// Claims and shows nothing.
    Withholder,
    /// Forgets to claim.
    Sleeper,
}

fn nature(i: u8) -> Nature {
    match i {
        3 => Nature::Inflator,
        4 => Nature::Forger,
        5 => Nature::Withholder,
        6 => Nature::Sleeper,
        _ => Nature::Honest,
    }
}

/// A supplier's seat in a session, and when it does what.
struct Duty {
    session: Session,
    i: u8,
    tree: Tree,
    /// What was really served.
    served: Cu,
    claims_at: Height,
    proves_at: Height,
}

impl Duty {
    fn draw(dice: &mut Dice, session: &Session, i: u8) -> Duty {
        let operator = supplier(i);
        let count = 1 + dice.below(9);
        let mut relays: Vec<_> =
            (0..count).map(|seq| draft(session, operator, seq, 1 + dice.below(400))).collect();
        let served = Cu(relays.iter().map(|relay| relay.receipt.cu.0).sum());
        let mut leaves: Vec<_> = relays.iter().map(|relay| sign(relay.clone(), i)).collect();
        let tree = match nature(i) {
            Nature::Inflator => {
                let weighed = leaves.iter().map(|leaf| Tree::weighed(leaf, leaf.weight().0 * 3));
                Tree { trie: smst::Trie::build(weighed.collect()).unwrap(), leaves }
            }
            Nature::Forger => {
                let fake = RelaySecret::from_bytes(&[77; 32]);
                for relay in &mut relays {
                    let seq = relay.request.seq + count;
                    let made_up = draft(session, operator, seq, relay.receipt.usage.out);
                    let mut leaf = sign_with(made_up, &supplier_key(i));
                    leaf.request = leaf.request.body.sign(&fake);
                    leaves.push(leaf);
                }
                Tree::of(leaves)
            }
            _ => Tree::of(leaves),
        };
        Duty {
            session: session.clone(),
            i,
            tree,
            served,
            claims_at: within(dice, &session.claim_window()),
            proves_at: within(dice, &session.proof_window()),
        }
    }

    fn root(&self) -> ClaimRoot {
        self.tree.root(&self.session)
    }

    /// What it sends at this height.
    fn message(&self, town: &Town, height: Height) -> Option<Message> {
        let operator = supplier(self.i);
        if height == self.claims_at && nature(self.i) != Nature::Sleeper {
            let claims = vec![self.root()];
            return Some(message::SubmitClaims { operator, claims }.into());
        }
        if height == self.proves_at
            && matches!(nature(self.i), Nature::Withholder | Nature::Sleeper)
        {
            return None;
        }
        (height == self.proves_at).then(|| {
            let openings = self.tree.openings(&self.session, operator, &town.seed(&self.session));
            let proof = Proof { session_id: self.session.id, openings };
            message::SubmitProofs { operator, proofs: vec![proof] }.into()
        })
    }
}

/// One run, from one integer.
struct Run {
    town: Town,
    dice: Dice,
    duties: Vec<Duty>,
    /// What each earned and lost, and what its work was worth, weighed in the coin of stakes.
    balance: BTreeMap<u8, (i128, i128)>,
}

impl Run {
    fn play(seed: u64) -> Run {
        let town = Town::new(SUPPLIERS);
        let mut run = Run { town, dice: Dice(seed), duties: Vec::new(), balance: BTreeMap::new() };
        let (mut opened, mut last) = (0, Height(0));
        while opened < SESSIONS {
            let start = run.town.ask(&query::GetClock {}).unwrap().start;
            if start == last {
                run.block(None);
            } else {
                last = start;
                opened += 1;
                run.open(start);
            }
        }
        while !run.duties.is_empty() {
            run.block(None);
        }
        run
    }

    /// Opens a session of each service: one in each coin.
    fn open(&mut self, start: Height) {
        for service in services() {
            let (gateway, app, service) = (GATEWAY, GATEWAY, service.id);
            let id = Session::id_of(CHAIN, &service, &app, &gateway, start);
            let open = message::OpenSession { gateway, app, service, start, budget: BUDGET };
            self.block(Some(open.into()));
            let session = self.town.ask(&query::GetSession { id }).unwrap();
            for seat in &session.seats {
                let i = seat.operator.0[0] - 100;
                self.duties.push(Duty::draw(&mut self.dice, &session, i));
            }
        }
    }

    fn block(&mut self, first: Option<Message>) {
        let height = self.town.height().plus(1);
        let duties = self.duties.iter().filter_map(|duty| duty.message(&self.town, height));
        let mut messages: Vec<(bool, Message)> =
            first.into_iter().chain(duties).map(|message| (true, message)).collect();
        // The order in which a proposer takes them, and whatever else people send.
        for _ in 0..self.dice.below(3) {
            let noise = self.noise();
            let at = self.dice.below(messages.len() as u64 + 1) as usize;
            messages.insert(at, (false, noise));
        }
        let (owed, messages): (Vec<bool>, Vec<Message>) = messages.into_iter().unzip();
        for (owed, outcome) in owed.iter().zip(self.town.block(&messages)) {
            assert!(!owed || outcome.is_ok(), "at {height}: {outcome:?}");
        }
        let settled = |duty: &Duty| duty.session.settle_height() <= height;
        let over: Vec<Duty> = self.duties.extract_if(.., |duty| settled(duty)).collect();
        over.iter().for_each(|duty| self.account(duty));
    }

    /// Something that anybody may try: it works or is refused.
    fn noise(&mut self) -> Message {
        let denom = denoms()[self.dice.below(2) as usize].clone();
        let coin = Coin::new(Amount(u128::from(self.dice.below(1 << 34))), denom.clone());
        let i = self.dice.below(u64::from(SUPPLIERS)) as u8;
        let operator = supplier(i);
        match self.dice.below(6) {
            0 => message::Deposit { app: GATEWAY, coin }.into(),
            1 => message::Withdraw {
                app: GATEWAY,
                coin: Coin::new(Amount(coin.amount.0 >> 12), denom),
            }
            .into(),
            2 => message::UnjailSupplier { operator }.into(),
            3 => message::UnstakeSupplier { owner: SOURCE, operator }.into(),
            4 => message::Deposit { app: operator, coin }.into(),
            _ => message::StakeGateway {
                gateway: GATEWAY,
                add: Coin::new(Amount(self.dice.below(1 << 20).into()), denom),
                relay_key: gateway_key().public(),
            }
            .into(),
        }
    }

    /// Whether a settled seat came out as it should.
    fn account(&mut self, duty: &Duty) {
        let operator: Address = supplier(duty.i);
        let question = query::GetSettled { session_id: duty.session.id, operator: Some(operator) };
        let settled = self.town.ask(&question);
        let terms = &duty.session.terms;
        let worth = terms.split(terms.price.cost(duty.served)).supplier;
        let weight = |paid: Amount| terms.weight(paid).0 as i128;
        let outcome = match (nature(duty.i), settled) {
            (Nature::Sleeper, settled) => {
                assert!(settled.is_err(), "a claim nobody made was settled");
                0
            }
            (Nature::Honest, settled) => {
                let settled = settled.unwrap();
                assert_eq!(settled.phase, Phase::Proven, "{settled:?}");
                assert_eq!((settled.split.supplier, settled.slashed), (worth, Amount::ZERO));
                weight(settled.split.supplier)
            }
            (_, settled) => {
                let settled = settled.unwrap();
                weight(settled.split.supplier) - settled.slashed.0 as i128
            }
        };
        let sums = self.balance.entry(duty.i).or_default();
        sums.0 += outcome;
        sums.1 += weight(worth);
    }
}

/// Says which integer plays a failed run again.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("LODE_SEED={} plays this run again", self.0);
        }
    }
}

fn play(seed: u64) -> Run {
    let _told = Told(seed);
    Run::play(seed)
}

pub fn seeds() -> Vec<u64> {
    match std::env::var("LODE_SEED") {
        Ok(text) => vec![text.parse().expect("LODE_SEED is an integer")],
        Err(_) => (1..=RUNS).collect(),
    }
}

#[test]
fn whatever_happens_the_honest_are_paid_in_full_and_lying_costs_more_than_it_brings() {
    let mut sums: BTreeMap<u8, (i128, i128)> = BTreeMap::new();
    for seed in seeds() {
        for (i, (got, worth)) in play(seed).balance {
            let sum = sums.entry(i).or_default();
            *sum = (sum.0 + got, sum.1 + worth);
        }
    }
    for (i, (got, worth)) in sums {
        match nature(i) {
            Nature::Honest => assert_eq!(got, worth),
            Nature::Sleeper => assert_eq!(got, 0),
            liar => assert!(got < 0, "{liar:?} got {got}, and {worth} by honest work"),
        }
    }
}

#[test]
fn one_integer_plays_the_same_run_again() {
    let seed = seeds()[0];
    let (one, two) = (play(seed), play(seed));
    assert_eq!(one.town.host.state_hash(), two.town.host.state_hash());
    assert_eq!(one.balance, two.balance);
    let other = play(seed + 1);
    assert_ne!(one.town.host.state_hash(), other.town.host.state_hash());
}
