//! What crosses the border does on the other side what it does on this one.

use crate::world::{Fault, RICH, World, block, genesis, memory, told};
use chain::host::{Block, Party};
use chain::memory::MemoryHost;
use lode_chain::{
    Bytes, Outcome, code, gas, lode_begin_block, lode_end_block, lode_execute, lode_export,
    lode_genesis, lode_preset, lode_query, preset,
};
use proto::message::{Deposit, Genesis, Message, StakeGateway, Withdraw};
use proto::query::{App, GetApp, GetInvariants, Query};
use proto::wire::Wire;
use proto::{Amount, Coin};

fn fill(world: &mut World) -> Outcome {
    let bytes = genesis().encode();
    // SAFETY: the bytes outlive the call, and the callbacks keep to the header. So below.
    world.call(&block(0), |call, callbacks| unsafe {
        lode_genesis(call, callbacks, Bytes::of(&bytes))
    })
}

pub fn begun() -> World {
    let mut world = World::new(memory());
    assert_eq!(fill(&mut world).code, 0, "{}", world.words());
    begin(&mut world, &block(1));
    world
}

fn begin(world: &mut World, block: &Block) -> Outcome {
    // SAFETY: as above.
    world.call(block, |call, callbacks| unsafe { lode_begin_block(call, callbacks) })
}

fn end(world: &mut World, block: &Block) -> Outcome {
    // SAFETY: as above.
    world.call(block, |call, callbacks| unsafe { lode_end_block(call, callbacks) })
}

fn execute_at(world: &mut World, block: &Block, message: &Message) -> Outcome {
    raw(world, block, message.type_url(), &message.to_value())
}

pub fn execute(world: &mut World, message: &Message) -> Outcome {
    execute_at(world, &block(1), message)
}

pub fn raw(world: &mut World, block: &Block, url: &str, value: &[u8]) -> Outcome {
    // SAFETY: as above.
    world.call(block, |call, callbacks| unsafe {
        lode_execute(call, callbacks, Bytes::of(url.as_bytes()), Bytes::of(value))
    })
}

pub fn ask(world: &mut World, path: &str, question: &[u8]) -> Outcome {
    // SAFETY: as above.
    world.call(&block(1), |call, callbacks| unsafe {
        lode_query(call, callbacks, Bytes::of(path.as_bytes()), Bytes::of(question))
    })
}

pub fn deposit(amount: u128) -> Message {
    Deposit { app: RICH, coin: Coin::stake(Amount(amount)) }.into()
}

fn withdraw(amount: u128) -> Message {
    Withdraw { app: RICH, coin: Coin::stake(Amount(amount)) }.into()
}

#[test]
fn both_sides_of_the_border_see_one_market() {
    let mut here = memory();
    chain::genesis(&mut here, &genesis()).unwrap();
    let mut there = World::new(memory());
    assert_eq!(fill(&mut there).code, 0);
    let stake = StakeGateway {
        gateway: RICH,
        add: Coin::stake(Amount(20_000_000_000)),
        relay_key: proto::keys::RelaySecret::from_bytes(&[2; 32]).public(),
    };
    let messages = [deposit(500), withdraw(501), stake.into(), withdraw(200), deposit(u128::MAX)];
    for height in 1..=25 {
        let outcome = here.make_block(|here| side_by_side(here, &mut there, &messages, height));
        assert!(outcome.is_some(), "height {height}");
        let block = chain::Host::block(&here);
        assert_eq!(end(&mut there, &block).code, 0);
        let told_here: Vec<String> = here.take_events().iter().map(told).collect();
        assert_eq!(std::mem::take(&mut there.events), told_here);
        assert_eq!(there.memory.state_hash(), here.state_hash(), "height {height}");
    }
}

/// Begins the block there too, and executes the messages on both sides.
fn side_by_side(
    here: &mut MemoryHost,
    there: &mut World,
    messages: &[Message],
    height: u64,
) -> Option<()> {
    let block = chain::Host::block(here);
    assert_eq!((block.height.0, begin(there, &block).code), (height, 0));
    for message in messages {
        let outcome = execute_at(there, &block, message);
        match chain::execute(here, message) {
            Ok(done) => assert_eq!(outcome, Outcome { code: 0, gas: done.gas }),
            Err(refused) => {
                assert_eq!(outcome.code, refused.code());
                assert_eq!(there.words(), refused.to_string());
                assert!(outcome.gas >= gas::CALL);
            }
        }
    }
    Some(())
}

#[test]
fn a_question_is_answered_and_an_export_fills_another_market() {
    let mut world = begun();
    assert_eq!(execute(&mut world, &deposit(500)).code, 0);
    let question = GetApp { app: Some(RICH) };
    assert_eq!(ask(&mut world, GetApp::PATH, &question.encode()).code, 0);
    assert_eq!(App::decode(&world.answer).unwrap().escrow[0].amount, Amount(500));
    // SAFETY: as above.
    let outcome = world.call(&block(1), |call, callbacks| unsafe { lode_export(call, callbacks) });
    assert_eq!(outcome.code, 0);
    let exported = world.answer.clone();
    let mut other = World::new(memory());
    // SAFETY: as above.
    let outcome = other.call(&block(0), |call, callbacks| unsafe {
        lode_genesis(call, callbacks, Bytes::of(&exported))
    });
    assert_eq!(outcome.code, 0, "{}", other.words());
}

#[test]
fn a_preset_fills_a_market() {
    for kind in [preset::STANDARD, preset::DEV] {
        let mut world = World::new(memory());
        let mut answer = |authority: &[u8], kind| {
            // SAFETY: as above.
            let outcome = world.call(&block(0), |call, callbacks| unsafe {
                lode_preset(call, callbacks, kind, Bytes::of(authority))
            });
            (outcome.code, world.answer.clone())
        };
        let (code, bytes) = answer(&RICH.0, kind);
        assert_eq!(code, 0);
        assert_eq!(Genesis::decode(&bytes).unwrap().authority, RICH);
        assert_eq!(answer(&[1], kind).0, code::MALFORMED);
        assert_eq!(answer(&RICH.0, 2).0, code::MALFORMED);
        // SAFETY: as above.
        let outcome = world.call(&block(0), |call, callbacks| unsafe {
            lode_genesis(call, callbacks, Bytes::of(&bytes))
        });
        assert_eq!(outcome.code, 0);
    }
}

#[test]
fn a_refused_message_leaves_nothing_and_says_why() {
    let mut world = begun();
    let before = world.memory.state_hash();
    let outcome = execute(&mut world, &withdraw(1));
    assert_eq!(outcome.code, 17, "{}", world.words());
    assert_eq!(execute(&mut world, &deposit(u128::MAX)).code, 6);
    assert!(world.words().contains("has less than"), "{}", world.words());
    assert_eq!(world.memory.state_hash(), before);
    assert_eq!(ask(&mut world, "/lode.market.v1.Query/Nothing", &[]).code, 3);
}

#[test]
fn a_callback_that_fails_ends_the_call() {
    let mut world = begun();
    execute(&mut world, &deposit(500));
    let callbacks = world.calls;
    for n in 1..=callbacks {
        let mut world = begun();
        world.fault = Some(Fault::Fails(n));
        assert_eq!(execute(&mut world, &deposit(500)).code, code::ABORTED, "callback {n}");
        assert_eq!(world.calls, n, "nothing is asked after a failure");
    }
}

#[test]
fn a_value_longer_than_the_lent_room_is_fetched() {
    let mut world = begun();
    let denom = "d".repeat(100);
    for i in 0..30 {
        let app = App {
            escrow: vec![proto::supplier::Escrow {
                app: RICH,
                denom: proto::Denom::new(format!("{denom}{i}")).unwrap(),
                amount: Amount(1),
            }],
            delegations: vec![],
            audited: proto::audit::Audited::Unchosen,
        };
        let mut key = vec![0x18];
        key.extend([i; 20]);
        chain::Host::set(&mut world.memory, &key, &app.encode());
    }
    let outcome = ask(&mut world, GetInvariants::PATH, &GetInvariants {}.encode());
    assert_eq!(outcome.code, 0, "{}", world.words());
    assert!(world.answer.len() > 1024);
    // Somebody who answers with another length than announced is not believed.
    let fetches = world.calls - 2;
    world.fault = Some(Fault::Answers(fetches, 5));
    let outcome = ask(&mut world, GetInvariants::PATH, &GetInvariants {}.encode());
    assert_ne!(outcome.code, 0);
}

#[test]
fn a_page_that_is_none_is_not_read() {
    let mut world = begun();
    world.fault = Some(Fault::Page(&[1, 0, 0, 0]));
    let outcome = ask(&mut world, GetInvariants::PATH, &GetInvariants {}.encode());
    assert_eq!(
        (outcome.code, world.words().as_str()),
        (code::MALFORMED, "a page is no list of pairs")
    );
}

#[test]
fn gas_ends_a_call_where_it_is_passed() {
    let mut world = begun();
    let whole = execute(&mut world, &deposit(500));
    assert_eq!(whole.code, 0);
    for limit in [0, gas::CALL - 1, gas::CALL] {
        let mut world = begun();
        world.gas_limit = limit;
        let outcome = execute(&mut world, &deposit(500));
        assert_eq!(outcome.code, code::OUT_OF_GAS, "limit {limit}");
        assert!(outcome.gas > limit);
        let rich = world.memory.balance(Party::Account(RICH), &proto::Denom::stake());
        assert_eq!(rich, Amount(1_000_000_000_000), "nothing was paid yet");
    }
}

#[test]
fn a_chain_id_that_is_no_text_is_told() {
    let mut world = begun();
    let outcome = world.call(&block(1), |mut call, callbacks| {
        call.chain_id = Bytes::of(&[0xff, 0xfe]);
        // SAFETY: as above.
        unsafe { lode_begin_block(call, callbacks) }
    });
    assert_eq!(outcome.code, code::MALFORMED);
}
