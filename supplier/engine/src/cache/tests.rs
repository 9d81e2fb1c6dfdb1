use super::*;
use proptest::prelude::*;

fn cache(sequences: usize, pages: usize) -> Cache {
    Cache::new(Room { sequences, pages }, 1, Heads { count: 1, size: 1 }, 1 << 20)
}

/// Reads `tokens` from where the sequence is: writes of each what was said before it, added up.
fn read(cache: &mut Cache, slot: Slot, tokens: &[u32]) {
    let from = cache.length(slot);
    cache.grow(slot, &tokens[from..]);
    for position in from..tokens.len() {
        let sum: u32 = tokens[..=position].iter().sum();
        let page = cache.table(slot)[position / PAGE];
        cache.pages.write(page, 0, position % PAGE, &[sum as f32], &[-(sum as f32)]);
    }
    cache.publish(slot);
}

fn holds(cache: &Cache, slot: Slot, tokens: &[u32]) -> bool {
    let keys = |page: usize| cache.pages.head(cache.table(slot)[page], 0, 0).keys;
    (0..tokens.len()).all(|position| {
        let sum: u32 = tokens[..=position].iter().sum();
        keys(position / PAGE)[position % PAGE] == sum as f32
    })
}

#[test]
fn a_beginning_that_was_read_is_not_read_again() {
    let mut cache = cache(3, 12);
    let tokens: Vec<u32> = (0..3 * PAGE as u32).collect();
    let (first, none) = cache.take_for(&tokens, tokens.len()).unwrap();
    read(&mut cache, first, &tokens);
    let (second, known) = cache.take_for(&tokens, tokens.len()).unwrap();
    assert_eq!((none, known), (0, 2 * PAGE));
    assert!(holds(&cache, second, &tokens[..known]));
    cache.free(first);
    cache.free(second);
    assert_eq!(cache.left_pages(), 12);
    assert_eq!(cache.take_for(&tokens, tokens.len()).unwrap().1, 2 * PAGE);
}

#[test]
fn what_is_promised_is_kept_and_what_cannot_fit_is_refused() {
    let mut cache = cache(4, 4);
    let (slot, _) = cache.take_for(&[1], 3 * PAGE).unwrap();
    assert_eq!(cache.take_for(&[1], 2 * PAGE), Err(Full::Pages { needed: 2, left: 1, all: 4 }));
    assert!(matches!(cache.take_for(&[1], 5 * PAGE), Err(Full::Never { .. })));
    cache.free(slot);
    assert!(cache.take_for(&[1], 2 * PAGE).is_ok());
}

proptest! {
    #[test]
    fn sequences_hold_their_own_tokens_whatever_comes_and_goes(
        steps in prop::collection::vec((0usize..4, 1usize..5, 0u32..3), 1..60)
    ) {
        let mut cache = cache(4, 10);
        let mut running: Vec<(Slot, Vec<u32>)> = Vec::new();
        for (which, pages, kind) in steps {
            if which < running.len() {
                let (slot, tokens) = running.remove(which);
                prop_assert!(holds(&cache, slot, &tokens));
                cache.free(slot);
            }
            let tokens: Vec<u32> = (0..(pages * PAGE) as u32).map(|i| i % (kind + 7)).collect();
            if let Ok((slot, known)) = cache.take_for(&tokens, tokens.len()) {
                prop_assert!(known < tokens.len() && holds(&cache, slot, &tokens[..known]));
                read(&mut cache, slot, &tokens);
                running.push((slot, tokens));
            }
            for (slot, tokens) in &running {
                prop_assert!(holds(&cache, *slot, tokens));
            }
        }
        running.into_iter().for_each(|(slot, _)| cache.free(slot));
        prop_assert_eq!(cache.left_pages(), 10);
    }
}
