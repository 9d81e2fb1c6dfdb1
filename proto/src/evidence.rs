//! Evidence of which model gave an answer, which a receipt commits to.
//!
//! ```text
//! trace   the tokens of each choice, and for each 16 of them a mark: a rolling hash over the bits of
//!         their logits and the most likely tokens. Who runs the same model, in the same kernel class,
//!         gets the same marks from one pass over prompt and answer.
//! tops    for each token its text, its log probability and those of the most likely ones: what an
//!         OpenAI-compatible server tells. It is compared within bands.
//! none    nothing, and why.
//! ```

use crate::names::LABEL_MAX;
use crate::units::Digest;

/// Tokens between two marks.
pub const MARK_EVERY: usize = 16;

/// The most likely tokens that go into a mark.
pub const LEADERS: usize = 4;

/// Bytes of all evidence of one relay at most.
pub const EVIDENCE_MAX: usize = 4 << 20;

/// Choices of one answer at most.
const CHOICES_MAX: usize = 1024;

/// Alternatives of one token at most.
pub const TOPS_MAX: usize = 20;

/// The first byte: the form of what follows.
const VERSION: u8 = 1;

/// The name of evidence that is compared to the last bit.
pub const TRACE: &str = "trace";

/// Evidence of one relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The kernel class of the engine, or the kind of server: what made the answer.
    pub class: String,
    pub shown: Shown,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing.
    None,
    /// A trace for each choice.
    Trace(Vec<Trace>),
    /// Positions of each choice.
    Tops(Vec<Vec<Position>>),
}

/// The beginning of a rolling hash: a byte for each token.
pub type Mark = [u8; 16];

/// The tokens of one choice with the marks of their logits; the last mark may cover fewer tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub tokens: Vec<u32>,
    pub marks: Vec<Mark>,
}

/// A token as a server tells of it, with the most likely ones in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub said: Likely,
    pub top: Vec<Likely>,
}

/// The bytes of a token's text and a millionth of its log probability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likely {
    pub text: Vec<u8>,
    pub micro: i64,
}

/// One token and what it was chosen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub token: u32,
    /// The bits of its logit, before any setting.
    pub logit: u32,
    /// The most likely tokens, the most likely first; `u32::MAX` where there are fewer.
    pub leaders: [u32; LEADERS],
}

/// A trace while it grows.
#[derive(Clone, Debug, Default)]
pub struct Roll {
    tokens: Vec<u32>,
    marks: Vec<Mark>,
    state: [u8; 32],
    /// What the next mark covers.
    open: Vec<u8>,
}

impl Roll {
    /// Takes the next token.
    pub fn push(&mut self, chosen: &Chosen) {
        self.tokens.push(chosen.token);
        for number in [chosen.token, chosen.logit].into_iter().chain(chosen.leaders) {
            self.open.extend(number.to_le_bytes());
        }
        if self.tokens.len().is_multiple_of(MARK_EVERY) {
            self.state = self.next();
            self.marks.push(head(&self.state));
            self.open.clear();
        }
    }

    /// The trace so far.
    pub fn trace(&self) -> Trace {
        let mut marks = self.marks.clone();
        if !self.open.is_empty() {
            marks.push(head(&self.next()));
        }
        Trace { tokens: self.tokens.clone(), marks }
    }

    fn next(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("lode 2026 evidence mark");
        hasher.update(&self.state).update(&self.open);
        *hasher.finalize().as_bytes()
    }
}

fn head(state: &[u8; 32]) -> Mark {
    let mut mark = Mark::default();
    mark.copy_from_slice(&state[..size_of::<Mark>()]);
    mark
}

/// Why bytes are no evidence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceRefused {
    #[error("evidence has {0} bytes, but at most {EVIDENCE_MAX} are taken")]
    Long(usize),
    #[error("evidence of form {0} is not known: this program reads form {VERSION}")]
    Version(u8),
    #[error("evidence of kind {0} is not known")]
    Kind(u8),
    #[error("evidence ends in the middle, or holds a number out of bounds, near byte {0}")]
    Malformed(usize),
    #[error("evidence is not written in its one form")]
    NotCanonical,
}

impl Evidence {
    /// What a receipt commits to.
    pub fn root(&self) -> Digest {
        root(&self.encode())
    }

    /// Its name of what is shown.
    pub fn kind(&self) -> &'static str {
        match self.shown {
            Shown::None => "none",
            Shown::Trace(_) => TRACE,
            Shown::Tops(_) => "tops",
        }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        match &self.shown {
            Shown::None => out.push(0),
            Shown::Trace(_) => out.push(1),
            Shown::Tops(_) => out.push(2),
        }
        text(&mut out, self.class.as_bytes());
        match &self.shown {
            Shown::None => {}
            Shown::Trace(traces) => list(&mut out, traces, |out, trace| {
                list(out, &trace.tokens, |out, token| number(out, u64::from(*token)));
                trace.marks.iter().for_each(|mark| out.extend(mark));
            }),
            Shown::Tops(choices) => list(&mut out, choices, |out, positions| {
                list(out, positions, |out, position| {
                    likely(out, &position.said);
                    list(out, &position.top, likely);
                });
            }),
        }
        out
    }

    /// Reads bytes; they must be what [`Evidence::encode`] makes of the same evidence.
    pub fn decode(bytes: &[u8]) -> Result<Evidence, EvidenceRefused> {
        if bytes.len() > EVIDENCE_MAX {
            return Err(EvidenceRefused::Long(bytes.len()));
        }
        let mut reader = Reader { bytes, at: 0 };
        let read = reader.evidence()?.ok_or(EvidenceRefused::Malformed(reader.at))?;
        if read.encode() == bytes { Ok(read) } else { Err(EvidenceRefused::NotCanonical) }
    }
}

/// What a receipt commits to, of evidence's bytes.
pub fn root(bytes: &[u8]) -> Digest {
    Digest(blake3::derive_key("lode 2026 evidence root", bytes))
}

fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend(bytes);
}

fn likely(out: &mut Vec<u8>, likely: &Likely) {
    text(out, &likely.text);
    // Signs go last, so that small numbers stay short.
    number(out, ((likely.micro << 1) ^ (likely.micro >> 63)) as u64);
}

fn list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    number(out, items.len() as u64);
    items.iter().for_each(|item| write(out, item));
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn evidence(&mut self) -> Result<Option<Evidence>, EvidenceRefused> {
        let Some(&[version, kind]) = self.take(2).and_then(|bytes| bytes.first_chunk()) else {
            return Ok(None);
        };
        if version != VERSION {
            return Err(EvidenceRefused::Version(version));
        }
        let class = self.text().filter(|class| class.len() <= LABEL_MAX);
        let class = class.and_then(|class| String::from_utf8(class.to_vec()).ok());
        let Some(class) = class else { return Ok(None) };
        let shown = match kind {
            0 => Some(Shown::None),
            1 => self.list(CHOICES_MAX, Reader::trace).map(Shown::Trace),
            2 => self.list(CHOICES_MAX, |r| r.list(usize::MAX, Reader::position)).map(Shown::Tops),
            other => return Err(EvidenceRefused::Kind(other)),
        };
        Ok(shown.map(|shown| Evidence { class, shown }))
    }

    fn trace(&mut self) -> Option<Trace> {
        let token = |reader: &mut Reader<'_>| u32::try_from(reader.number()?).ok();
        let tokens = self.list(usize::MAX, token)?;
        let marks = tokens.len().div_ceil(MARK_EVERY);
        let bytes = self.take(marks.checked_mul(size_of::<Mark>())?)?;
        let marks = bytes.chunks_exact(size_of::<Mark>());
        let marks = marks.map(|mark| mark.try_into().expect("a chunk has its size")).collect();
        Some(Trace { tokens, marks })
    }

    fn position(&mut self) -> Option<Position> {
        Some(Position { said: self.likely()?, top: self.list(TOPS_MAX, Reader::likely)? })
    }

    fn likely(&mut self) -> Option<Likely> {
        let text = self.text()?.to_vec();
        let sign = self.number()?;
        Some(Likely { text, micro: (sign >> 1) as i64 ^ -((sign & 1) as i64) })
    }

    /// A list whose every item takes a byte at least, so that no number alone makes it long.
    fn list<T>(
        &mut self,
        max: usize,
        mut read: impl FnMut(&mut Reader<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok()?;
        if count > max || count > self.bytes.len() - self.at {
            return None;
        }
        (0..count).map(|_| read(self)).collect()
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            let part = u64::from(byte & 0x7f);
            number |= part.checked_shl(shift).filter(|shifted| shifted >> shift == part)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_likely() -> impl Strategy<Value = Likely> {
        (prop::collection::vec(any::<u8>(), 0..5), any::<i64>())
            .prop_map(|(text, micro)| Likely { text, micro })
    }

    fn some_trace() -> impl Strategy<Value = Trace> {
        let chosen = (any::<u32>(), any::<u32>(), any::<[u32; LEADERS]>());
        prop::collection::vec(chosen, 0..50).prop_map(|all| {
            let mut roll = Roll::default();
            for (token, logit, leaders) in all {
                roll.push(&Chosen { token, logit, leaders });
            }
            roll.trace()
        })
    }

    fn some_evidence() -> impl Strategy<Value = Evidence> {
        let position = (some_likely(), prop::collection::vec(some_likely(), 0..4))
            .prop_map(|(said, top)| Position { said, top });
        let positions = prop::collection::vec(position, 0..5);
        let shown = prop_oneof![
            Just(Shown::None),
            prop::collection::vec(some_trace(), 0..4).prop_map(Shown::Trace),
            prop::collection::vec(positions, 0..4).prop_map(Shown::Tops),
        ];
        ("[a-z0-9-]{0,20}", shown).prop_map(|(class, shown)| Evidence { class, shown })
    }

    proptest! {
        #[test]
        fn evidence_is_read_as_it_was_written(evidence in some_evidence()) {
            prop_assert_eq!(Evidence::decode(&evidence.encode()), Ok(evidence));
        }

        #[test]
        fn bytes_that_are_read_are_in_their_one_form(
            evidence in some_evidence(), at: prop::sample::Index, byte: u8
        ) {
            let mut bytes = evidence.encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(read) = Evidence::decode(&bytes) {
                prop_assert_eq!(read.encode(), bytes);
            }
        }

        #[test]
        fn strange_bytes_are_refused_and_nothing_breaks(
            bytes in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            let _refused = Evidence::decode(&bytes);
        }
    }

    #[test]
    fn a_mark_depends_on_every_logit_before_it() {
        let chosen = |token| Chosen { token, logit: token, leaders: [1, 2, 3, 4] };
        let trace = |change: Option<usize>| {
            let mut roll = Roll::default();
            for i in 0..40 {
                let logit = if change == Some(i) { 99 } else { i as u32 };
                roll.push(&Chosen { logit, ..chosen(i as u32) });
            }
            roll.trace().marks
        };
        let honest = trace(None);
        assert_eq!(honest.len(), 3);
        for (at, first) in [(0, 0), (15, 0), (16, 1), (39, 2)] {
            let other = trace(Some(at));
            assert_eq!(honest.iter().zip(&other).position(|(a, b)| a != b), Some(first));
        }
    }

    #[test]
    fn roots_stay_what_they_are() {
        let mut roll = Roll::default();
        for i in 0..20u32 {
            let logit = (i as f32).to_bits();
            roll.push(&Chosen { token: i * 100, logit, leaders: [i, 1, 2, u32::MAX] });
        }
        let shown = Shown::Trace(vec![roll.trace()]);
        let trace = Evidence { class: "lode-exact-1".into(), shown };
        let root = "dae156b3ec984385b449ed78e43dd001642f049473a3127ace3d748f5f745b9c";
        assert_eq!(trace.root().to_string(), root);
        let said = Likely { text: b"a".to_vec(), micro: -500_000 };
        let top = vec![Likely { text: vec![0xff], micro: 0 }];
        let shown = Shown::Tops(vec![vec![Position { said, top }], vec![]]);
        let root = "b1732e9a82d1b45af4c2ca574dfa87b77090c023ece651674777f58999ab9cf2";
        assert_eq!(Evidence { class: "openai".into(), shown }.root().to_string(), root);
    }
}
