use super::*;
use proto::Address;
use proto::audit::Identity;
use std::os::unix::fs::PermissionsExt;

pub(crate) fn entry(audit: u8, round: Round, at: u64) -> Entry {
    let audit = Audit {
        id: Digest([audit; 32]),
        session_id: Digest([9; 32]),
        operator: Address([5; 20]),
        point: 3,
    };
    let verdict = Verdict { identity: Identity::Same, quality: None };
    let service = ServiceId::new("demo").unwrap();
    let (start, at, because) = (Height(1), Height(at), "tokens are the model's".to_owned());
    let salt = Digest([7; 32]);
    Entry { audit, round, service, start, at, verdict, salt, because, excess: Cu(0) }
}

#[test]
fn what_was_written_is_there_after_a_crash_and_a_half_line_is_not() {
    let home = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(home.path(), Height(0)).unwrap();
    journal.write(entry(1, Round::First, 50)).unwrap();
    journal.write(entry(1, Round::Second, 60)).unwrap();
    let path = home.path().join(FILE);
    let half = &line(&entry(2, Round::First, 61))[..40];
    OpenOptions::new().append(true).open(&path).unwrap().write_all(half).unwrap();
    let mut again = Journal::open(home.path(), Height(0)).unwrap();
    assert_eq!(again.entries().count(), 2);
    assert_eq!(again.get(&Digest([1; 32]), Round::Second), Some(&entry(1, Round::Second, 60)));
    again.write(entry(3, Round::First, 62)).unwrap();
    assert_eq!(entries(home.path()).unwrap().len(), 3);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn old_entries_go() {
    let home = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(home.path(), Height(0)).unwrap();
    journal.write(entry(1, Round::First, 50)).unwrap();
    journal.write(entry(2, Round::First, 70)).unwrap();
    let again = Journal::open(home.path(), Height(60)).unwrap();
    assert_eq!(again.entries().map(|entry| entry.at).collect::<Vec<_>>(), [Height(70)]);
}
