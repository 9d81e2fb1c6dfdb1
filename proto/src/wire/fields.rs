//! How one field is written: each domain type's form in the generated one.

use super::{BadWire, Wire, gen_};
use crate::audit::case::{Again, Stage};
use crate::audit::{Audited, Identity, Round};
use crate::claim::Phase;
use crate::keys::{Address, RelayKey, Signature};
use crate::relay::Status;
use crate::service::ServiceId;
use crate::supplier::Standing;
use crate::units::{Amount, Cu, Denom, Digest, Height, Ppm, Price, Time};
use crate::vrf::{VrfProof, VrfPublic};

/// A domain type that a generated field of type `G` holds.
pub(super) trait Field<G>: Sized {
    fn to_field(&self) -> G;
    fn from_field(field: G) -> Result<Self, BadWire>;
}

macro_rules! plain {
    ($($type:ty),*) => {
        $(impl Field<$type> for $type {
            fn to_field(&self) -> $type {
                self.clone()
            }
            fn from_field(field: $type) -> Result<Self, BadWire> {
                Ok(field)
            }
        })*
    };
}
plain!(bool, u32, u64, i32, i64, String, Vec<u8>);

macro_rules! number {
    ($($type:ident($inner:ty)),*) => {
        $(impl Field<$inner> for $type {
            fn to_field(&self) -> $inner {
                self.0
            }
            fn from_field(field: $inner) -> Result<Self, BadWire> {
                Ok($type(field))
            }
        })*
    };
}
number!(Height(u64), Time(u64), Cu(u64), Price(u64), Ppm(u32));

macro_rules! text {
    ($($type:ty, $parse:expr;)*) => {
        $(impl Field<String> for $type {
            fn to_field(&self) -> String {
                self.to_string()
            }
            fn from_field(field: String) -> Result<Self, BadWire> {
                $parse(&field).map_err(BadWire::field)
            }
        }

        // Empty text stands for nothing.
        impl Field<String> for Option<$type> {
            fn to_field(&self) -> String {
                self.as_ref().map(ToString::to_string).unwrap_or_default()
            }
            fn from_field(field: String) -> Result<Self, BadWire> {
                if field.is_empty() { Ok(None) } else { Field::from_field(field).map(Some) }
            }
        })*
    };
}
text! {
    Address, Address::parse;
    Denom, |text: &str| Denom::new(text);
    ServiceId, |text: &str| ServiceId::new(text);
    Amount, |text: &str| text.parse().map(Amount);
}

macro_rules! bytes {
    ($($type:ident[$length:literal]),*) => {
        $(impl Field<Vec<u8>> for $type {
            fn to_field(&self) -> Vec<u8> {
                self.0.to_vec()
            }
            fn from_field(field: Vec<u8>) -> Result<Self, BadWire> {
                let length = field.len();
                let wrong = |_| BadWire::field(format!("it has {length} bytes, not {}", $length));
                field.try_into().map($type).map_err(wrong)
            }
        })*
    };
}
bytes!(Digest[32], RelayKey[32], Signature[64], VrfPublic[32], VrfProof[80]);

impl Field<Vec<String>> for Vec<Address> {
    fn to_field(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
    fn from_field(field: Vec<String>) -> Result<Self, BadWire> {
        field.into_iter().map(Field::from_field).collect()
    }
}

// No bytes stand for nothing.
impl Field<Vec<u8>> for Option<Digest> {
    fn to_field(&self) -> Vec<u8> {
        self.map(|digest| digest.0.to_vec()).unwrap_or_default()
    }
    fn from_field(field: Vec<u8>) -> Result<Self, BadWire> {
        if field.is_empty() { Ok(None) } else { Field::from_field(field).map(Some) }
    }
}

macro_rules! choice {
    ($($type:ident as $generated:ident { $($variant:ident),* })*) => {
        $(impl Field<i32> for $type {
            fn to_field(&self) -> i32 {
                match self { $($type::$variant => gen_::$generated::$variant as i32),* }
            }
            fn from_field(field: i32) -> Result<Self, BadWire> {
                match gen_::$generated::try_from(field) {
                    $(Ok(gen_::$generated::$variant) => Ok($type::$variant),)*
                    _ => Err(BadWire::field(format!("{field} is no {}", stringify!($type)))),
                }
            }
        })*
    };
}
choice! {
    Standing as Standing { Bonded, Jailed, Unbonding }
    Status as Status { Completed, Cut, Failed }
    Phase as Phase { Claimed, ProofDue, Proven, Spared, Refuted, Expired, Convicted, Fined }
    Identity as Identity { Same, Unsure, Differs, Withheld, Inflated, Unlike }
    Audited as Audited { Unchosen, Full, Probes }
    Round as Round { First, Second }
    Stage as Stage { First, Second, Passed, Failed, Convicted, Lapsed }
    Again as Again { No, Lapsed, Disputed, Withheld, Suspected, Failed }
}

/// A message within a message. It must be there.
impl<T: Wire> Field<Option<T::Generated>> for T {
    fn to_field(&self) -> Option<T::Generated> {
        Some(self.to_generated())
    }
    fn from_field(field: Option<T::Generated>) -> Result<Self, BadWire> {
        T::from_generated(field.ok_or_else(|| BadWire::field("it is not there"))?)
    }
}

/// A message that may be absent.
impl<T: Wire> Field<Option<T::Generated>> for Option<T> {
    fn to_field(&self) -> Option<T::Generated> {
        self.as_ref().map(Wire::to_generated)
    }
    fn from_field(field: Option<T::Generated>) -> Result<Self, BadWire> {
        field.map(T::from_generated).transpose()
    }
}

impl<T: Wire> Field<Vec<T::Generated>> for Vec<T> {
    fn to_field(&self) -> Vec<T::Generated> {
        self.iter().map(Wire::to_generated).collect()
    }
    fn from_field(field: Vec<T::Generated>) -> Result<Self, BadWire> {
        let one = |(i, generated)| {
            T::from_generated(generated).map_err(|bad: BadWire| bad.within(&format!("[{i}]")))
        };
        field.into_iter().enumerate().map(one).collect()
    }
}
