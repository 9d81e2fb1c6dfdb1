//! What a box can do, measured: how long layers take, how much fits, how far others are.

use crate::link::{
    CONTROL_MAX, Frame, Greeting, Keys, LinkError, PROBE_MAX, PeerKey, SecureError, VERSION, dial,
    split,
};
use crate::plan::{Place, Problem};
use crate::stage::{curve, ends};
use engine::{LoadError, Outline, Residual};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{Duration, Instant};

/// Pings of which the quickest counts.
const PINGS: u64 = 8;

/// Times that a megabyte is sent.
const LOADS: u64 = 3;

/// A box that does not answer a ping within this is not there.
const ANSWER: Duration = Duration::from_secs(10);

/// What a box can do with one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    /// The box's public key.
    pub key: String,
    /// Where it listens, for the others; empty for a head.
    pub address: String,
    pub fingerprint: String,
    pub layers: usize,
    pub hidden: usize,
    pub context: usize,
    pub layer_bytes: usize,
    pub ends_bytes: usize,
    /// Bytes of keys and values of one token in one layer.
    pub kv_bytes: usize,
    /// Bytes of memory for weights, and for keys and values.
    pub weights_bytes: u64,
    pub cache_bytes: u64,
    /// Microseconds that one layer takes for so many rows.
    pub curve: Vec<(u32, u32)>,
    /// Microseconds of embedding, head and choosing for so many rows.
    pub ends: Vec<(u32, u32)>,
    pub ways: Vec<Way>,
}

/// The way to another box.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// The other box's public key.
    pub key: String,
    /// Microseconds there and back.
    pub round_trip: f64,
    pub bytes_per_s: f64,
}

/// Why a way was not measured.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    #[error(transparent)]
    Secure(#[from] SecureError),
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Why profiles make no problem to be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfilesError {
    #[error("no profile: the first is that of the head")]
    None,
    #[error("the profile of {0} is of another model than the head's")]
    Model(String),
}

/// Measures what this box can do with the model in `folder`; ways are left to [`way`].
pub fn profile(
    folder: &Path,
    key: PeerKey,
    (name, address): (String, String),
    (weights_bytes, cache_bytes): (u64, u64),
) -> Result<Profile, LoadError> {
    let outline = Outline::read(folder)?;
    Ok(Profile {
        name,
        key: key.to_string(),
        address,
        fingerprint: hex::encode(outline.fingerprint),
        layers: outline.layers,
        hidden: outline.hidden,
        context: outline.context,
        layer_bytes: outline.layer_bytes,
        ends_bytes: outline.ends_bytes,
        kv_bytes: outline.kv_bytes,
        weights_bytes,
        cache_bytes,
        curve: curve(folder, weights_bytes)?,
        ends: ends(folder)?,
        ways: Vec::new(),
    })
}

/// Measures the way to a stage, which must take orders from this box and have no head now.
pub async fn way(keys: &Keys, peer: PeerKey, address: &str) -> Result<Way, WayError> {
    let (mut from, mut to) = split(dial(keys, peer, address).await?, CONTROL_MAX);
    to.send(&Frame::Greeting { version: VERSION, greeting: Greeting::Head }, ANSWER).await?;
    match from.next(ANSWER).await? {
        Frame::About(_) => {}
        Frame::Refused { reason, .. } => return Err(LinkError::Unexpected(reason).into()),
        other => return Err(LinkError::Unexpected(format!("it said {}", other.name())).into()),
    }
    let mut quickest = [f64::INFINITY; 2];
    for nonce in 0..PINGS + LOADS {
        let padding = if nonce < PINGS { 0 } else { PROBE_MAX as u32 };
        let began = Instant::now();
        to.send(&Frame::Ping { nonce, padding }, ANSWER).await?;
        match from.next(ANSWER).await? {
            Frame::Pong { nonce: same, .. } if same == nonce => {}
            other => return Err(LinkError::Unexpected(format!("it said {}", other.name())).into()),
        }
        let which = &mut quickest[usize::from(padding > 0)];
        *which = which.min(began.elapsed().as_secs_f64() * 1e6);
    }
    let [round_trip, loaded] = quickest;
    let bytes_per_s = PROBE_MAX as f64 / (loaded - round_trip).max(1.0) * 1e6;
    Ok(Way { key: peer.to_string(), round_trip, bytes_per_s })
}

/// What is asked of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Answers side by side; 1: the time to the next token counts.
    pub answers: usize,
    /// Tokens of each answer and its prompt, for which keys and values must fit.
    pub tokens: usize,
    pub residual: Residual,
    /// Whether several boxes are used also where one holds all.
    pub shard: bool,
    /// What is taken for a way that nobody measured.
    pub unknown: Way,
}

/// The problem that profiles and a wish make. The first profile is the head's. A hop counts half a
/// round trip and the rows of all answers, so with groups ways are rather shorter than counted.
pub fn problem(profiles: &[Profile], wish: &Wish) -> Result<Problem, ProfilesError> {
    let head = profiles.first().ok_or(ProfilesError::None)?;
    if let Some(other) = profiles.iter().find(|other| other.fingerprint != head.fingerprint) {
        return Err(ProfilesError::Model(other.name.clone()));
    }
    let tokens = wish.tokens.min(head.context).next_multiple_of(engine::PAGE);
    let kept = (head.kv_bytes * tokens * wish.answers).max(1) as u64;
    let place = |(i, profile): (usize, &Profile)| {
        let ends = if i == 0 { profile.ends_bytes as u64 } else { 0 };
        let weights =
            profile.weights_bytes.saturating_sub(ends) / profile.layer_bytes.max(1) as u64;
        Place {
            name: profile.name.clone(),
            curve: profile.curve.clone(),
            most: weights.min(profile.cache_bytes / kept) as usize,
            ends: if i == 0 { profile.ends.clone() } else { Vec::new() },
        }
    };
    let bytes = (wish.answers * head.hidden * wish.residual.bytes()) as f64;
    let hop = |from: &Profile, to: &Profile| {
        let known = from.ways.iter().find(|way| way.key == to.key);
        let known = known.or_else(|| to.ways.iter().find(|way| way.key == from.key));
        let way = known.unwrap_or(&wish.unknown);
        if from.key == to.key { 0.0 } else { way.round_trip / 2.0 + bytes / way.bytes_per_s * 1e6 }
    };
    Ok(Problem {
        layers: head.layers,
        places: profiles.iter().enumerate().map(place).collect(),
        hops: profiles.iter().map(|a| profiles.iter().map(|b| hop(a, b)).collect()).collect(),
        answers: wish.answers,
        shard: wish.shard,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, weights_bytes: u64) -> Profile {
        Profile {
            name: name.to_owned(),
            key: name.to_owned(),
            address: String::new(),
            fingerprint: "same".to_owned(),
            layers: 8,
            hidden: 1_000,
            context: 4_096,
            layer_bytes: 100,
            ends_bytes: 200,
            kv_bytes: 10,
            weights_bytes,
            cache_bytes: 10 * 64 * 4 * 5,
            curve: vec![(1, 50)],
            ends: vec![(1, 7)],
            ways: Vec::new(),
        }
    }

    #[test]
    fn memory_bounds_layers_by_weights_and_by_what_answers_keep() {
        let unknown = Way { key: String::new(), round_trip: 100.0, bytes_per_s: 1e9 };
        let wish = Wish { answers: 4, tokens: 60, residual: Residual::F32, shard: false, unknown };
        let mut second = profile("b", 300);
        second.ways.push(Way { key: "a".to_owned(), round_trip: 20.0, bytes_per_s: 1e6 });
        let profiles = [profile("a", 10_000), second, profile("c", 10_000)];
        let problem = problem(&profiles, &wish).unwrap();
        let most: Vec<usize> = problem.places.iter().map(|place| place.most).collect();
        assert_eq!(most, [5, 3, 5]);
        assert_eq!(problem.hops[0], [0.0, 10.0 + 16_000.0, 50.0 + 16.0]);
        assert_eq!(problem.hops[1][0], problem.hops[0][1], "a way is as long back as there");
    }
}
