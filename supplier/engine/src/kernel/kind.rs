//! The types in which weights come.

use super::matrix::Form;

/// How the weights of a tensor are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(non_camel_case_types)]
pub enum Kind {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4_K,
    Q5_K,
    Q6_K,
}

/// A type of weights without a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its weights are {}, for which there is no kernel: convert the model to Q4_K, Q5_K, Q6_K, Q8_0 or F16",
    foreign(*.0)
)]
pub struct KindError(pub u32);

/// What people call a type of ggml's that has no kernel here.
fn foreign(number: u32) -> String {
    let name = match number {
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        other => return format!("of ggml's type {other}"),
    };
    name.to_owned()
}

impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::F32,
        Kind::F16,
        Kind::BF16,
        Kind::Q4_0,
        Kind::Q4_1,
        Kind::Q5_0,
        Kind::Q5_1,
        Kind::Q8_0,
        Kind::Q4_K,
        Kind::Q5_K,
        Kind::Q6_K,
    ];

    /// The type with ggml's `number`.
    pub fn of(number: u32) -> Result<Kind, KindError> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.number() == number);
        kind.ok_or(KindError(number))
    }

    /// Its number in ggml.
    pub fn number(self) -> u32 {
        match self {
            Kind::F32 => 0,
            Kind::F16 => 1,
            Kind::Q4_0 => 2,
            Kind::Q4_1 => 3,
            Kind::Q5_0 => 6,
            Kind::Q5_1 => 7,
            Kind::Q8_0 => 8,
            Kind::Q4_K => 12,
            Kind::Q5_K => 13,
            Kind::Q6_K => 14,
            Kind::BF16 => 30,
        }
    }

    /// Weights in one block, and bytes of one block.
    pub fn block(self) -> (usize, usize) {
        match self {
            Kind::F32 => (1, 4),
            Kind::F16 | Kind::BF16 => (1, 2),
            Kind::Q4_0 => (32, 18),
            Kind::Q4_1 => (32, 20),
            Kind::Q5_0 => (32, 22),
            Kind::Q5_1 => (32, 24),
            Kind::Q8_0 => (32, 34),
            Kind::Q4_K => (256, 144),
            Kind::Q5_K => (256, 176),
            Kind::Q6_K => (256, 210),
        }
    }

    /// Bytes of `rows` rows of `columns`; `None` when a row is no whole number of blocks, or the
    /// number is too large.
    pub fn bytes(self, rows: usize, columns: usize) -> Option<usize> {
        let (weights, bytes) = self.block();
        if !columns.is_multiple_of(weights) {
            return None;
        }
        (columns / weights).checked_mul(bytes)?.checked_mul(rows)
    }

    /// How its weights lie in memory.
    pub(crate) fn form(self) -> Form {
        match self {
            Kind::F32 => Form::F32,
            Kind::F16 => Form::F16,
            Kind::BF16 => Form::BF16,
            Kind::Q8_0 => Form::Eight,
            Kind::Q4_0 | Kind::Q4_1 => Form::Pairs4,
            Kind::Q5_0 | Kind::Q5_1 => Form::Pairs8,
            Kind::Q4_K => Form::Super4,
            Kind::Q5_K => Form::Super8,
            Kind::Q6_K => Form::Six,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_without_a_kernel_is_called_by_its_name() {
        let told = |number: u32| KindError(number).to_string();
        assert!(told(11).starts_with("its weights are Q3_K, for which there is no kernel"));
        assert!(told(77).starts_with("its weights are of ggml's type 77, for which"));
        assert!(Kind::ALL.iter().all(|kind| foreign(kind.number()).starts_with("of ggml's")));
    }
}
