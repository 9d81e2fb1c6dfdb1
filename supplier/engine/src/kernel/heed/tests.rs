use super::*;
use crate::kernel::check::Numbers;
use proptest::prelude::*;

/// The rule, a head and a position at a time.
fn by_rule(query: &[f32], pages: &[Page<'_>], seen: Range<usize>) -> Vec<f32> {
    let size = query.len();
    let mut weights = Vec::new();
    for position in seen.clone() {
        let (page, place) = (&pages[position / PAGE], position % PAGE);
        let mut lanes = [0f32; COLUMNS];
        for (i, number) in query.iter().enumerate() {
            lanes[i % COLUMNS] += number * page.keys[i * PAGE + place];
        }
        let score: f32 = lanes.iter().sum();
        weights.push(score * (1.0 / (size as f32).sqrt()));
    }
    let highest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    weights.iter_mut().for_each(|weight| *weight = libm::expf(*weight - highest));
    let mut sum = 0.0;
    weights.iter().for_each(|weight| sum += weight);
    let mut out = vec![0f32; size];
    for (position, weight) in seen.zip(weights) {
        let place = position % PAGE * size;
        let value = &pages[position / PAGE].values[place..place + size];
        out.iter_mut().zip(value).for_each(|(out, value)| *out += weight / sum * value);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_processor_computes_each_head_as_if_it_were_alone(
        seed: u64,
        size in prop_oneof![Just(64usize), Just(128), Just(80), Just(20), 1usize..40],
        seen in proptest::collection::vec((0usize..130, 1usize..130), 1..11),
        large in prop::bool::ANY,
    ) {
        let mut numbers = Numbers(seed);
        let scale = if large { 30.0 } else { 1.0 };
        let mut floats = |count: usize| -> Vec<f32> {
            (0..count).map(|_| numbers.float() * scale).collect()
        };
        let seen: Vec<Range<usize>> =
            seen.into_iter().map(|(from, count)| from..from + count).collect();
        let end = seen.iter().map(|seen| seen.end).max().unwrap();
        let mut kept: Vec<(Vec<f32>, Vec<f32>)> = (0..end.div_ceil(PAGE))
            .map(|_| (floats(PAGE * size), floats(PAGE * size)))
            .collect();
        // What nobody sees may be anything.
        let (keys, values) = kept.last_mut().unwrap();
        for place in (end - 1) % PAGE + 1..PAGE {
            (0..size).for_each(|i| keys[i * PAGE + place] = f32::NAN);
            values[place * size..(place + 1) * size].fill(f32::INFINITY);
        }
        let pages: Vec<Page<'_>> =
            kept.iter().map(|(keys, values)| Page { keys, values }).collect();
        let queries = floats(seen.len() * size);
        for level in Level::all() {
            let mut outs = vec![f32::NAN; queries.len()];
            let asks: Vec<Ask> = seen.iter().enumerate().map(|(i, seen)| Ask {
                query: queries[i * size..].as_ptr(),
                out: outs[i * size..].as_mut_ptr(),
                from: seen.start,
                to: seen.end,
            }).collect();
            // SAFETY: all pointers lead to `size` numbers, and the level is one of this processor.
            unsafe { heed_at(level, &asks, &pages, size) };
            for (i, seen) in seen.iter().enumerate() {
                let place = i * size..(i + 1) * size;
                let expected = by_rule(&queries[place.clone()], &pages, seen.clone());
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&outs[place]), bits(&expected), "{} {:?}", level.name(), seen);
            }
        }
    }
}
