//! Seeds and the function that they are drawn with: pure, no host is asked.

use crate::border::{Bytes, status};
use crate::stop::catch;
use proto::Digest;
use proto::seed;
use proto::vrf::{VrfOutput, VrfProof, VrfPublic, VrfSecret};

/// Writes what `work` gives to `out`, where it gives something.
///
/// # Safety
/// `out` points to `N` bytes that nobody else uses.
unsafe fn write<const N: usize>(out: *mut u8, work: impl FnOnce() -> Option<[u8; N]>) -> i32 {
    match catch(work) {
        // SAFETY: the caller promises it, and an array has no alignment beyond that of a byte.
        Ok(Some(bytes)) if !out.is_null() => unsafe {
            out.cast::<[u8; N]>().write(bytes);
            status::OK
        },
        _ => status::FAILED,
    }
}

/// The seed before the first block.
///
/// # Safety
/// `chain_id` can be read, `seed` takes 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_seed_first(chain_id: Bytes, seed: *mut u8) -> i32 {
    // SAFETY: the caller promises both.
    unsafe { write(seed, || Some(seed::first(std::str::from_utf8(chain_id.read()).ok()?).0)) }
}

/// The seed that follows `previous`.
///
/// # Safety
/// The views can be read, `seed` takes 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_seed_next(previous: Bytes, outputs: Bytes, seed: *mut u8) -> i32 {
    // SAFETY: the caller promises all of it.
    unsafe {
        write(seed, || {
            let previous = Digest(previous.read().try_into().ok()?);
            let (outputs, rest) = outputs.read().as_chunks();
            let outputs: Vec<VrfOutput> = outputs.iter().copied().map(VrfOutput).collect();
            rest.is_empty().then(|| seed::next(&previous, &outputs).0)
        })
    }
}

/// The public half of `secret`.
///
/// # Safety
/// `secret` can be read, `key` takes 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_vrf_public(secret: Bytes, key: *mut u8) -> i32 {
    // SAFETY: the caller promises both.
    unsafe { write(key, || Some(VrfSecret::from_bytes(secret.read().try_into().ok()?).public().0)) }
}

/// What `secret` says of `height`, which follows the seed `previous`.
///
/// # Safety
/// The views can be read, `proof` takes 80 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_vrf_prove(
    secret: Bytes,
    previous: Bytes,
    height: u64,
    proof: *mut u8,
) -> i32 {
    // SAFETY: the caller promises all of it.
    unsafe {
        write(proof, || {
            let secret = VrfSecret::from_bytes(secret.read().try_into().ok()?);
            let (_, proof) = secret.prove(&input(previous.read(), height)?);
            Some(proof.0)
        })
    }
}

/// The output that `proof` proves.
///
/// # Safety
/// The views can be read, `output` takes 64 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lode_vrf_verify(
    key: Bytes,
    previous: Bytes,
    height: u64,
    proof: Bytes,
    output: *mut u8,
) -> i32 {
    // SAFETY: the caller promises all of it.
    unsafe {
        write(output, || {
            let key = VrfPublic(key.read().try_into().ok()?);
            let proof = VrfProof(proof.read().try_into().ok()?);
            let output = key.verify(&input(previous.read(), height)?, &proof).ok()?;
            Some(output.0)
        })
    }
}

fn input(previous: &[u8], height: u64) -> Option<Vec<u8>> {
    Some(seed::vrf_input(&Digest(previous.try_into().ok()?), proto::Height(height)))
}
