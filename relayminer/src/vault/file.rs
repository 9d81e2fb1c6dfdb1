//! The files of kept relays.

use super::{FOLDER, RECORD_MAX};
use proto::Digest;
use proto::dossier::Dossier;
use proto::service::ServiceId;
use proto::{Address, keys::RelayKey};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes before each record.
const FRAME: usize = 12;

/// Files that are held open at most.
const OPEN_MAX: usize = 64;

/// What stands before a record's bytes.
#[derive(Serialize, Deserialize)]
struct Head {
    relay: Digest,
    form: String,
    chain_id: String,
    service: ServiceId,
    supplier: Address,
    relay_key: RelayKey,
    path: String,
    #[serde(with = "hex")]
    receipt: Vec<u8>,
    body: usize,
    answer: usize,
}

/// Why a relay is not found.
#[derive(Debug, thiserror::Error)]
pub enum FindFailed {
    #[error("nothing is kept of session {0}: it may be over, or its audits may be")]
    Session(Digest),
    #[error("nothing is kept of relay {0}: it may have failed, or be too long to keep")]
    Relay(Digest),
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

/// The dossier of a relay, from a relay miner's home, whether it runs or not.
pub fn find(home: &Path, session: &Digest, relay: &Digest) -> Result<Dossier, FindFailed> {
    find_in(&home.join(FOLDER), session, relay)
}

/// The dossier of a relay, from the folder of evidence itself.
pub(super) fn find_in(
    folder: &Path,
    session: &Digest,
    relay: &Digest,
) -> Result<Dossier, FindFailed> {
    let path = path_of(folder, session);
    let disk = |source| FindFailed::Disk { path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(FindFailed::Session(*session));
        }
        Err(error) => return Err(disk(error)),
    };
    let mut reader = BufReader::new(file);
    while let Some(record) = next(&mut reader).map_err(disk)? {
        if let Some(dossier) = parse(&record, relay) {
            return Ok(dossier);
        }
    }
    Err(FindFailed::Relay(*relay))
}

pub(super) fn frame(relay: &Digest, dossier: &Dossier) -> Vec<u8> {
    let head = Head {
        relay: *relay,
        form: dossier.form.clone(),
        chain_id: dossier.chain_id.clone(),
        service: dossier.service.clone(),
        supplier: dossier.supplier,
        relay_key: dossier.relay_key,
        path: dossier.path.clone(),
        receipt: dossier.receipt.clone(),
        body: dossier.body.len(),
        answer: dossier.answer.len(),
    };
    let head = serde_json::to_vec(&head).expect("names and numbers are JSON");
    let mut record = (head.len() as u32).to_be_bytes().to_vec();
    for part in [&head, &dossier.body, &dossier.answer, &dossier.evidence] {
        record.extend_from_slice(part);
    }
    let mut framed = (record.len() as u32).to_be_bytes().to_vec();
    framed.extend_from_slice(&check(&record));
    framed.extend_from_slice(&record);
    framed
}

fn check(record: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&blake3::hash(record).as_bytes()[..8]);
    check
}

/// The next whole record; none where there is no other.
fn next(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut frame = [0; FRAME];
    match reader.read_exact(&mut frame) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let [a, b, c, d, sum @ ..] = frame;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > RECORD_MAX {
        return Ok(None);
    }
    let mut record = vec![0; length];
    match reader.read_exact(&mut record) {
        Ok(()) => Ok((check(&record) == sum).then_some(record)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The dossier in a record, if it is of `relay`.
fn parse(record: &[u8], relay: &Digest) -> Option<Dossier> {
    let (length, rest) = record.split_first_chunk()?;
    let (head, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    if head.relay != *relay {
        return None;
    }
    let (body, rest) = rest.split_at_checked(head.body)?;
    let (answer, evidence) = rest.split_at_checked(head.answer)?;
    Some(Dossier {
        form: head.form,
        chain_id: head.chain_id,
        service: head.service,
        supplier: head.supplier,
        relay_key: head.relay_key,
        path: head.path,
        body: body.to_vec(),
        answer: answer.to_vec(),
        evidence: evidence.to_vec(),
        receipt: head.receipt,
    })
}

fn path_of(folder: &Path, session: &Digest) -> PathBuf {
    folder.join(format!("{session}.log"))
}

/// Files to which records are added.
pub(super) struct Files {
    folder: PathBuf,
    open: HashMap<Digest, File>,
    /// What is not synced.
    fresh: Vec<Digest>,
    /// Whether files were made that the folder may forget in a crash.
    made: bool,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Files {
        Files { folder, open: HashMap::new(), fresh: Vec::new(), made: false }
    }

    pub(super) fn append(&mut self, session: &Digest, bytes: &[u8]) -> io::Result<()> {
        if !self.open.contains_key(session) {
            if self.open.len() >= OPEN_MAX {
                self.open.retain(|session, _| self.fresh.contains(session));
            }
            let file = self.reopen(session)?;
            self.open.insert(*session, file);
        }
        if let Some(file) = self.open.get_mut(session)
            && let Err(error) = file.write_all(bytes)
        {
            // Opening it again cuts off what is no whole record.
            self.open.remove(session);
            return Err(error);
        }
        if !self.fresh.contains(session) {
            self.fresh.push(*session);
        }
        Ok(())
    }

    /// Opens a file at the end of its last whole record.
    fn reopen(&mut self, session: &Digest) -> io::Result<File> {
        let path = path_of(&self.folder, session);
        self.made |= !path.exists();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path)?;
        let mut whole = 0;
        let mut reader = BufReader::new(&file);
        while let Some(record) = next(&mut reader)? {
            whole += (FRAME + record.len()) as u64;
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        Ok(file)
    }

    /// Makes all that was written durable. Gives the sessions for which that failed.
    pub(super) fn sync(&mut self) -> Vec<(Digest, ErrorKind)> {
        let mut failed = Vec::new();
        let folder = std::mem::take(&mut self.made)
            .then(|| File::open(&self.folder).and_then(|folder| folder.sync_all()));
        for session in std::mem::take(&mut self.fresh) {
            let synced = self.open.get(&session).map_or(Ok(()), File::sync_data);
            let kind = |error: &io::Error| error.kind();
            let error = synced.as_ref().err().map(kind);
            let error = error.or(folder.as_ref().and_then(|made| made.as_ref().err().map(kind)));
            if let Some(error) = error {
                self.open.remove(&session);
                failed.push((session, error));
            }
        }
        failed
    }

    pub(super) fn remove(&mut self, session: &Digest) -> io::Result<()> {
        self.open.remove(session);
        self.fresh.retain(|fresh| fresh != session);
        match std::fs::remove_file(path_of(&self.folder, session)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
