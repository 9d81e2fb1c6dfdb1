//! Times the trie: `cargo run --release -p smst --example bench -- 10000 100000`. One JSON line for
//! each operation and number of leaves; one thread; the best of three.
// A benchmark reads the clock; rules do not.
#![allow(clippy::disallowed_types)]

use sha2::{Digest, Sha256};
use smst::{Leaf, Proof, Trie};
use std::time::Instant;

fn leaves(count: usize) -> Vec<Leaf> {
    let leaf = |i: usize| {
        let path = Sha256::digest(i.to_be_bytes()).into();
        // What is committed to has 500 bytes, hashed here as the miner does.
        let mut value = [0u8; 500];
        value[..8].copy_from_slice(&i.to_be_bytes());
        Leaf { path, value_hash: Sha256::digest(value).into(), weight: (i as u64 % 1_000) + 1 }
    };
    (0..count).map(leaf).collect()
}

fn best(of: usize, mut work: impl FnMut()) -> f64 {
    let time = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    (0..of).map(|_| time(&mut work)).fold(f64::INFINITY, f64::min)
}

fn peak_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let counts: Vec<usize> =
        std::env::args().skip(1).filter_map(|count| count.parse().ok()).collect();
    for count in counts {
        let insert = best(3, || drop(Trie::build(leaves(count)))) / count as f64;
        let trie = Trie::build(leaves(count)).expect("the leaves differ");
        let (root, samples) = (trie.root(), 2_000.min(count));
        let point = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % root.sum;
        let prove = best(3, || (0..samples).for_each(|i| drop(trie.prove_at(point(i)))));
        let proofs: Vec<(Leaf, Proof)> =
            (0..samples).filter_map(|i| trie.prove_at(point(i))).collect();
        let verify = best(3, || {
            for (leaf, proof) in &proofs {
                proof.verify(&root, leaf).expect("an honest proof holds");
            }
        });
        let bytes: Vec<Vec<u8>> = proofs.iter().map(|(_, proof)| proof.encode()).collect();
        let decode = best(3, || {
            for (bytes, (leaf, _)) in bytes.iter().zip(&proofs) {
                let proof = Proof::decode(bytes).expect("what was encoded decodes");
                proof.verify(&root, leaf).expect("an honest proof holds");
            }
        });
        let mean = bytes.iter().map(Vec::len).sum::<usize>() / bytes.len();
        let us = |seconds: f64| (seconds * 1e8 / samples as f64).round() / 100.0;
        println!(
            "{{\"leaves\":{count},\"insert_root_us\":{:.2},\"prove_us\":{},\"verify_us\":{},\"decode_verify_us\":{},\"proof_bytes\":{mean},\"peak_mb\":{}}}",
            insert * 1e6,
            us(prove),
            us(verify),
            us(decode),
            peak_mb()
        );
    }
}
