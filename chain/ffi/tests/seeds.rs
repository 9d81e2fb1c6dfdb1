//! Seeds over the border.

use lode_chain::{
    Bytes, lode_seed_first, lode_seed_next, lode_vrf_prove, lode_vrf_public, lode_vrf_verify,
    status,
};
use proto::vrf::VrfSecret;
use proto::{Digest, Height, seed};

const SECRET: [u8; 32] = [9; 32];
const SEED: [u8; 32] = [3; 32];

#[test]
fn seeds_are_those_of_the_protocol() {
    let (mut first, mut next) = ([0; 32], [0; 32]);
    // SAFETY: views and rooms are of this function. So below.
    unsafe {
        assert_eq!(lode_seed_first(Bytes::of(b"lode-1"), first.as_mut_ptr()), status::OK);
        let outputs = Bytes::of(&[5; 128]);
        assert_eq!(lode_seed_next(Bytes::of(&first), outputs, next.as_mut_ptr()), status::OK);
        let odd = Bytes::of(&[5; 65]);
        assert_eq!(lode_seed_next(Bytes::of(&first), odd, next.as_mut_ptr()), status::FAILED);
        assert_eq!(lode_seed_first(Bytes::of(&[0xff]), first.as_mut_ptr()), status::FAILED);
    }
    assert_eq!(Digest(first), seed::first("lode-1"));
    let outputs = [proto::vrf::VrfOutput([5; 64]); 2];
    assert_eq!(Digest(next), seed::next(&Digest(first), &outputs));
}

#[test]
fn a_validator_proves_its_output_for_one_seed_and_height() {
    let (mut key, mut proof, mut output) = ([0; 32], [0; 80], [0; 64]);
    // SAFETY: as above.
    unsafe {
        assert_eq!(lode_vrf_public(Bytes::of(&SECRET), key.as_mut_ptr()), status::OK);
        let (secret, seed) = (Bytes::of(&SECRET), Bytes::of(&SEED));
        assert_eq!(lode_vrf_prove(secret, seed, 8, proof.as_mut_ptr()), status::OK);
    }
    let verify = |previous: &[u8], height, proof: &[u8], output: &mut [u8; 64]| {
        // SAFETY: as above.
        unsafe {
            let (key, previous) = (Bytes::of(&key), Bytes::of(previous));
            lode_vrf_verify(key, previous, height, Bytes::of(proof), output.as_mut_ptr())
        }
    };
    assert_eq!(verify(&SEED, 8, &proof, &mut output), status::OK);
    let input = seed::vrf_input(&Digest(SEED), Height(8));
    assert_eq!(output, VrfSecret::from_bytes(&SECRET).prove(&input).0.0);
    for (previous, height, proof) in [
        (&SEED[..], 9, &proof[..]),
        (&[4; 32], 8, &proof),
        (&SEED, 8, &proof[1..]),
        (&SEED[1..], 8, &proof),
    ] {
        assert_eq!(verify(previous, height, proof, &mut output), status::FAILED);
    }
}
