//! The text of the kernels, and what they are called.

use crate::cache::PAGE;
use crate::kernel::{BLOCK, COLUMNS, Form, GROUP, GROUPS};
use std::fmt;

const TEXTS: [&str; 4] = [
    include_str!("kernels/number.cu"),
    include_str!("kernels/product.cu"),
    include_str!("kernels/rows.cu"),
    include_str!("kernels/attention.cu"),
];

/// A kernel of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kernel {
    /// Products of one form with at most so many rows at once.
    Product(Form, Width),
    Norm,
    RoundRows,
    Gated,
    Shorten,
    Pick,
    Embed,
    Place,
    Score,
    Soften,
    Mix,
}

/// Rows of activations that one block of threads takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Width {
    One = 1,
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    const ALL: [Width; 4] = [Width::One, Width::Two, Width::Four, Width::Eight];

    /// The least that takes `rows` at once, or the largest.
    pub(crate) fn of(rows: usize) -> Width {
        Width::ALL.into_iter().find(|width| *width as usize >= rows).unwrap_or(Width::Eight)
    }
}

impl Kernel {
    /// All kernels there are.
    pub(crate) fn all() -> Vec<Kernel> {
        let product = |form| Width::ALL.map(|width| Kernel::Product(form, width));
        let others = [
            Kernel::Norm,
            Kernel::RoundRows,
            Kernel::Gated,
            Kernel::Shorten,
            Kernel::Pick,
            Kernel::Embed,
            Kernel::Place,
            Kernel::Score,
            Kernel::Soften,
            Kernel::Mix,
        ];
        Form::ALL.into_iter().flat_map(product).chain(others).collect()
    }
}

/// Its name in the program.
impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Kernel::Product(form, width) => {
                return write!(f, "{}_{}", product_name(*form), *width as usize);
            }
            Kernel::Norm => "norm_rows",
            Kernel::RoundRows => "round_rows",
            Kernel::Gated => "gated",
            Kernel::Shorten => "shorten",
            Kernel::Pick => "pick",
            Kernel::Embed => "embed",
            Kernel::Place => "place",
            Kernel::Score => "score",
            Kernel::Soften => "soften",
            Kernel::Mix => "mix",
        };
        f.write_str(name)
    }
}

fn product_name(form: Form) -> &'static str {
    match form {
        Form::F32 => "f32",
        Form::F16 => "f16",
        Form::BF16 => "bf16",
        Form::Eight => "eight",
        Form::Pairs4 => "pairs4",
        Form::Pairs8 => "pairs8",
        Form::Super4 => "super4",
        Form::Super8 => "super8",
        Form::Six => "six",
    }
}

/// The whole text: the host's sizes, then all kernels.
pub(crate) fn text() -> String {
    let sizes = [
        ("COLUMNS", COLUMNS),
        ("GROUP", GROUP),
        ("GROUPS", GROUPS),
        ("BLOCK", BLOCK),
        ("PAGE", PAGE),
    ];
    let sizes = sizes.map(|(name, size)| format!("#define {name} {size}\n"));
    sizes.concat() + &TEXTS.concat()
}
