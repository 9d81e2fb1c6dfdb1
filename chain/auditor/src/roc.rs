//! How well a mark tells good answers from bad ones.
//!
//! The area under the curve is the chance that a good answer has a higher mark than a bad one, and
//! its interval is that of Hanley and McNeil (1982).

/// Standard deviations of an interval that holds in 95 of 100 cases.
const DEVIATIONS: f64 = 1.96;

/// An area under a curve, and between which values it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    pub area: f64,
    pub low: f64,
    pub high: f64,
}

/// The area under the curve of marks of good and of bad answers. Without one kind there is none.
pub fn area(good: &[u16], bad: &[u16]) -> Option<Area> {
    if good.is_empty() || bad.is_empty() {
        return None;
    }
    let mut bad = bad.to_vec();
    bad.sort_unstable();
    let below = |mark: &u16| {
        let less = bad.partition_point(|other| other < mark);
        let same = bad.partition_point(|other| other <= mark) - less;
        less as f64 + same as f64 / 2.0
    };
    let (n, m) = (good.len() as f64, bad.len() as f64);
    let area = good.iter().map(below).sum::<f64>() / (n * m);
    let (q1, q2) = (area / (2.0 - area), 2.0 * area * area / (1.0 + area));
    let square = area * area;
    let variance =
        (area * (1.0 - area) + (n - 1.0) * (q1 - square) + (m - 1.0) * (q2 - square)) / (n * m);
    let reach = DEVIATIONS * variance.max(0.0).sqrt();
    Some(Area { area, low: (area - reach).max(0.0), high: (area + reach).min(1.0) })
}

/// A share, and between which values it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    pub share: f64,
    pub low: f64,
    pub high: f64,
}

impl Share {
    /// `count` of `all`, with Wilson's interval (1927).
    pub fn of(count: usize, all: usize) -> Share {
        let (n, z2) = (all.max(1) as f64, DEVIATIONS * DEVIATIONS);
        let share = count as f64 / n;
        let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let spread = (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
        let reach = DEVIATIONS * spread / (1.0 + z2 / n);
        Share { share, low: (middle - reach).max(0.0), high: (middle + reach).min(1.0) }
    }
}

/// The share of bad answers whose mark is below that of all but `lost` per mille of good ones: how
/// many are caught when so few honest answers are suspected.
pub fn caught(good: &[u16], bad: &[u16], lost: usize) -> Share {
    let mut good = good.to_vec();
    good.sort_unstable();
    let bound = good.get(good.len() * lost / 1000).copied().unwrap_or(0);
    Share::of(bad.iter().filter(|mark| **mark < bound).count(), bad.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_chance_that_good_is_above_bad() {
        for (good, bad, expected) in [
            (&[3u16, 4][..], &[1u16, 2][..], 1.0),
            (&[1, 2], &[3, 4], 0.0),
            (&[5, 5], &[5], 0.5),
            (&[1, 4], &[2, 3], 0.5),
        ] {
            let got = area(good, bad).unwrap();
            assert!((got.area - expected).abs() < 1e-9, "{good:?} {bad:?} {got:?}");
            assert!(got.low <= got.area && got.area <= got.high);
        }
        assert_eq!(area(&[], &[1]), None);
    }

    #[test]
    fn more_answers_make_the_interval_narrower() {
        let marks =
            |count: u16, shift: u16| (0..count).map(|i| i * 7 % 100 + shift).collect::<Vec<_>>();
        let width = |count| {
            let area = area(&marks(count, 30), &marks(count, 0)).unwrap();
            area.high - area.low
        };
        assert!(width(400) < width(40) / 2.0);
    }

    #[test]
    fn what_is_caught_depends_on_how_many_honest_answers_are_suspected() {
        let good: Vec<u16> = (0..1000).collect();
        assert!((caught(&good, &[5, 50, 500], 10).share - 1.0 / 3.0).abs() < 1e-9);
        assert!((caught(&good, &[5, 50, 500], 100).share - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_share_of_few_is_less_sure_than_one_of_many_and_never_certain() {
        let width = |share: Share| share.high - share.low;
        assert!(width(Share::of(98, 100)) > 2.0 * width(Share::of(980, 1000)));
        let all = Share::of(500, 500);
        assert!(all.share == 1.0 && (0.992..0.993).contains(&all.low), "{all:?}");
    }
}
