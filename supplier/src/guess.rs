//! Tokens guessed ahead of the model, by looking up how the text went on where it stood before.
//!
//! A step over a token and some guesses says what follows each of them. As long as a guess is what is
//! then chosen, the next choice needs no step of its own. Choices are made as ever, from the very same
//! logits, so guesses change when a token is known, never which one it is.

/// The longest end of a text that is looked up, and the shortest.
const LOOKED_UP_MAX: usize = 4;
const LOOKED_UP_MIN: usize = 2;

/// Tokens from the end backwards that are searched: so a step's time is bounded.
const BACK: usize = 8_192;

/// Guesses at once, before anything is known of how well they do.
const FIRST: usize = 4;

/// After guesses of which none was right, so many tokens go by without any; twice as many after each
/// further time, up to the most.
const PAUSE: usize = 1;
const PAUSE_MAX: usize = 32;

/// How well guesses did so far, for one answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guesser {
    /// Guesses at once.
    reach: usize,
    /// Tokens to go by without guesses, and how many that were at the last time.
    idle: usize,
    pause: usize,
}

impl Default for Guesser {
    fn default() -> Guesser {
        Guesser { reach: FIRST, idle: 0, pause: 0 }
    }
}

impl Guesser {
    /// What may follow `tokens`: at most so `many`, maybe none.
    pub(crate) fn guess(&mut self, tokens: &[u32], many: usize) -> Vec<u32> {
        if self.idle > 0 {
            self.idle -= 1;
            return Vec::new();
        }
        match many.min(self.reach) {
            0 => Vec::new(),
            many => look_up(tokens, many),
        }
    }

    /// So many of the last guesses were `right`.
    pub(crate) fn saw(&mut self, guesses: usize, right: usize) {
        if guesses == 0 {
            return;
        }
        if right == 0 {
            self.pause = (self.pause * 2).clamp(PAUSE, PAUSE_MAX);
            (self.idle, self.reach) = (self.pause, (self.reach / 2).max(1));
        } else {
            self.pause = 0;
            self.reach = if right == guesses { self.reach * 2 } else { right + 1 };
        }
        self.reach = self.reach.min(usize::from(u8::MAX));
    }
}

/// How the text went on after the last place that reads like its end.
fn look_up(tokens: &[u32], many: usize) -> Vec<u32> {
    let window = &tokens[tokens.len().saturating_sub(BACK)..];
    for length in (LOOKED_UP_MIN..=LOOKED_UP_MAX).rev() {
        let Some(begins) = window.len().checked_sub(length).filter(|begins| *begins > 0) else {
            continue;
        };
        let end = &window[begins..];
        let before = window[..window.len() - 1].windows(length).rposition(|place| place == end);
        if let Some(place) = before {
            // Near the end the guesses themselves go on: what repeats is repeated.
            let period = begins - place;
            let next = place + length;
            return (0..many).map(|i| window[next + i % period]).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_as_it_did_where_it_last_stood() {
        assert_eq!(look_up(&[1, 2, 3, 4, 9, 1, 2], 2), [3, 4]);
        assert_eq!(look_up(&[1, 2, 3, 7, 1, 2, 4, 8, 1, 2], 2), [4, 8], "the last place counts");
        assert_eq!(look_up(&[5, 1, 2, 3, 0, 1, 2, 4, 5, 1, 2], 1), [3], "a longer end counts more");
    }

    #[test]
    fn what_repeats_is_repeated() {
        assert_eq!(look_up(&[7, 1, 2, 1, 2], 5), [1, 2, 1, 2, 1]);
        assert_eq!(look_up(&[4, 4, 4], 3), [4, 4, 4]);
    }

    #[test]
    fn a_text_that_never_stood_there_has_no_guess() {
        for tokens in [&[][..], &[1], &[1, 1], &[1, 2, 3, 4]] {
            assert!(look_up(tokens, 4).is_empty(), "{tokens:?}");
        }
    }

    #[test]
    fn guesses_that_fail_become_rare_and_ones_that_hold_long() {
        let text = [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2];
        let mut guesser = Guesser::default();
        for reach in [4, 8, 16] {
            assert_eq!(guesser.guess(&text, 99).len(), reach);
            guesser.saw(reach, reach);
        }
        guesser.saw(8, 3);
        assert_eq!(guesser.guess(&text, 8).len(), 4);
        guesser.saw(4, 0);
        let idle = (0..PAUSE).map(|_| guesser.guess(&text, 8).len()).sum::<usize>();
        assert_eq!((idle, guesser.guess(&text, 8).len()), (0, 2));
        assert!(guesser.guess(&text, 0).is_empty());
    }
}
