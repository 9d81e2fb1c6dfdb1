use super::*;
use crate::rig;
use std::io::Write;

fn dossier(answer: &[u8]) -> Dossier {
    Dossier {
        form: "f".into(),
        chain_id: rig::CHAIN.into(),
        service: rig::service().id,
        supplier: rig::OPERATOR,
        relay_key: rig::relay_secret().public(),
        path: "/v1/completions".into(),
        body: b"body".into(),
        answer: answer.into(),
        evidence: vec![1, 2, 3],
        receipt: vec![4; 5],
    }
}

fn id(byte: u8) -> Digest {
    Digest([byte; 32])
}

#[tokio::test]
async fn what_is_kept_is_found_until_nobody_may_ask_any_more() {
    let home = tempfile::tempdir().unwrap();
    let vault = Vault::open(&home.path().join(FOLDER), 10_000).unwrap();
    for relay in 1..4 {
        vault.keep(id(9), id(relay), &dossier(&[relay; 10])).await.unwrap();
    }
    vault.keep(id(8), id(1), &dossier(b"other")).await.unwrap();
    assert_eq!(find(home.path(), &id(9), &id(2)).unwrap(), dossier(&[2; 10]));
    assert!(matches!(find(home.path(), &id(9), &id(7)), Err(FindFailed::Relay(_))));
    vault.sweep(|session| *session != id(9)).await;
    // The writer takes one thing after the other.
    vault.keep(id(8), id(2), &dossier(b"last")).await.unwrap();
    assert!(matches!(find(home.path(), &id(9), &id(2)), Err(FindFailed::Session(_))));
    assert_eq!(find(home.path(), &id(8), &id(1)).unwrap().answer, b"other");
}

#[tokio::test]
async fn after_a_crash_more_is_kept_behind_the_last_whole_record() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(FOLDER);
    let vault = Vault::open(&folder, 10_000).unwrap();
    vault.keep(id(9), id(1), &dossier(b"one")).await.unwrap();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.join(format!("{}.log", id(9))))
        .unwrap();
    file.write_all(&frame(&id(2), &dossier(b"two"))[..40]).unwrap();
    let vault = Vault::open(&folder, 10_000).unwrap();
    vault.keep(id(9), id(3), &dossier(b"three")).await.unwrap();
    assert_eq!(find(home.path(), &id(9), &id(1)).unwrap().answer, b"one");
    assert!(find(home.path(), &id(9), &id(2)).is_err());
    assert_eq!(find(home.path(), &id(9), &id(3)).unwrap().answer, b"three");
}

#[tokio::test]
async fn no_more_is_kept_than_there_is_room_for() {
    let home = tempfile::tempdir().unwrap();
    let vault = Vault::open(&home.path().join(FOLDER), 1_500).unwrap();
    vault.keep(id(9), id(1), &dossier(b"one")).await.unwrap();
    let full = vault.keep(id(9), id(2), &dossier(&[0; 1_000])).await;
    assert!(matches!(full, Err(NotKept::Full { .. })), "{full:?}");
    vault.sweep(|_| false).await;
    assert_eq!(vault.used(), 0);
    vault.keep(id(8), id(2), &dossier(&[0; 500])).await.unwrap();
}
