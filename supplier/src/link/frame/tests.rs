use super::*;
use proptest::prelude::*;

fn frames() -> Vec<Frame> {
    let span = Span { pages: vec![3, 1], from: 32, count: 2, wants: 2 };
    let (epoch, step) = (7, 9);
    let (spent, x) = (vec![10, 20], vec![1.0, -0.5, 0.25, 3.5]);
    let key = PeerKey([5; 32]);
    vec![
        Frame::Greeting { version: VERSION, greeting: Greeting::Head },
        Frame::Greeting { version: VERSION, greeting: Greeting::Before { epoch } },
        Frame::About(About {
            version: VERSION,
            fingerprint: [1; 32],
            layers: 8,
            hidden: 2,
            fixed: Some(2..4),
            weights_bytes: 1 << 40,
            cache_bytes: 1 << 30,
            curve: vec![(1, 100), (8, 300)],
        }),
        Frame::Order(Order {
            epoch,
            fingerprint: [1; 32],
            layers: 2..4,
            residual: Residual::F32,
            pages: 64,
            before: Some(key),
            after: Some((key, "[::1]:9200".to_owned())),
        }),
        Frame::Ready { epoch },
        Frame::Refused { epoch, reason: "no room".to_owned() },
        Frame::Rows(Rows {
            epoch,
            step,
            spent: spent.clone(),
            spans: vec![span],
            residual: Residual::F32,
            x: x.clone(),
        }),
        Frame::Yield(Yield { epoch, step, spent, residual: Residual::Bf16, x }),
        Frame::Ping { nonce: 1, padding: 3 },
        Frame::Pong { nonce: 1, epoch, done: step, onward: 250 },
        Frame::Broken { epoch, reason: "gone".to_owned() },
    ]
}

#[test]
fn every_frame_is_read_as_it_was_written() {
    for frame in frames() {
        let bytes = frame.encode();
        assert_eq!(bytes[..4], ((bytes.len() - 4) as u32).to_le_bytes());
        assert_eq!(Frame::decode(&bytes[4..]), Ok(frame));
    }
}

#[test]
fn a_frame_that_ends_early_or_late_is_refused() {
    for frame in frames() {
        let mut bytes = frame.encode()[4..].to_vec();
        for end in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..end]).is_err(), "{frame:?} cut at {end}");
        }
        bytes.push(0);
        assert_eq!(Frame::decode(&bytes), Err(Malformed::Long(1)));
    }
}

#[test]
fn a_reason_that_is_too_long_is_cut_at_a_character() {
    let reason = "ä".repeat(REASON_MAX);
    let bytes = Frame::Broken { epoch: 0, reason }.encode();
    let Ok(Frame::Broken { reason, .. }) = Frame::decode(&bytes[4..]) else { panic!("no frame") };
    assert_eq!(reason.len(), REASON_MAX);
}

proptest! {
    #[test]
    fn what_is_read_has_one_form(
        which in 0..11usize, at in any::<prop::sample::Index>(), value in any::<u8>()
    ) {
        let mut bytes = frames()[which].encode()[4..].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(&frame.encode()[4..], &bytes[..]);
        }
    }
}
