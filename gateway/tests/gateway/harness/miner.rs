//! A relay miner in memory that signs real receipts, and can misbehave.

use super::chain::FakeChain;
use super::{CHAIN_ID, gateway_key};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use meter::{Delivered, Meter};
use proto::keys::RelaySecret;
use proto::leaf::{AckHead, AckProof, Leaf, Opening};
use proto::names::{RECEIPT_TRAILER, RELAY_HEADER};
use proto::relay::{
    AckEntry, AckUpdate, Acked, Envelope, Receipt, RelayRequest, Signable, Signed, Status, advance,
    body_digest, link,
};
use proto::session::Seat;
use proto::supplier::PayoutShare;
use proto::transcript::Transcript;
use proto::wire::Wire;
use proto::{Address, Cu, Digest, Ppm, Usage};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

/// What a miner does with the next relays.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    Serve,
    /// The supplier behind it answers this status.
    Fail(u16),
    /// It does not take relays.
    Refuse(u16, &'static str),
    /// It takes them and says nothing.
    Hang,
    /// It breaks off after so many pieces of a stream.
    BreakAfter(usize),
    /// The supplier behind it dies after so many bytes; it says so in its receipt.
    DieAfter(usize),
    /// It waits for a permit before each piece of a stream.
    Pace,
    ForgeSignature,
    OtherAnswer,
    Overcount,
    /// It delivers, and gives no receipt with it.
    NoTrailer,
}

pub struct FakeMiner {
    pub operator: Address,
    pub secret: RelaySecret,
    pub pace: Semaphore,
    address: String,
    chain: Arc<FakeChain>,
    meter: Arc<Meter>,
    state: Mutex<Books>,
}

pub struct Books {
    pub does: Does,
    pub books: BTreeMap<Digest, Book>,
    /// All relays that came, refused ones included.
    pub asked: usize,
    /// It does not tell what it remembers.
    hidden: bool,
}

#[derive(Default)]
pub struct Book {
    pub known: Acked,
    pub head: Option<AckHead>,
    /// Entries in order, and what signed so many of them.
    pub entries: Vec<AckEntry>,
    heads: Vec<(usize, AckHead)>,
    pub relays: BTreeMap<Digest, Relay>,
}

#[derive(Clone)]
pub struct Relay {
    pub request: Signed<RelayRequest>,
    pub receipt: Option<Signed<Receipt>>,
}

impl Book {
    fn advance(
        &mut self,
        entries: &[AckEntry],
        claimed: &Acked,
        head: AckHead,
    ) -> Result<(), String> {
        let known = advance(&self.known, entries, claimed).map_err(|error| error.to_string())?;
        let fresh = usize::try_from(known.count - self.known.count).unwrap();
        self.entries.extend_from_slice(&entries[entries.len() - fresh..]);
        if known != self.known && claimed.count == known.count {
            self.heads.push((self.entries.len(), head.clone()));
            self.head = Some(head);
        }
        self.known = known;
        Ok(())
    }

    pub fn acked(&self, relay: &Digest) -> Option<Cu> {
        self.entries.iter().find(|entry| entry.relay_id == *relay).map(|entry| entry.cu)
    }

    /// The leaf of a relay, as a claim would hold it.
    pub fn leaf(&self, relay: &Digest) -> Option<Leaf> {
        let found = self.relays.get(relay)?;
        let at = self.entries.iter().position(|entry| entry.relay_id == *relay)?;
        let (end, head) = self.heads.iter().find(|(end, _)| *end > at)?;
        let before = self.entries[..at].iter().fold(Digest::default(), |hash, e| link(&hash, e));
        let tail = self.entries[at..*end].to_vec();
        let ack = Some(AckProof { before, tail, head: head.clone() });
        Some(Leaf { request: found.request.clone(), receipt: found.receipt.clone()?, ack })
    }

    pub fn trie(&self) -> smst::Trie {
        let leaves = self.relays.keys().filter_map(|relay| self.leaf(relay));
        let leaves = leaves.filter(|leaf| leaf.weight() > Cu(0)).map(|leaf| smst::Leaf {
            path: leaf.path().0,
            value_hash: leaf.value_hash().0,
            weight: leaf.weight().0,
        });
        smst::Trie::build(leaves.collect()).unwrap()
    }
}

/// One relay while it is served.
struct Serving {
    miner: Arc<FakeMiner>,
    request: RelayRequest,
    does: Does,
    asked: meter::Asked,
    chat: bool,
}

type Pieces = mpsc::Sender<Result<Frame<Bytes>, std::io::Error>>;

impl FakeMiner {
    pub async fn start(
        place: usize,
        model: &std::path::Path,
        chain: Arc<FakeChain>,
    ) -> Arc<FakeMiner> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let byte = u8::try_from(place).unwrap() + 100;
        let miner = Arc::new(FakeMiner {
            operator: Address([byte; 20]),
            secret: RelaySecret::from_bytes(&[byte; 32]),
            pace: Semaphore::new(0),
            address: format!("http://{}", listener.local_addr().unwrap()),
            chain,
            meter: Arc::new(Meter::load(model).unwrap()),
            state: Mutex::new(Books {
                does: Does::Serve,
                books: BTreeMap::new(),
                asked: 0,
                hidden: false,
            }),
        });
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/completions", post(text))
            .route("/lode/ack", post(ack))
            .route("/lode/sessions/{id}", get(session))
            .route("/lode/receipts/{session}/{relay}", get(receipt))
            .with_state(miner.clone());
        tokio::spawn(daemon::serve(router, listener, daemon::Stop::new()));
        miner
    }

    pub fn seat(&self) -> Seat {
        Seat {
            operator: self.operator,
            relay_key: self.secret.public(),
            endpoint: self.address.clone(),
            payouts: vec![PayoutShare { to: self.operator, share: Ppm::ONE }],
        }
    }

    pub fn state<T>(&self, change: impl FnOnce(&mut Books) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    pub fn does(&self, does: Does) {
        self.state(|state| state.does = does);
    }

    /// Whether it keeps to itself what it remembers.
    pub fn hide(&self, hidden: bool) {
        self.state(|state| state.hidden = hidden);
    }

    pub fn book<T>(&self, session: &Digest, change: impl FnOnce(&mut Book) -> T) -> T {
        self.state(|state| change(state.books.entry(*session).or_default()))
    }

    /// All relays of all sessions.
    pub fn relays(&self) -> Vec<Relay> {
        self.state(|s| s.books.values().flat_map(|book| book.relays.values().cloned()).collect())
    }

    fn sign(&self, receipt: Receipt, does: &Does) -> Signed<Receipt> {
        match does {
            Does::ForgeSignature => receipt.sign(&RelaySecret::from_bytes(&[1; 32])),
            _ => receipt.sign(&self.secret),
        }
    }
}

async fn chat(State(miner): State<Arc<FakeMiner>>, headers: HeaderMap, body: Bytes) -> Response {
    relay(miner, &headers, body, true)
}

async fn text(State(miner): State<Arc<FakeMiner>>, headers: HeaderMap, body: Bytes) -> Response {
    relay(miner, &headers, body, false)
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let error = json!({ "error": { "message": message, "type": "relay_refused", "code": code } });
    (StatusCode::from_u16(status).unwrap(), axum::Json(error)).into_response()
}

fn relay(miner: Arc<FakeMiner>, headers: &HeaderMap, body: Bytes, chat: bool) -> Response {
    let header = BASE64.decode(&headers[RELAY_HEADER]).unwrap();
    let Envelope { request, entries } = Envelope::decode(&header).unwrap();
    let asked = &request.body;
    assert_eq!(headers["te"], "trailers");
    assert_eq!((&*asked.chain_id, asked.supplier), (CHAIN_ID, miner.operator));
    assert_eq!(asked.request_digest, body_digest(&body));
    assert!(request.is_by(&gateway_key().public()));
    let does = miner.state(|state| {
        state.asked += 1;
        state.does.clone()
    });
    if let Does::Refuse(status, code) = does {
        return refusal(status, code, "not this time");
    }
    let Some(session) = miner.chain.find(&asked.session_id) else {
        return refusal(404, "unknown_session", "not seen yet");
    };
    if !session.serve_window().contains(&miner.chain.height()) {
        return refusal(410, "session_over", "too late");
    }
    let endpoint = if chat { meter::Endpoint::Chat } else { meter::Endpoint::Completions };
    let wants = miner.meter.read(endpoint, &body).unwrap();
    let most = Usage { fresh_in: wants.prompt_tokens(), cached_in: 0, out: wants.out_max() };
    assert!(session.terms.cu_weights.weigh(most).unwrap() <= asked.max_cu);
    let admitted = miner.book(&asked.session_id, |book| {
        book.advance(&entries, &asked.acked, AckHead::Request(request.clone()))?;
        let unused = book.relays.values().all(|relay| relay.request.body.seq != asked.seq);
        assert!(unused && !book.relays.contains_key(&asked.relay_id), "used twice");
        let relay = Relay { request: request.clone(), receipt: None };
        book.relays.insert(asked.relay_id, relay);
        Ok::<_, String>(())
    });
    if let Err(reason) = admitted {
        return refusal(409, "ack_mismatch", &reason);
    }
    let request = request.body.clone();
    Serving { miner, request, does, asked: wants, chat }.start()
}

impl Serving {
    fn start(self) -> Response {
        let (pieces, waiting) = mpsc::channel(1);
        let body = StreamBody::new(futures::stream::unfold(waiting, async |mut waiting| {
            waiting.recv().await.map(|piece| (piece, waiting))
        }));
        let status = match self.does {
            Does::Fail(status) => StatusCode::from_u16(status).unwrap(),
            _ => StatusCode::OK,
        };
        let hangs = self.does == Does::Hang;
        let kind = if self.asked.stream && status.is_success() {
            "text/event-stream"
        } else {
            "application/json"
        };
        tokio::spawn(self.serve(pieces));
        let headers = [("content-type", kind), ("trailer", RECEIPT_TRAILER)];
        if hangs {
            // The head of the answer goes out, and then nothing.
            return (status, headers, Body::new(body)).into_response();
        }
        (status, headers, Body::new(body)).into_response()
    }

    fn pieces(&self) -> Vec<String> {
        // Who counts too much delivers one word less than it may.
        let less = u64::from(self.does == Does::Overcount);
        let words: Vec<String> =
            (0..self.asked.max_tokens - less).map(|i| format!("w{i} ")).collect();
        let (prompt, out) = (self.asked.prompt_tokens(), self.asked.max_tokens);
        let usage = json!({
            "prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out
        });
        let id = "chatcmpl-1";
        if let Does::Fail(status) = self.does {
            let error = json!({ "message": "no", "type": "backend", "code": status });
            return vec![json!({ "error": error }).to_string()];
        }
        if !self.asked.stream {
            let words = words.concat();
            let choice = if self.chat {
                json!({ "index": 0, "message": { "role": "assistant", "content": words } })
            } else {
                json!({ "index": 0, "text": words })
            };
            return vec![json!({ "id": id, "choices": [choice], "usage": usage }).to_string()];
        }
        let event = |value: Value| format!("data: {value}\n\n");
        let mut all: Vec<String> = words
            .iter()
            .map(|word| {
                let delta = json!({ "index": 0, "delta": { "content": word } });
                event(json!({ "id": id, "choices": [delta] }))
            })
            .collect();
        if self.asked.include_usage {
            all.push(event(json!({ "id": id, "choices": [], "usage": usage })));
        }
        all.push("data: [DONE]\n\n".to_owned());
        all
    }

    async fn serve(mut self, pieces: Pieces) {
        if self.does == Does::Hang {
            pieces.closed().await;
            self.finish(None, &Transcript::new(), 0, Status::Cut).await;
            return;
        }
        let mut transcript = Transcript::new();
        let mut delivered = Delivered::new(self.miner.meter.clone(), self.asked.stream);
        let mut status = Status::Completed;
        for (at, piece) in self.pieces().into_iter().enumerate() {
            if self.does == Does::Pace {
                tokio::select! {
                    permit = self.miner.pace.acquire() => permit.unwrap().forget(),
                    () = pieces.closed() => { status = Status::Cut; break }
                }
            }
            if self.does == Does::BreakAfter(at) {
                let broken = std::io::Error::other("broken off");
                let _ = pieces.send(Err(broken)).await;
                status = Status::Cut;
                break;
            }
            let mut piece = Bytes::from(piece);
            if let Does::DieAfter(left) = &mut self.does {
                piece.truncate(*left);
                *left -= piece.len();
            }
            if pieces.send(Ok(Frame::data(piece.clone()))).await.is_err() {
                status = Status::Cut;
                break;
            }
            transcript.push(&piece);
            delivered.push(&piece);
            if self.does == Does::DieAfter(0) {
                status = Status::Cut;
                break;
            }
        }
        let out = delivered.out();
        if matches!(self.does, Does::Fail(_)) || status == Status::Cut && out == 0 {
            status = Status::Failed;
        }
        self.finish(Some(pieces), &transcript, out, status).await;
    }

    async fn finish(self, pieces: Option<Pieces>, seen: &Transcript, out: u64, status: Status) {
        let failed = status == Status::Failed;
        let usage = match self.does {
            _ if failed => Usage::default(),
            Does::Overcount => {
                let room = self.request.max_cu.0 - self.asked.prompt_tokens();
                Usage { fresh_in: self.asked.prompt_tokens(), cached_in: 0, out: room / 4 }
            }
            _ => Usage { fresh_in: self.asked.prompt_tokens(), cached_in: 0, out },
        };
        let session = self.miner.chain.find(&self.request.session_id).unwrap();
        let mut commitment = seen.commitment();
        if self.does == Does::OtherAnswer {
            commitment.root = Digest([5; 32]);
        }
        let receipt = Receipt {
            session_id: self.request.session_id,
            relay_id: self.request.relay_id,
            request_digest: self.request.request_digest,
            response_root: commitment.root,
            chunk_count: commitment.chunk_count,
            usage,
            cu: session.terms.cu_weights.weigh(usage).unwrap(),
            status,
            started_at: super::now(),
            first_token_at: super::now(),
            finished_at: super::now(),
            evidence_root: Digest::default(),
        };
        let receipt = self.miner.sign(receipt, &self.does);
        self.miner.book(&self.request.session_id, |book| {
            book.relays.get_mut(&self.request.relay_id).unwrap().receipt = Some(receipt.clone());
        });
        if self.does == Does::NoTrailer {
            return;
        }
        if let Some(pieces) = pieces {
            let value = HeaderValue::try_from(BASE64.encode(receipt.encode())).unwrap();
            let trailers = HeaderMap::from_iter([(RECEIPT_TRAILER.parse().unwrap(), value)]);
            let _ = pieces.send(Ok(Frame::trailers(trailers))).await;
        }
    }
}

async fn ack(State(miner): State<Arc<FakeMiner>>, body: Bytes) -> Response {
    let update = AckUpdate::decode(&body).unwrap();
    assert!(update.ack.is_by(&gateway_key().public()));
    let acked = update.ack.body.acked;
    let advanced = miner.book(&update.ack.body.session_id, |book| {
        book.advance(&update.entries, &acked, AckHead::Ack(update.ack.clone()))
    });
    match advanced {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(reason) => refusal(409, "ack_mismatch", &reason),
    }
}

async fn session(State(miner): State<Arc<FakeMiner>>, Path(id): Path<Digest>) -> Response {
    if miner.state(|state| state.hidden) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let remembered = miner.book(&id, |book| {
        let unacked: Vec<Value> = book
            .relays
            .iter()
            .filter(|(id, _)| book.acked(id).is_none())
            .map(|(id, relay)| {
                let receipt = relay.receipt.as_ref().map(|r| BASE64.encode(r.encode()));
                json!({ "relay_id": id, "seq": relay.request.body.seq, "receipt": receipt })
            })
            .collect();
        let next = book.relays.values().map(|relay| relay.request.body.seq + 1).max();
        json!({ "acked": book.head, "next_seq": next.unwrap_or(0), "unacked": unacked })
    });
    axum::Json(remembered).into_response()
}

async fn receipt(
    State(miner): State<Arc<FakeMiner>>,
    Path((session, relay)): Path<(Digest, Digest)>,
) -> Response {
    let claim = miner.chain.change(|state| state.claims.get(&(session, miner.operator)).copied());
    let shown = miner.book(&session, |book| {
        let found = book.relays.get(&relay)?;
        let receipt = found.receipt.as_ref().map(|receipt| BASE64.encode(receipt.encode()));
        let opening = claim.and_then(|_| {
            let leaf = book.leaf(&relay)?;
            let (_, proof) = book.trie().prove(&leaf.path().0)?;
            Some(BASE64.encode(Opening { leaf, path: proof.encode() }.encode()))
        });
        Some(json!({ "receipt": receipt, "claim": claim, "opening": opening }))
    });
    match shown {
        Some(shown) => axum::Json(shown).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
