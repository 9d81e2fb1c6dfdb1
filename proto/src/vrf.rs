//! ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381).

/// What a VRF gives: 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VrfOutput(pub [u8; 64]);

/// The public half of a VRF key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VrfPublic(pub [u8; 32]);
