//! Exponential and natural logarithm in integers: the same bits on every machine.

/// Bits after the point of a logarithm.
pub const LOG_BITS: u32 = 16;

/// Bits after the point inside the computation.
const BITS: u32 = 48;

/// ln 2 in 2^-48, rounded to nearest.
const LN_2: i128 = 195_103_586_505_167;

/// Logarithms beyond this are those of no 64-bit number: 64 ln 2 in 2^-16.
pub const LOG_MAX: i64 = 2_907_270;

/// `e^x` for `x` in 2^-16, rounded to the nearest integer; `u64::MAX` when that is too large.
pub fn exp(x: i64) -> u64 {
    let (mantissa, shift) = exp_parts(x);
    let rounded = match u32::try_from(shift) {
        Ok(left) if left >= 64 => return u64::MAX,
        Ok(left) => mantissa << left,
        Err(_) => {
            let right = shift.unsigned_abs().min(120);
            (mantissa + (1 << (right - 1))) >> right
        }
    };
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

/// `e^x = mantissa * 2^shift` with a mantissa in `[2^48, 2^49)`.
fn exp_parts(x: i64) -> (u128, i32) {
    let x = i128::from(x.clamp(-4 * LOG_MAX, 4 * LOG_MAX)) << (BITS - LOG_BITS);
    let (twos, rest) = (x.div_euclid(LN_2), x.rem_euclid(LN_2));
    // The Taylor series of e^rest for rest < ln 2; the 16th term is below 2^-48.
    let (mut sum, mut term) = (1i128 << BITS, 1i128 << BITS);
    for n in 1..=16 {
        term = ((term * rest) >> BITS) / n;
        sum += term;
    }
    (sum.unsigned_abs(), twos as i32 - BITS as i32)
}

/// The largest `x` in 2^-16 with `e^x <= value`; 0 for 0.
pub fn ln(value: u64) -> i64 {
    let fits = |x: i64| {
        let (mantissa, shift) = exp_parts(x);
        // e^x <= value, both times 2^48.
        let value = u128::from(value) << BITS;
        match u32::try_from(shift + BITS as i32) {
            Ok(left) => mantissa.checked_shl(left).is_some_and(|scaled| scaled <= value),
            Err(_) => true,
        }
    };
    let (mut low, mut high) = (0, LOG_MAX);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values_are_right() {
        let cases = [(0, 1), (65_536, 3), (65_536 * 10, 22_026), (65_536 * 20, 485_165_195)];
        for (x, value) in cases {
            assert_eq!(exp(x), value, "e^({x}/65536)");
        }
        assert_eq!((exp(i64::MIN), exp(i64::MAX)), (0, u64::MAX));
        // ln 2, ln 10 and ln 10^6 times 65536, rounded down.
        assert_eq!((ln(0), ln(1), ln(2), ln(10), ln(1_000_000)), (0, 0, 45_426, 150_902, 905_413));
    }

    proptest! {
        #[test]
        fn a_logarithm_leads_back_within_its_step(value in 1u64..1 << 60) {
            let (below, above) = (exp(ln(value)), exp(ln(value) + 1));
            prop_assert!(below <= value.saturating_add(1) && value <= above.saturating_add(1));
        }

        #[test]
        fn more_is_more(x in -LOG_MAX..LOG_MAX, y in 0i64..100_000) {
            prop_assert!(exp(x) <= exp(x + y));
        }
    }
}
