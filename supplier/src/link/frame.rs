//! What boxes that share a model say to each other.
//!
//! ```text
//! head                      stage 1               stage 2
//!  |-- Greeting, Order ------>|                     |
//!  |-- Greeting, Order ---------------------------->|
//!  |                          |-- Greeting -------->|
//!  |<------------------ Ready |<------------- Ready |   (Ready of stage 2 goes to the head, too)
//!  |-- Rows ----------------->|-- Rows ------------>|
//!  |<----------------------------------------- Yield|
//! ```
//!
//! A frame is `length: u32 | kind: u8 | body`, little end first. What does not encode to the same
//! bytes again is refused. Rows carry numbers that flow between layers, positions and numbers of
//! pages: no token, no text, no setting of sampling ever leaves the head.

use super::bytes::{Cursor, Malformed, put_text, put_u32s};
use super::key::PeerKey;
use engine::{PAGE, Residual, Span};
use std::ops::Range;

/// The version of all that follows. Boxes of different versions do not work together.
pub const VERSION: u16 = 2;

/// Bytes of a frame at most while no order says how large rows are.
pub const CONTROL_MAX: usize = PROBE_MAX + 4096;

/// Bytes with which a link's bandwidth is measured, at most.
pub const PROBE_MAX: usize = 1 << 20;

/// Rows of one step at most.
pub const ROWS_MAX: usize = 1024;

/// Boxes that a step goes through at most.
pub const HOPS_MAX: usize = 64;

/// Bytes of the reason why something is refused or broke.
pub const REASON_MAX: usize = 1024;

/// Bytes of an address.
const ADDRESS_MAX: usize = 256;

/// Pages of one sequence: those of the longest context that the engine loads.
const PAGES_MAX: usize = (1 << 24) / PAGE;

/// Bytes of a span without its pages.
const SPAN_BYTES: usize = 16;

/// Bytes of a frame at most, where rows have `hidden` numbers and sequences `context` tokens.
pub fn frame_max(hidden: usize, context: usize) -> usize {
    let row = hidden * size_of::<f32>() + SPAN_BYTES + context.div_ceil(PAGE) * size_of::<u32>();
    CONTROL_MAX + ROWS_MAX * row
}

/// The first frame of whoever dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Here is a head; it will give orders.
    Head,
    /// Here is the box before you, in the order of this epoch.
    Before { epoch: u64 },
}

/// What a stage says of itself to a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub version: u16,
    pub fingerprint: [u8; 32],
    pub layers: u32,
    pub hidden: u32,
    /// The only layers that it runs, if it was told so.
    pub fixed: Option<Range<u32>>,
    /// Bytes of memory for weights.
    pub weights_bytes: u64,
    /// Bytes of memory for keys and values.
    pub cache_bytes: u64,
    /// Microseconds that one layer takes for so many rows, as measured here; may be empty.
    pub curve: Vec<(u32, u32)>,
}

/// What a stage is to do from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub epoch: u64,
    pub fingerprint: [u8; 32],
    pub layers: Range<u32>,
    pub residual: Residual,
    /// Pages of keys and values.
    pub pages: u32,
    /// Who sends rows; `None`: the head.
    pub before: Option<PeerKey>,
    /// Where rows go, at which address; `None`: back to the head.
    pub after: Option<(PeerKey, String)>,
}

/// Rows on their way through the layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    pub epoch: u64,
    pub step: u64,
    /// Microseconds that each box on the way has computed.
    pub spent: Vec<u32>,
    pub spans: Vec<Span>,
    pub residual: Residual,
    pub x: Vec<f32>,
}

/// What became of a step: the rows that logits are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Yield {
    pub epoch: u64,
    pub step: u64,
    pub spent: Vec<u32>,
    pub residual: Residual,
    pub x: Vec<f32>,
}

/// All that can be said.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    Greeting {
        version: u16,
        greeting: Greeting,
    },
    About(About),
    Order(Order),
    Ready {
        epoch: u64,
    },
    Refused {
        epoch: u64,
        reason: String,
    },
    Rows(Rows),
    Yield(Yield),
    /// Asks for a [`Frame::Pong`]; what it is padded with measures bandwidth.
    Ping {
        nonce: u64,
        padding: u32,
    },
    /// The last step that was passed on, in which epoch, and microseconds to the box after and back;
    /// 0: not known, or there is none.
    Pong {
        nonce: u64,
        epoch: u64,
        done: u64,
        onward: u64,
    },
    /// A stage cannot go on in this epoch.
    Broken {
        epoch: u64,
        reason: String,
    },
}

impl Frame {
    /// What kind of frame it is, for people: its content may be large.
    pub fn name(&self) -> &'static str {
        match self {
            Frame::Greeting { .. } => "a greeting",
            Frame::About(_) => "what it is",
            Frame::Order(_) => "an order",
            Frame::Ready { .. } => "that it is ready",
            Frame::Refused { .. } => "a refusal",
            Frame::Rows(_) => "rows",
            Frame::Yield(_) => "what a step yields",
            Frame::Ping { .. } => "a ping",
            Frame::Pong { .. } => "a pong",
            Frame::Broken { .. } => "that it cannot go on",
        }
    }

    /// The frame with its length before it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; 4];
        self.put(&mut out);
        let length = (out.len() - 4) as u32;
        out[..4].copy_from_slice(&length.to_le_bytes());
        out
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Frame::Greeting { version, greeting } => {
                out.push(0);
                out.extend(version.to_le_bytes());
                let (kind, epoch) = match greeting {
                    Greeting::Head => (0, 0),
                    Greeting::Before { epoch } => (1, *epoch),
                };
                out.push(kind);
                out.extend(epoch.to_le_bytes());
            }
            Frame::About(about) => put_about(out, about),
            Frame::Order(order) => put_order(out, order),
            Frame::Ready { epoch } => put_numbers(out, 3, &[*epoch]),
            Frame::Refused { epoch, reason } => {
                put_numbers(out, 4, &[*epoch]);
                put_text(out, reason, REASON_MAX);
            }
            Frame::Rows(rows) => put_rows(out, rows),
            Frame::Yield(made) => {
                put_numbers(out, 6, &[made.epoch, made.step]);
                put_u32s(out, &made.spent);
                put_x(out, made.residual, &made.x);
            }
            Frame::Ping { nonce, padding } => {
                put_numbers(out, 7, &[*nonce]);
                let padding = (*padding as usize).min(PROBE_MAX);
                out.extend((padding as u32).to_le_bytes());
                out.resize(out.len() + padding, 0);
            }
            Frame::Pong { nonce, epoch, done, onward } => {
                put_numbers(out, 8, &[*nonce, *epoch, *done, *onward]);
            }
            Frame::Broken { epoch, reason } => {
                put_numbers(out, 9, &[*epoch]);
                put_text(out, reason, REASON_MAX);
            }
        }
    }

    /// Reads what follows a frame's length.
    pub fn decode(bytes: &[u8]) -> Result<Frame, Malformed> {
        let mut from = Cursor(bytes);
        let frame = match from.u8()? {
            0 => greeting(&mut from)?,
            1 => Frame::About(about(&mut from)?),
            2 => Frame::Order(order(&mut from)?),
            3 => Frame::Ready { epoch: from.u64()? },
            4 => Frame::Refused { epoch: from.u64()?, reason: from.text("reason", REASON_MAX)? },
            5 => Frame::Rows(rows(&mut from)?),
            6 => {
                let (epoch, step) = (from.u64()?, from.u64()?);
                let spent = from.u32s("hops", HOPS_MAX)?;
                let (residual, x) = x(&mut from)?;
                Frame::Yield(Yield { epoch, step, spent, residual, x })
            }
            7 => ping(&mut from)?,
            8 => {
                let (nonce, epoch) = (from.u64()?, from.u64()?);
                Frame::Pong { nonce, epoch, done: from.u64()?, onward: from.u64()? }
            }
            9 => Frame::Broken { epoch: from.u64()?, reason: from.text("reason", REASON_MAX)? },
            kind => return Err(Malformed::Kind(kind)),
        };
        from.end()?;
        Ok(frame)
    }
}

fn put_numbers(out: &mut Vec<u8>, kind: u8, numbers: &[u64]) {
    out.push(kind);
    numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

fn greeting(from: &mut Cursor<'_>) -> Result<Frame, Malformed> {
    let version = from.u16()?;
    let greeting = match (from.u8()?, from.u64()?) {
        (0, 0) => Greeting::Head,
        (1, epoch) => Greeting::Before { epoch },
        (kind, _) => return Err(Malformed::Value { name: "greeting", value: kind.into() }),
    };
    Ok(Frame::Greeting { version, greeting })
}

fn put_range(out: &mut Vec<u8>, range: &Range<u32>) {
    out.extend(range.start.to_le_bytes());
    out.extend(range.end.to_le_bytes());
}

fn range(from: &mut Cursor<'_>) -> Result<Range<u32>, Malformed> {
    let range = from.u32()?..from.u32()?;
    if range.is_empty() {
        return Err(Malformed::Value { name: "the end of layers", value: range.end.into() });
    }
    Ok(range)
}

/// Points of a curve at most.
const CURVE_MAX: usize = 16;

fn put_about(out: &mut Vec<u8>, about: &About) {
    out.push(1);
    out.extend(about.version.to_le_bytes());
    out.extend(about.fingerprint);
    out.extend(about.layers.to_le_bytes());
    out.extend(about.hidden.to_le_bytes());
    out.push(u8::from(about.fixed.is_some()));
    about.fixed.iter().for_each(|fixed| put_range(out, fixed));
    out.extend(about.weights_bytes.to_le_bytes());
    out.extend(about.cache_bytes.to_le_bytes());
    let curve = &about.curve[..about.curve.len().min(CURVE_MAX)];
    out.push(curve.len() as u8);
    for (rows, micros) in curve {
        out.extend(rows.to_le_bytes());
        out.extend(micros.to_le_bytes());
    }
}

fn about(from: &mut Cursor<'_>) -> Result<About, Malformed> {
    let (version, fingerprint) = (from.u16()?, from.array()?);
    let (layers, hidden) = (from.u32()?, from.u32()?);
    let fixed = if from.flag("fixed")? { Some(range(from)?) } else { None };
    let (weights_bytes, cache_bytes) = (from.u64()?, from.u64()?);
    let points = usize::from(from.u8()?);
    if points > CURVE_MAX {
        return Err(Malformed::TooMany { name: "points", value: points, max: CURVE_MAX });
    }
    let mut curve = Vec::with_capacity(points);
    for _ in 0..points {
        curve.push((from.u32()?, from.u32()?));
    }
    Ok(About { version, fingerprint, layers, hidden, fixed, weights_bytes, cache_bytes, curve })
}

fn put_residual(out: &mut Vec<u8>, residual: Residual) {
    out.push(match residual {
        Residual::F32 => 0,
        Residual::Bf16 => 1,
    });
}

fn residual(from: &mut Cursor<'_>) -> Result<Residual, Malformed> {
    match from.u8()? {
        0 => Ok(Residual::F32),
        1 => Ok(Residual::Bf16),
        value => Err(Malformed::Value { name: "residual", value: value.into() }),
    }
}

fn put_order(out: &mut Vec<u8>, order: &Order) {
    put_numbers(out, 2, &[order.epoch]);
    out.extend(order.fingerprint);
    put_range(out, &order.layers);
    put_residual(out, order.residual);
    out.extend(order.pages.to_le_bytes());
    out.push(u8::from(order.before.is_some()));
    order.before.iter().for_each(|key| out.extend(key.0));
    out.push(u8::from(order.after.is_some()));
    if let Some((key, address)) = &order.after {
        out.extend(key.0);
        put_text(out, address, ADDRESS_MAX);
    }
}

fn order(from: &mut Cursor<'_>) -> Result<Order, Malformed> {
    let (epoch, fingerprint) = (from.u64()?, from.array()?);
    let (layers, residual) = (range(from)?, residual(from)?);
    let pages = from.u32()?;
    let before = if from.flag("before")? { Some(PeerKey(from.array()?)) } else { None };
    let after = if from.flag("after")? {
        Some((PeerKey(from.array()?), from.text("address", ADDRESS_MAX)?))
    } else {
        None
    };
    Ok(Order { epoch, fingerprint, layers, residual, pages, before, after })
}

fn put_rows(out: &mut Vec<u8>, rows: &Rows) {
    put_numbers(out, 5, &[rows.epoch, rows.step]);
    put_u32s(out, &rows.spent);
    out.extend((rows.spans.len() as u32).to_le_bytes());
    for span in &rows.spans {
        out.extend(span.from.to_le_bytes());
        out.extend(span.count.to_le_bytes());
        out.extend(span.wants.to_le_bytes());
        put_u32s(out, &span.pages);
    }
    put_x(out, rows.residual, &rows.x);
}

fn rows(from: &mut Cursor<'_>) -> Result<Rows, Malformed> {
    let (epoch, step) = (from.u64()?, from.u64()?);
    let spent = from.u32s("hops", HOPS_MAX)?;
    let count = from.count("spans", ROWS_MAX)?;
    let mut spans = Vec::with_capacity(count.min(from.0.len() / SPAN_BYTES));
    let mut rows = 0usize;
    for _ in 0..count {
        let (first, count) = (from.u32()?, from.u32()?);
        rows = rows.saturating_add(count as usize);
        let wants = from.u32()?;
        let pages = from.u32s("pages", PAGES_MAX)?;
        spans.push(Span { pages, from: first, count, wants });
    }
    if rows > ROWS_MAX {
        return Err(Malformed::TooMany { name: "rows", value: rows, max: ROWS_MAX });
    }
    let (residual, x) = x(from)?;
    Ok(Rows { epoch, step, spent, spans, residual, x })
}

/// Numbers between layers. Where they were rounded to bf16 the lower half of each is nothing.
fn put_x(out: &mut Vec<u8>, residual: Residual, x: &[f32]) {
    put_residual(out, residual);
    out.extend((x.len() as u32).to_le_bytes());
    out.reserve(x.len() * residual.bytes());
    match residual {
        Residual::F32 => x.iter().for_each(|x| out.extend(x.to_le_bytes())),
        Residual::Bf16 => {
            x.iter().for_each(|x| out.extend(((x.to_bits() >> 16) as u16).to_le_bytes()));
        }
    }
}

fn x(from: &mut Cursor<'_>) -> Result<(Residual, Vec<f32>), Malformed> {
    let residual = residual(from)?;
    let count = from.u32()? as usize;
    let bytes = from.take(count.checked_mul(residual.bytes()).ok_or(Malformed::Short)?)?;
    let x = match residual {
        Residual::F32 => {
            let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            bytes.chunks_exact(4).map(number).collect()
        }
        Residual::Bf16 => {
            let number =
                |b: &[u8]| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16);
            bytes.chunks_exact(2).map(number).collect()
        }
    };
    Ok((residual, x))
}

fn ping(from: &mut Cursor<'_>) -> Result<Frame, Malformed> {
    let nonce = from.u64()?;
    let length = from.count("padding", PROBE_MAX)?;
    if let Some(byte) = from.take(length)?.iter().find(|byte| **byte != 0) {
        return Err(Malformed::Value { name: "padding", value: (*byte).into() });
    }
    Ok(Frame::Ping { nonce, padding: length as u32 })
}

#[cfg(test)]
mod tests;
