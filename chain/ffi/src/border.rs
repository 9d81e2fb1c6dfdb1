//! The types of `include/lode.h`, field by field.

/// What callbacks return instead of a length.
pub mod status {
    /// It was done.
    pub const OK: i32 = 0;
    /// There is no value.
    pub const ABSENT: i32 = -1;
    /// Nothing was moved: less is there than was asked for.
    pub const SHORT: i32 = -2;
    /// The host cannot answer.
    pub const FAILED: i32 = -3;
}

/// How a call ended, beside [`status::OK`] and the market's own codes.
pub mod code {
    /// A callback failed.
    pub const ABORTED: u32 = 0x10001;
    /// The gas limit was passed.
    pub const OUT_OF_GAS: u32 = 0x10002;
    /// A fault in this library.
    pub const PANICKED: u32 = 0x10003;
    /// The host gave what no host gives.
    pub const MALFORMED: u32 = 0x10004;
}

/// What a new market can begin with.
pub mod preset {
    /// The parameters of a network in use.
    pub const STANDARD: u32 = 0;
    /// Short windows, to try things on one machine.
    pub const DEV: u32 = 1;
}

/// Bytes to be read until the call they were given to returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    at: *const u8,
    length: usize,
}

/// Room that is lent to be written to until the call it was given to returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Room {
    pub at: *mut u8,
    pub size: usize,
}

/// The block in which a call is made.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Call {
    /// The host's own word, given back in each callback.
    pub host: usize,
    pub chain_id: Bytes,
    pub height: u64,
    pub time: u64,
    pub seed: [u8; 32],
    pub gas_limit: u64,
}

/// How a call ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: u32,
    pub gas: u64,
}

/// What the market may ask of its host; `include/lode.h` says how.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Callbacks {
    pub get: extern "C" fn(usize, Bytes, Room) -> i64,
    pub fetch: extern "C" fn(usize, Room) -> i64,
    pub set: extern "C" fn(usize, Bytes, Bytes) -> i32,
    pub remove: extern "C" fn(usize, Bytes) -> i32,
    pub range: extern "C" fn(usize, Bytes, Bytes, u32, Room) -> i64,
    pub pay: extern "C" fn(usize, Bytes, Bytes, Bytes, Bytes) -> i32,
    pub burn: extern "C" fn(usize, Bytes, Bytes, Bytes) -> i32,
    pub emit: extern "C" fn(usize, Bytes) -> i32,
    pub validators: extern "C" fn(usize, Room) -> i64,
    pub answer: extern "C" fn(usize, Bytes),
}

impl Bytes {
    /// A view of `bytes`.
    pub fn of(bytes: &[u8]) -> Bytes {
        Bytes { at: bytes.as_ptr(), length: bytes.len() }
    }

    /// What is viewed.
    ///
    /// # Safety
    /// `at` points to `length` bytes that nobody writes to for as long as `'a`, or `length` is 0.
    pub unsafe fn read<'a>(self) -> &'a [u8] {
        if self.at.is_null() || self.length == 0 {
            return &[];
        }
        // SAFETY: the caller promises it, and `at` is not null.
        unsafe { std::slice::from_raw_parts(self.at, self.length) }
    }
}

impl Room {
    /// All of `bytes` as room.
    pub fn of(bytes: &mut [u8]) -> Room {
        Room { at: bytes.as_mut_ptr(), size: bytes.len() }
    }
}
