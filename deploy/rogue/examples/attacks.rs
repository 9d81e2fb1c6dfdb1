//! How often each way to cheat is found, with real models: each answer comes from a server that cheats,
//! is made again from its evidence, and is marked by whatever instruments are given.
//!
//! ```text
//! attacks MODEL [--relays N] [--honest N] [--cross FOLDER] [--judge FOLDER] [--listed] [--json]
//! ```
//! `--listed`: the model itself judges the texts, without evidence.
//! Settings of relays are drawn from a seed: temperature 0 to 1.2, 4 to 48 tokens, streamed or not.

use auditor::cross::CrossEncoder;
use auditor::judge::reader::Exchange;
use auditor::judge::{self, Case, Local, Reader};
use auditor::pairs::CUT;
use auditor::recount::usage_max;
use auditor::roc::{area, caught};
use axum::Router;
use daemon::Stop;
use engine::Model;
use engine::train::exam::Question;
use engine::train::random::Random;
use engine::train::{Plan, common_questions, questions};
use meter::{Endpoint, Meter};
use proto::evidence::{Evidence, Shown};
use proto::names::{EVIDENCE_HEADER, EVIDENCE_PATH, SEED_HEADER};
use rogue::{Cheat, Config, model};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use supplier::config::Limits;
use supplier::replay::{Relay, Replayer, Verdict};
use supplier::{Defaults, Parts};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Relays of each cheat, and of the honest supplier, where nothing else is said.
const RELAYS: usize = 200;
const HONEST: usize = 1_000;

/// How many honest answers per mille may be suspected by their quality.
const SUSPECTED: usize = 20;

/// The seed of all that is drawn.
const SEED: u64 = 2_026;

/// The name under which the model is served.
const NAME: &str = "demo";

type Failed = Box<dyn std::error::Error>;

/// What is given on the command line.
struct Options {
    model: PathBuf,
    relays: usize,
    honest: usize,
    cross: Option<PathBuf>,
    judge: Option<PathBuf>,
    listed: bool,
    json: bool,
}

/// What marks and compares.
struct Bench {
    model: PathBuf,
    replayer: Replayer,
    cross: Option<CrossEncoder>,
    judge: Option<Local>,
    listed: Option<Reader>,
    meter: Arc<Meter>,
    questions: Vec<Question>,
    client: reqwest::Client,
}

/// What came out of one server's relays.
#[derive(Default)]
struct Found {
    relays: usize,
    same: usize,
    different: usize,
    texts: Vec<String>,
    cross: Vec<u16>,
    judge: Vec<u16>,
    listed: Vec<u16>,
    tokens: u64,
    costs: Costs,
}

/// How long the parts of an audit took in all, and how long serving did.
#[derive(Default)]
struct Costs {
    serving: Duration,
    replay: Duration,
    recount: Duration,
    cross: Duration,
    judge: Duration,
    listed: Duration,
}

/// What comes out, and how long it took is added to `to`.
fn timed<T>(to: &mut Duration, run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let outcome = run();
    *to += began.elapsed();
    outcome
}

/// A relay that was served.
struct Served {
    body: Vec<u8>,
    seed: u64,
    asked: String,
    answer: Vec<u8>,
    evidence: Evidence,
}

fn main() -> Result<(), Failed> {
    engine::limit_threads(1);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Failed> {
    let options = options()?;
    let bench = Bench::new(&options)?;
    let honest = bench.relays(&serve(honest(&options.model)?).await?, options.honest).await?;
    let header = "| supplier | relays | of them with another text | found by replay | cannot be told | cross-encoder: area, found | judge: area, found | the listed model: area, found |";
    if !options.json {
        println!("{header}\n|---|---|---|---|---|---|---|---|");
    }
    tell("honest", &honest, &honest, options.json);
    // What is billed wrongly has an honest answer: the recount alone finds it.
    for cheat in Cheat::ALL.into_iter().filter(|cheat| !cheat.bills()) {
        let url = bench.cheating(cheat).await?;
        tell(cheat.name(), &bench.relays(&url, options.relays).await?, &honest, options.json);
    }
    tell_costs(&honest, options.json);
    Ok(())
}

fn options() -> Result<Options, Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let number =
        |name: &str, other: usize| value(name).map_or(Ok(other), |text| text.parse::<usize>());
    Ok(Options {
        model: arguments.first().ok_or("say where the model is")?.into(),
        relays: number("--relays", RELAYS)?,
        honest: number("--honest", HONEST)?,
        cross: value("--cross").map(PathBuf::from),
        judge: value("--judge").map(PathBuf::from),
        listed: arguments.iter().any(|argument| argument == "--listed"),
        json: arguments.iter().any(|argument| argument == "--json"),
    })
}

fn honest(folder: &Path) -> Result<Router, Failed> {
    let parts = Parts {
        model: Model::load(folder)?,
        meter: Arc::new(Meter::load(folder)?),
        name: NAME.to_owned(),
        defaults: Defaults::load(folder)?,
        limits: Limits::default(),
    };
    Ok(supplier::router(parts, Stop::new())?)
}

async fn serve(router: Router) -> Result<String, Failed> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(daemon::serve(router, listener, Stop::new()));
    Ok(url)
}

impl Bench {
    fn new(options: &Options) -> Result<Bench, Failed> {
        let folder = &options.model;
        let meter = Arc::new(Meter::load(folder)?);
        let defaults = Defaults::load(folder)?;
        let mut questions = [common_questions(), questions(&Plan::demo())].concat();
        Random::new(SEED).shuffle(&mut questions);
        Ok(Bench {
            model: folder.clone(),
            replayer: Replayer::new(Model::load(folder)?, meter.clone(), NAME, defaults),
            meter,
            cross: options.cross.as_deref().map(CrossEncoder::load).transpose()?,
            judge: options.judge.as_deref().map(Local::load).transpose()?,
            listed: options.listed.then(|| Reader::load(folder)).transpose()?,
            questions,
            client: reqwest::Client::new(),
        })
    }

    /// A server that cheats.
    async fn cheating(&self, cheat: Cheat) -> Result<String, Failed> {
        let folder = tempfile::tempdir()?;
        let answers = match cheat.damage(model::layers(&self.model)?) {
            None => honest(&self.model)?,
            Some(damage) => {
                model::write(&self.model, folder.path(), damage)?;
                honest(folder.path())?
            }
        };
        let upstream = serve(answers).await?;
        if !cheat.has_front() {
            return Ok(upstream);
        }
        let (listen, model) = (String::new(), self.model.clone());
        serve(rogue::router(&Config { listen, upstream, cheat, model })?).await
    }

    async fn relays(&self, url: &str, count: usize) -> Result<Found, Failed> {
        let mut found = Found::default();
        for i in 0..count {
            let began = Instant::now();
            let served = self.relay(url, i).await?;
            found.costs.serving += began.elapsed();
            self.judge(&served, &mut found).await?;
        }
        Ok(found)
    }

    async fn relay(&self, url: &str, i: usize) -> Result<Served, Failed> {
        let mut random = Random::new(SEED.wrapping_mul(31).wrapping_add(i as u64));
        let asked = self.questions[i % self.questions.len()].text.clone();
        let temperature = *random.pick(&[0.0, 0.7, 1.0, 1.2]);
        let (max_tokens, stream) = (4 + random.below(45), random.below(2) == 0);
        let body = json!({
            "model": NAME,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "stream": stream,
            "messages": [{"role": "user", "content": asked}],
        });
        let (body, seed) = (body.to_string().into_bytes(), random.bits());
        let tag = format!("{i:064x}");
        let request = self.client.post(format!("{url}/v1/chat/completions"));
        let request = request
            .header(SEED_HEADER, format!("{seed:016x}"))
            .header(EVIDENCE_HEADER, &tag)
            .header("content-type", "application/json");
        let answer = request.body(body.clone()).send().await?.error_for_status()?;
        let promised = answer.headers().contains_key(EVIDENCE_HEADER);
        let answer = answer.bytes().await?.to_vec();
        let evidence = match promised {
            false => Evidence { class: "the supplier".to_owned(), shown: Shown::None },
            true => {
                let shown = self.client.get(format!("{url}{EVIDENCE_PATH}{tag}")).send().await?;
                Evidence::decode(&shown.error_for_status()?.bytes().await?)?
            }
        };
        Ok(Served { body, seed, asked, answer, evidence })
    }

    async fn judge(&self, served: &Served, found: &mut Found) -> Result<(), Failed> {
        let Served { body, seed, asked, answer, evidence } = served;
        let (endpoint, costs) = (Endpoint::Chat, &mut found.costs);
        let relay = Relay { endpoint, body, seed: *seed, answer, whole: true, evidence };
        let report = timed(&mut costs.replay, || self.replayer.replay(&relay));
        let exchange = auditor::recount::Exchange { endpoint, request: body, answer };
        timed(&mut costs.recount, || usage_max(&self.meter, exchange))?;
        found.tokens += report.tokens;
        found.relays += 1;
        match report.verdict {
            Verdict::Same => found.same += 1,
            Verdict::Different => found.different += 1,
            Verdict::Unknown => {}
        }
        let text = text(answer);
        found.texts.push(text.clone());
        let cut = self.is_cut(body, &text)?;
        if let Some(listed) = &self.listed {
            let exchange = Exchange { endpoint, request: body, answer: &text, cut };
            let mark = timed(&mut costs.listed, || listed.mark(exchange))?;
            found.listed.push(mark.per_mille());
        }
        let asked = &format!("{asked}{}", if cut { CUT } else { "" });
        if let Some(cross) = &self.cross {
            let mark = timed(&mut costs.cross, || cross.mark(asked, &text))?;
            found.cross.push(mark.per_mille());
        }
        if let Some(judge) = &self.judge {
            let case = Case { model: NAME, asked, answer: &text };
            let began = Instant::now();
            found.judge.push(judge::mark(judge, &case).await?.per_mille());
            costs.judge += began.elapsed();
        }
        Ok(())
    }
}

impl Bench {
    /// Whether an answer is as long as was asked for.
    fn is_cut(&self, body: &[u8], text: &str) -> Result<bool, Failed> {
        let most = self.meter.read(Endpoint::Chat, body)?.max_tokens;
        Ok(auditor::desk::is_cut(self.meter.count(text), most))
    }
}

/// What was delivered, as a reader sees it.
fn text(answer: &[u8]) -> String {
    let answer = String::from_utf8_lossy(answer);
    if let Ok(whole) = serde_json::from_str::<Value>(&answer) {
        return whole["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
    }
    let events = answer.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|event| serde_json::from_str::<Value>(event).ok());
    let piece = |event: Value| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
    events.filter_map(piece).collect()
}

fn tell(name: &str, found: &Found, honest: &Found, json: bool) {
    let share = |count: usize| 100.0 * count as f64 / found.relays.max(1) as f64;
    let unknown = found.relays - found.same - found.different;
    let pairs = found.texts.iter().zip(&honest.texts);
    let changed = pairs.filter(|(text, honest)| text != honest).count();
    let marks = |honest: &[u16], marks: &[u16]| {
        let area = area(honest, marks)?;
        Some((area, 100.0 * caught(honest, marks, SUSPECTED).share))
    };
    let (cross, judge) = (marks(&honest.cross, &found.cross), marks(&honest.judge, &found.judge));
    let listed = marks(&honest.listed, &found.listed);
    if json {
        let quality = |marks: Option<(auditor::roc::Area, f64)>| {
            marks.map(|(area, caught)| json!({"area": area.area, "low": area.low, "high": area.high, "found_percent": caught}))
        };
        let line = json!({
            "supplier": name, "relays": found.relays, "different": found.different,
            "changed": changed, "same": found.same, "unknown": unknown,
            "cross": quality(cross), "judge": quality(judge), "listed": quality(listed),
        });
        println!("{line}");
        return;
    }
    let quality = |marks: Option<(auditor::roc::Area, f64)>| match marks {
        None => "".to_owned(),
        Some((area, caught)) => {
            format!("{:.3} ({:.3} to {:.3}), {caught:.1} %", area.area, area.low, area.high)
        }
    };
    println!(
        "| {name} | {} | {changed} | {} ({:.1} %) | {unknown} | {} | {} | {} |",
        found.relays,
        found.different,
        share(found.different),
        quality(cross),
        quality(judge),
        quality(listed)
    );
}

/// What an audit of an honest relay costs an auditor, in milliseconds of one core, and what share of
/// all serving that is at the network's rate where each claim is of one relay.
fn tell_costs(honest: &Found, json: bool) {
    let Costs { serving, replay, recount, cross, judge, listed } = &honest.costs;
    let each = |time: &Duration| time.as_secs_f64() * 1e3 / honest.relays.max(1) as f64;
    let whole = [replay, recount, cross, judge, listed].map(each).iter().sum::<f64>();
    let audits = proto::audit::Params::standard();
    let part = f64::from(audits.rate.0) / 1e6;
    let computed = part * f64::from(audits.committee) * whole / each(serving);
    let fees = part * f64::from(audits.committee) * audits.fee.0 as f64;
    let paid = fees / audits.claim_typical.0 as f64;
    let line = json!({
        "relays": honest.relays, "tokens": honest.tokens, "serving_ms": each(serving),
        "replay_ms": each(replay), "recount_ms": each(recount), "cross_ms": each(cross),
        "judge_ms": each(judge), "listed_ms": each(listed), "audit_ms": whole,
        "audits_per_second": 1e3 / whole, "computing_share": computed, "fees_share": paid,
    });
    if json {
        println!("{}", json!({ "costs": line }));
        return;
    }
    println!("\n| of one audit | |\n|---|---|");
    for (name, value) in line.as_object().into_iter().flatten() {
        println!("| {name} | {:.3} |", value.as_f64().unwrap_or_default());
    }
}
