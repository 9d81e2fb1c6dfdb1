use super::*;
use crate::account::KeyTerms;

async fn books(folder: &tempfile::TempDir) -> Books {
    Books::open(&folder.path().join("deep/books.db")).await.unwrap()
}

async fn key(books: &Books) -> Arc<str> {
    let terms = KeyTerms { name: "shop".into(), ..KeyTerms::default() };
    books.create_key(terms, &[1; 32], Time(5)).await.unwrap().1.id.into()
}

fn outcome(key: &Arc<str>, id: u8, finished: u64) -> Outcome {
    Outcome {
        relay_id: Digest([id; 32]),
        key_id: key.clone(),
        service: ServiceId::new("m").unwrap(),
        session_id: Digest([9; 32]),
        supplier: Address([1; 20]),
        seq: id.into(),
        status: Status::Completed,
        usage: Usage { fresh_in: 1, cached_in: 2, out: 3 },
        cu: Cu(6),
        cost: Amount(7),
        due: Due(7_500_000),
        started: Time(1),
        first_byte: Some(Time(2)),
        finished: Time(finished),
        request: vec![1, 2],
        receipt: Some(vec![3]),
    }
}

fn running(key: &Arc<str>, id: u8) -> Running {
    Running {
        relay_id: Digest([id; 32]),
        key_id: key.clone(),
        session_id: Digest([9; 32]),
        supplier: Address([1; 20]),
        seq: id.into(),
        max_cu: Cu(100),
        started: Time(1),
        request: vec![1],
    }
}

async fn end(books: &Books, outcome: Outcome) {
    books.end(outcome).await.unwrap().on_disk().await.unwrap();
}

#[tokio::test]
async fn what_is_on_disk_is_there_when_the_books_are_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = books(&folder).await;
    let key = key(&first).await;
    let one = running(&key, 1);
    first.begin(one.clone()).await.unwrap();
    first.begin(running(&key, 2)).await.unwrap().on_disk().await.unwrap();
    end(&first, outcome(&key, 2, 10)).await;
    end(&first, outcome(&key, 3, 11)).await;
    drop(first);
    let second = books(&folder).await;
    assert_eq!(second.running().await.unwrap(), [one]);
    let relay = second.relay(&Digest([2; 32])).await.unwrap().unwrap();
    // What a row keeps of the cost is rounded; the key's sum is not.
    assert_eq!(relay.outcome, Outcome { due: Due::whole(Amount(7)), ..outcome(&key, 2, 10) });
    assert_eq!(second.keys().await.unwrap()[0].spent, Due(15_000_000));
    end(&second, outcome(&key, 1, 12)).await;
    assert_eq!(second.keys().await.unwrap()[0].spent, Due(22_500_000));
    assert_eq!(second.running().await.unwrap(), []);
    assert_eq!(second.billed(&Digest([9; 32])).await.unwrap(), Cu(18));
    assert_eq!(second.next_seq(&Digest([9; 32]), &Address([1; 20])).await.unwrap(), 4);
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended() {
    let folder = tempfile::tempdir().unwrap();
    let books = books(&folder).await;
    let key = key(&books).await;
    for id in 1..=7 {
        // Some end at the same time.
        end(&books, outcome(&key, id, u64::from(id) / 3)).await;
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = books.page(&key, after.as_ref(), 3).await.unwrap();
        seen.extend(page.relays.iter().map(|relay| relay.outcome.relay_id.0[0]));
        after = page.relays.last().map(|relay| relay.outcome.relay_id);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(books.page("key_other", None, 3).await.unwrap().relays, []);
}

#[tokio::test]
async fn old_rows_go_and_what_a_key_has_spent_stays() {
    let folder = tempfile::tempdir().unwrap();
    let books = books(&folder).await;
    let key = key(&books).await;
    end(&books, outcome(&key, 1, 10)).await;
    end(&books, outcome(&key, 2, 20)).await;
    books.prune(Time(15)).await.unwrap().on_disk().await.unwrap();
    let left = books.page(&key, None, 10).await.unwrap().relays;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].outcome.relay_id, Digest([2; 32]));
    assert_eq!(books.keys().await.unwrap()[0].spent, Due(15_000_000));
}

#[cfg(unix)]
#[tokio::test]
async fn only_their_owner_can_read_the_books() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _books = books(&folder).await;
    let mode = std::fs::metadata(folder.path().join("deep/books.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
