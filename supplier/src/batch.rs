//! Which tokens go into the next step.

/// Tokens of prompts in one step at most: a long prompt must not hold up answers that run.
pub(crate) const PREFILL_MAX: usize = 256;

/// How many of its waiting tokens each sequence may give to the next step. `waiting` holds, for
/// each sequence, the tokens that the model has not read: one while it answers, more while its
/// prompt is read. Answers go on in every step; what room is left prompts share evenly, and one
/// that `turn` points to goes first, so that none waits forever.
pub(crate) fn shares(waiting: &[usize], turn: usize) -> Vec<usize> {
    let mut shares: Vec<usize> = waiting.iter().map(|tokens| usize::from(*tokens == 1)).collect();
    let prompts: Vec<usize> = (0..waiting.len()).filter(|i| waiting[*i] > 1).collect();
    if prompts.is_empty() {
        return shares;
    }
    let even = (PREFILL_MAX / prompts.len()).max(1);
    let mut room = PREFILL_MAX;
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

    #[test]
    fn answers_go_on_while_prompts_are_read() {
        assert_eq!(shares(&[1, 1_000, 1], 0), [1, PREFILL_MAX, 1]);
    }

    #[test]
    fn prompts_share_the_room_and_leave_none_unused() {
        assert_eq!(shares(&[1_000, 1_000], 0), [PREFILL_MAX / 2, PREFILL_MAX / 2]);
        assert_eq!(shares(&[1_000, 10], 0), [PREFILL_MAX - 10, 10]);
    }

    #[test]
    fn with_more_prompts_than_room_turns_are_taken() {
        let many = vec![9; PREFILL_MAX * 2];
        let (first, later) = (shares(&many, 0), shares(&many, PREFILL_MAX));
        assert_eq!(first.iter().sum::<usize>(), PREFILL_MAX);
        assert!(first[0] > 0 && later[0] == 0 && later[PREFILL_MAX] > 0);
    }
}
