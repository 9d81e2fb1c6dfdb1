#![allow(clippy::unwrap_used)]

use super::*;
use crate::rig::{self, Gateway};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// Records of a small session, in order.
fn story() -> Vec<Record> {
    let mut gateway = Gateway::of(rig::session(1));
    let mut records = Vec::new();
    let mut requests = Vec::new();
    for seq in 0..3 {
        if seq == 2 {
            gateway.agree(0, 5);
        }
        let envelope = gateway.request(b"body", 10);
        requests.push(envelope.request.body.clone());
        let accepted = Accepted { height: Height(2), at: proto::Time(9), envelope };
        records.push(Record::Accepted(Box::new(accepted)));
        if seq == 0 {
            let receipt = rig::receipt(&requests[0], 5, Status::Completed);
            records.push(Record::Receipt(Box::new(receipt)));
        }
    }
    gateway.agree(1, 7);
    records.push(Record::Checkpoint(Box::new(rig::receipt(&requests[1], 3, Status::Cut))));
    records.push(Record::Acked(Box::new(gateway.update())));
    records.push(Record::Receipt(Box::new(rig::receipt(&requests[1], 7, Status::Completed))));
    let root = ClaimRoot {
        session_id: gateway.session.id,
        root: Digest([9; 32]),
        sum: Cu(12),
        count: 2,
        unacked_from: 2,
    };
    records.push(Record::Claimed(Claimed { root, upto: 99 }));
    records.push(Record::Included { root, height: Height(15) });
    records.push(Record::Drawn { seed: Digest([8; 32]) });
    records.push(Record::Shown { height: Height(40), right: true });
    records.push(Record::Unclaimed { height: Height(50) });
    records
}

/// What a book says that matters for money.
type Said = (usize, usize, usize, Cu, Cu, u64, usize, Option<u64>, u64);

fn said(book: &Book) -> Said {
    let included = book.included().map(|(root, _)| root.sum.0);
    let acked = book.acks().known().count;
    let counts = (book.relays().len(), book.running(), book.unacked());
    let (claims, length) = (book.claims().len(), book.length());
    (counts.0, counts.1, counts.2, book.booked(), book.left(), acked, claims, included, length)
}

struct Written {
    folder: tempfile::TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
    /// What the book said after each record, by the length of the file.
    states: Vec<Said>,
}

fn written() -> Written {
    let folder = tempfile::tempdir().unwrap();
    let opened = rig::opened(rig::session(1));
    let mut book = Book::new(opened.clone());
    let path = path_in(folder.path(), &book.session().id);
    let mut bytes = super::frame::header().to_vec();
    bytes.extend(frame(&Record::Opened(Box::new(opened))));
    let mut states = vec![said(&book)];
    for record in story() {
        bytes.extend(book.add(&record).unwrap());
        states.push(said(&book));
    }
    assert_eq!(book.length(), bytes.len() as u64);
    std::fs::write(&path, &bytes).unwrap();
    Written { folder, path, bytes, states }
}

#[test]
fn each_record_reads_back_as_it_was_written() {
    for record in
        story().into_iter().chain([Record::Opened(Box::new(rig::opened(rig::session(1))))])
    {
        assert_eq!(Record::decode(&record.encode()).unwrap(), record);
    }
}

#[test]
fn a_crash_at_any_byte_loses_no_whole_record_and_counts_none_twice() {
    let written = written();
    let Written { path, bytes, states, .. } = &written;
    for length in 0..=bytes.len() {
        std::fs::write(path, &bytes[..length]).unwrap();
        let last = states.iter().rfind(|state| state.8 <= length as u64);
        match (open(path).unwrap(), last) {
            (Some(opening), Some(last)) => {
                assert_eq!(said(&opening.book), *last, "cut at {length}");
                assert_eq!(opening.cut, length as u64 - last.8);
                let again = open(path).unwrap().unwrap();
                assert_eq!((said(&again.book), again.cut), (*last, 0));
            }
            (None, None) => assert!(!path.exists(), "cut at {length}"),
            (opening, last) => panic!("cut at {length}: {opening:?} instead of {last:?}"),
        }
    }
}

#[test]
fn after_a_crash_the_book_goes_on_from_its_last_whole_record() {
    let written = written();
    let (Written { path, bytes, states, .. }, records) = (&written, story());
    for (kept, state) in states.iter().enumerate().take(records.len()) {
        let torn = (state.8 as usize + 7).min(bytes.len());
        std::fs::write(path, &bytes[..torn]).unwrap();
        let Opening { mut book, log, .. } = open(path).unwrap().unwrap();
        for record in &records[kept..] {
            log.append(&book.add(record).unwrap()).unwrap();
        }
        assert_eq!(&std::fs::read(path).unwrap(), bytes, "torn after record {kept}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damage_never_adds_anything(at: prop::sample::Index, flip in 1u8..=255) {
        let Written { path, mut bytes, states, folder } = written();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        std::fs::write(&path, &bytes).unwrap();
        let before = states.iter().rfind(|state| state.8 <= at as u64);
        match open(&path) {
            Ok(Some(opening)) => prop_assert_eq!(Some(&said(&opening.book)), before),
            Ok(None) => prop_assert!(before.is_none()),
            Err(refused) => prop_assert!(at < 12, "{refused}"),
        }
        drop(folder);
    }
}

#[test]
fn a_record_that_does_not_follow_is_refused() {
    let mut book = Book::new(rig::opened(rig::session(1)));
    let mut gateway = Gateway::of(rig::session(1));
    let envelope = gateway.request(b"body", 10);
    let request = envelope.request.body.clone();
    let accepted = Accepted { height: Height(2), at: proto::Time(9), envelope };
    let accepted = Record::Accepted(Box::new(accepted));
    let receipt = Record::Receipt(Box::new(rig::receipt(&request, 5, Status::Completed)));
    assert!(matches!(book.add(&receipt), Err(Misfit::NotRunning { .. })));
    book.add(&accepted).unwrap();
    assert!(matches!(book.add(&accepted), Err(Misfit::Repeated { .. })));
    book.add(&receipt).unwrap();
    assert!(matches!(book.add(&receipt), Err(Misfit::NotRunning { .. })));
    assert_eq!(book.booked(), Cu(5));
}

#[test]
fn a_completed_relay_that_is_hardly_acknowledged_is_counted() {
    for (status, acked, short) in [
        (Status::Completed, 4, 1),
        (Status::Completed, 5, 0),
        (Status::Cut, 0, 0),
        (Status::Failed, 0, 0),
    ] {
        let mut book = Book::new(rig::opened(rig::session(1)));
        let mut gateway = Gateway::of(rig::session(1));
        let envelope = gateway.request(b"body", 10);
        let request = envelope.request.body.clone();
        let accepted = Accepted { height: Height(2), at: proto::Time(9), envelope };
        book.add(&Record::Accepted(Box::new(accepted))).unwrap();
        let cu = if status == Status::Failed { 0 } else { 10 };
        gateway.agree(0, acked);
        let receipt = Record::Receipt(Box::new(rig::receipt(&request, cu, status)));
        let update = Record::Acked(Box::new(gateway.update()));
        // A gateway may acknowledge before the receipt is booked, and after.
        let mut other = book.clone();
        for (book, records) in [(&mut book, [&receipt, &update]), (&mut other, [&update, &receipt])]
        {
            records.iter().for_each(|record| drop(book.add(record).unwrap()));
            assert_eq!((book.short(), book.unacked()), (short, 0), "{status:?} {acked}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_wait_are_synced_together() {
    let folder = tempfile::tempdir().unwrap();
    let session = rig::session(1);
    let book = Book::new(rig::opened(session.clone()));
    let log = Arc::new(Log::fresh(folder.path(), session.id));
    let (writer, task) = Writer::start(folder.path()).unwrap();
    let book = Arc::new(std::sync::Mutex::new(book));
    let first = frame(&Record::Opened(Box::new(rig::opened(session))));
    writer.slot().await.unwrap().put(&log, first, &writer).durable().await.unwrap();
    let (writes, mut tasks) = (400, tokio::task::JoinSet::new());
    for height in 0..writes {
        let (writer, log, book) = (writer.clone(), log.clone(), book.clone());
        tasks.spawn(async move {
            let slot = writer.slot().await.unwrap();
            let pending = {
                let mut book = book.lock().unwrap();
                let framed =
                    book.add(&Record::Shown { height: Height(height), right: true }).unwrap();
                slot.put(&log, framed, &writer)
            };
            pending.durable().await.unwrap();
        });
    }
    tasks.join_all().await;
    let read = scan(log.path(), u64::MAX).unwrap().unwrap();
    assert_eq!(read.length(), book.lock().unwrap().length());
    assert_eq!(read.shown(), book.lock().unwrap().shown());
    assert!(task.syncs() < writes, "{} syncs for {writes} records", task.syncs());
}

#[tokio::test]
async fn a_book_that_cannot_be_written_stops_all_writing() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(Log::fresh(&folder.path().join("no/such/folder"), Digest([1; 32])));
    let (writer, mut task) = Writer::start(folder.path()).unwrap();
    let pending = writer.slot().await.unwrap().put(&log, vec![1], &writer);
    assert!(pending.durable().await.unwrap_err().to_string().contains("no/such/folder"));
    assert!(writer.failed().await.to_string().contains("start the relay miner again"));
    task.ended().await;
    assert!(writer.slot().await.is_err() && writer.has_failed());
}

#[test]
fn another_files_bytes_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    std::fs::write(&path, b"something else altogether").unwrap();
    assert!(matches!(open(&path), Err(OpenRefused::OtherFile { .. })));
    std::fs::write(&path, b"lodebook\0\0\0\x02 later").unwrap();
    assert!(matches!(open(&path), Err(OpenRefused::OtherVersion { version: 2, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"lodebook\0\0\0\x02 later");
}
