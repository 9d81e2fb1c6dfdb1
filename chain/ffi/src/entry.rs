//! The calls into the market.

use crate::border::{Bytes, Call, Callbacks, Outcome, preset, status};
use crate::guest::Guest;
use crate::meter::Meter;
use crate::stop::{Stop, catch};
use chain::Refused;
use proto::Address;
use proto::message::{AuditGenesis, Genesis, Message};
use proto::params::Params;
use proto::wire::Wire;

/// What a call gives back when it was not refused: gas where the market counted it, and an answer.
#[derive(Default)]
struct Done {
    gas: Option<u64>,
    answer: Vec<u8>,
}

/// Makes a call: `work` over the host, with everything caught that leaves it early.
///
/// # Safety
/// The views of `call` can be read, `callbacks` points to callbacks that keep to `include/lode.h`.
unsafe fn make(
    call: Call,
    callbacks: *const Callbacks,
    work: impl FnOnce(&mut Guest<'_>) -> Result<Done, Refused>,
) -> Outcome {
    // SAFETY: the caller promises it; the table is only read.
    let callbacks = unsafe { &*callbacks };
    let meter = Meter::new(call.gas_limit);
    let ended = catch(|| {
        meter.call();
        // SAFETY: the caller promises it.
        let mut guest = unsafe { Guest::new(call, callbacks, &meter) };
        work(&mut guest)
    });
    let (outcome, answer) = told(ended, meter.used());
    if !answer.is_empty() {
        (callbacks.answer)(call.host, Bytes::of(&answer));
    }
    outcome
}

fn told(ended: Result<Result<Done, Refused>, Stop>, used: u64) -> (Outcome, Vec<u8>) {
    match ended {
        Ok(Ok(done)) => {
            let gas = done.gas.unwrap_or(used);
            (Outcome { code: status::OK.unsigned_abs(), gas }, done.answer)
        }
        Ok(Err(refused)) => {
            (Outcome { code: refused.code(), gas: used }, refused.to_string().into_bytes())
        }
        Err(stop) => (stop.outcome(used), stop.words().into_bytes()),
    }
}

fn text(bytes: &[u8]) -> &str {
    // What is no text names nothing, and is refused as an unknown name.
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Answers a genesis with nobody in it: parameters as they are in use, or short ones to try things.
///
/// # Safety
/// As [`lode_genesis`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_preset(
    call: Call,
    callbacks: *const Callbacks,
    preset: u32,
    authority: Bytes,
) -> Outcome {
    // SAFETY: the caller promises all of it.
    unsafe {
        make(call, callbacks, |_| {
            let authority = authority.read().try_into().map(Address);
            let authority = authority.unwrap_or_else(|_| malformed("an authority has 20 bytes"));
            let params = match preset {
                preset::STANDARD => Params::standard(),
                preset::DEV => Params::dev(),
                other => malformed(&format!("there is no preset {other}")),
            };
            Ok(Done { gas: None, answer: empty(authority, params).encode() })
        })
    }
}

fn malformed(words: &str) -> ! {
    Stop::Malformed(words.to_owned()).now()
}

fn empty(authority: Address, params: Params) -> Genesis {
    Genesis {
        authority,
        params,
        services: Vec::new(),
        suppliers: Vec::new(),
        gateways: Vec::new(),
        escrow: Vec::new(),
        delegations: Vec::new(),
        audits: AuditGenesis::default(),
    }
}

/// Fills an empty market.
///
/// # Safety
/// The views can be read, and the callbacks keep to `include/lode.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_genesis(
    call: Call,
    callbacks: *const Callbacks,
    genesis: Bytes,
) -> Outcome {
    // SAFETY: the caller promises both.
    unsafe {
        make(call, callbacks, |guest| {
            chain::genesis(guest, &Genesis::decode(genesis.read())?)?;
            Ok(Done::default())
        })
    }
}

/// Answers what an empty market can be filled with to go on.
///
/// # Safety
/// As [`lode_genesis`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_export(call: Call, callbacks: *const Callbacks) -> Outcome {
    // SAFETY: the caller promises it.
    unsafe {
        make(call, callbacks, |guest| {
            Ok(Done { gas: None, answer: chain::export(guest)?.encode() })
        })
    }
}

/// Begins a block.
///
/// # Safety
/// As [`lode_genesis`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_begin_block(call: Call, callbacks: *const Callbacks) -> Outcome {
    // SAFETY: the caller promises it.
    unsafe {
        make(call, callbacks, |guest| {
            chain::begin_block(guest);
            Ok(Done::default())
        })
    }
}

/// Ends a block.
///
/// # Safety
/// As [`lode_genesis`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_end_block(call: Call, callbacks: *const Callbacks) -> Outcome {
    // SAFETY: the caller promises it.
    unsafe {
        make(call, callbacks, |guest| {
            chain::end_block(guest);
            Ok(Done::default())
        })
    }
}

/// Executes a message whose signer was checked.
///
/// # Safety
/// As [`lode_genesis`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_execute(
    call: Call,
    callbacks: *const Callbacks,
    type_url: Bytes,
    message: Bytes,
) -> Outcome {
    // SAFETY: the caller promises all of it.
    unsafe {
        make(call, callbacks, |guest| {
            let message = Message::from_any(text(type_url.read()), message.read());
            let done = chain::execute(guest, &message?)?;
            Ok(Done { gas: Some(done.gas), answer: Vec::new() })
        })
    }
}

/// Answers a question.
///
/// # Safety
/// As [`lode_genesis`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_query(
    call: Call,
    callbacks: *const Callbacks,
    path: Bytes,
    question: Bytes,
) -> Outcome {
    // SAFETY: the caller promises all of it.
    unsafe {
        make(call, callbacks, |guest| {
            let answer = chain::query(guest, text(path.read()), question.read())?;
            Ok(Done { gas: None, answer })
        })
    }
}
