//! Which tokens go into the next step.

use std::time::Duration;

/// Tokens of prompts in one step at most: more bring no speed.
pub(crate) const PREFILL_MAX: usize = 256;

/// Tokens of prompts in one step at least, however slow the machine: prompts must get on.
const PREFILL_MIN: usize = 16;

/// How long reading prompts may hold up answers that run.
const HOLD_UP: Duration = Duration::from_millis(100);

/// How fast prompts are read, as seen so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    tokens_per_s: f64,
}

impl Pace {
    /// Tokens of prompts that fit the next step: all that help when no answer waits for it, else as
    /// many as are read while nobody notices.
    pub(crate) fn room(self, answers: usize) -> usize {
        if answers == 0 || self.tokens_per_s == 0.0 {
            return PREFILL_MAX;
        }
        let tokens = self.tokens_per_s * HOLD_UP.as_secs_f64();
        (tokens as usize).clamp(PREFILL_MIN, PREFILL_MAX)
    }

    /// A step with that many tokens of prompts took that long.
    pub(crate) fn saw(&mut self, tokens: usize, took: Duration) {
        if tokens < PREFILL_MIN || took.is_zero() {
            return;
        }
        let now = tokens as f64 / took.as_secs_f64();
        let before = if self.tokens_per_s == 0.0 { now } else { self.tokens_per_s };
        self.tokens_per_s = 0.75 * before + 0.25 * now;
    }
}

/// How many of its waiting tokens each sequence may give to the next step. `waiting` holds, for
/// each sequence, the tokens that the model has not read: one while it answers, more while its
/// prompt is read. Answers go on in every step; `room` is what prompts share evenly, and one
/// that `turn` points to goes first, so that none waits forever.
pub(crate) fn shares(waiting: &[usize], room: usize, turn: usize) -> Vec<usize> {
    let mut shares: Vec<usize> = waiting.iter().map(|tokens| usize::from(*tokens == 1)).collect();
    let prompts: Vec<usize> = (0..waiting.len()).filter(|i| waiting[*i] > 1).collect();
    if prompts.is_empty() {
        return shares;
    }
    let even = (room / prompts.len()).max(1);
    let mut room = room;
    for i in 0..prompts.len() {
        let which = prompts[(turn + i) % prompts.len()];
        let share = waiting[which].min(even).min(room);
        shares[which] = share;
        room -= share;
    }
    // What short prompts left over goes to the others.
    for which in prompts {
        let more = (waiting[which] - shares[which]).min(room);
        shares[which] += more;
        room -= more;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = PREFILL_MAX;

    #[test]
    fn answers_go_on_while_prompts_are_read() {
        assert_eq!(shares(&[1, 1_000, 1], ROOM, 0), [1, ROOM, 1]);
    }

    #[test]
    fn prompts_share_the_room_and_leave_none_unused() {
        assert_eq!(shares(&[1_000, 1_000], ROOM, 0), [ROOM / 2, ROOM / 2]);
        assert_eq!(shares(&[1_000, 10], ROOM, 0), [ROOM - 10, 10]);
    }

    #[test]
    fn with_more_prompts_than_room_turns_are_taken() {
        let many = vec![9; ROOM * 2];
        let (first, later) = (shares(&many, ROOM, 0), shares(&many, ROOM, ROOM));
        assert_eq!(first.iter().sum::<usize>(), ROOM);
        assert!(first[0] > 0 && later[0] == 0 && later[ROOM] > 0);
    }

    #[test]
    fn a_slow_machine_reads_prompts_in_smaller_pieces_while_answers_run() {
        let mut pace = Pace::default();
        assert_eq!(pace.room(3), ROOM, "nothing is known yet");
        pace.saw(100, Duration::from_secs(1));
        assert_eq!((pace.room(0), pace.room(1)), (ROOM, PREFILL_MIN));
        for _ in 0..30 {
            pace.saw(1_000, Duration::from_secs(1));
        }
        assert!((90..=100).contains(&pace.room(1)), "{}", pace.room(1));
    }
}
