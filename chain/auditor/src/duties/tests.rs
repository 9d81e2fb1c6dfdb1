use super::*;
use crate::journal::Entry;
use proto::audit::case::{Again, Member, Stage};
use proto::audit::tally::Vote;
use proto::audit::{Audit, Identity, Params, Verdict};
use proto::service::ServiceId;
use proto::{Cu, Height};

const AUDITOR: Address = Address([3; 20]);

fn case(id: u8, stage: Stage) -> Case {
    Case {
        audit: Audit {
            id: Digest([id; 32]),
            session_id: Digest([9; 32]),
            operator: Address([5; 20]),
            point: 0,
        },
        service: ServiceId::new("demo").unwrap(),
        start: Height(1),
        judged: true,
        stage,
        again: Again::No,
        first: Vec::new(),
        second: Vec::new(),
        found: None,
        decided_at: Height(0),
        planted: None,
    }
}

/// A docket of heights 100..116 whose only auditor sits on everything.
fn watched(cases: &[Case]) -> Watched {
    let secret = VrfSecret::from_bytes(&[6; 32]);
    let member = Member { auditor: AUDITOR, power: 1, vrf_key: secret.public() };
    let docket = Docket {
        start: Height(1),
        seed: Digest([1; 32]),
        opens: Height(100),
        closes: Height(116),
        params: Params::standard(),
        panel: vec![member],
        audits: cases.len() as u32,
        second_seed: Some(Digest([2; 32])),
    };
    let mut watched = Watched::of(docket, AUDITOR, &secret).unwrap();
    watched.cases = cases.iter().map(|case| (case.audit.id, case.clone())).collect();
    watched
}

fn said(journal: &mut Journal, case: &Case, round: Round) {
    let verdict = Verdict { identity: Identity::Same, quality: None };
    let entry = Entry {
        audit: case.audit,
        round,
        service: case.service.clone(),
        start: case.start,
        at: Height(101),
        verdict,
        salt: Digest([8; 32]),
        because: String::new(),
        excess: Cu(0),
    };
    journal.write(entry).unwrap();
}

#[test]
fn each_duty_comes_in_its_window_and_once() {
    let home = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(home.path(), Height(0)).unwrap();
    let case = case(1, Stage::First);
    let (id, round) = (case.audit.id, Round::First);
    let mut watched = watched(std::slice::from_ref(&case));
    assert_eq!(watched.due(&journal, Height(98)), []);
    assert_eq!(watched.due(&journal, Height(100)), [Duty::Judge { audit: id, round }]);
    watched.judging.insert((id, round));
    assert_eq!(watched.due(&journal, Height(101)), []);
    said(&mut journal, &case, round);
    assert_eq!(watched.due(&journal, Height(101)), [Duty::Commit { round, audits: vec![id] }]);
    watched.committed.insert((id, round));
    assert_eq!(watched.due(&journal, Height(102)), []);
    let reveal = [Duty::Reveal { round, audits: vec![id] }];
    assert_eq!(watched.due(&journal, Height(103)), [], "too late to commit, too early to reveal");
    assert_eq!(watched.due(&journal, Height(104)), reveal);
    watched.cases.get_mut(&id).unwrap().first.push(Vote {
        auditor: AUDITOR,
        verdict: Verdict { identity: Identity::Same, quality: None },
    });
    watched.shown.insert(round);
    assert_eq!(watched.due(&journal, Height(105)), [], "the chain has it");
}

#[test]
fn after_a_crash_what_the_journal_holds_is_said() {
    let home = tempfile::tempdir().unwrap();
    let case = case(1, Stage::First);
    said(&mut Journal::open(home.path(), Height(0)).unwrap(), &case, Round::First);
    let journal = Journal::open(home.path(), Height(0)).unwrap();
    let again = watched(std::slice::from_ref(&case));
    let (round, audits) = (Round::First, vec![case.audit.id]);
    assert_eq!(again.due(&journal, Height(101)), [Duty::Commit { round, audits: audits.clone() }]);
    assert_eq!(again.due(&journal, Height(105)), [Duty::Reveal { round, audits }]);
}

#[test]
fn a_second_committee_is_another_duty_and_a_ticket_is_shown_without_a_verdict_too() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::open(home.path(), Height(0)).unwrap();
    let case = case(1, Stage::Second);
    let watched = watched(std::slice::from_ref(&case));
    let audits = Vec::new();
    assert_eq!(watched.due(&journal, Height(104)), [Duty::Reveal { round: Round::First, audits }]);
    let (audit, round) = (case.audit.id, Round::Second);
    assert_eq!(watched.due(&journal, Height(108)), [Duty::Judge { audit, round }]);
    let audits = Vec::new();
    assert_eq!(watched.due(&journal, Height(112)), [Duty::Reveal { round, audits }]);
    assert_eq!(watched.give_up(round), Height(109));
}

#[test]
fn the_second_rounds_seats_are_known_once_its_seed_is() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::open(home.path(), Height(0)).unwrap();
    let case = case(1, Stage::Second);
    let known = watched(std::slice::from_ref(&case)).docket;
    let (early, secret) =
        (Docket { second_seed: None, ..known.clone() }, VrfSecret::from_bytes(&[6; 32]));
    let mut watched = Watched::of(early, AUDITOR, &secret).unwrap();
    watched.cases.insert(case.audit.id, case.clone());
    assert!(!watched.wants_second_seed(Height(107)) && watched.wants_second_seed(Height(108)));
    assert_eq!(watched.due(&journal, Height(108)), []);
    watched.renew(known, &secret);
    assert!(!watched.wants_second_seed(Height(108)));
    let (audit, round) = (case.audit.id, Round::Second);
    assert_eq!(watched.due(&journal, Height(108)), [Duty::Judge { audit, round }]);
}

#[test]
fn with_another_key_nobody_is_on_the_panel() {
    let docket = watched(&[]).docket;
    assert!(Watched::of(docket.clone(), AUDITOR, &VrfSecret::from_bytes(&[5; 32])).is_none());
    assert!(Watched::of(docket, Address([4; 20]), &VrfSecret::from_bytes(&[6; 32])).is_none());
}
