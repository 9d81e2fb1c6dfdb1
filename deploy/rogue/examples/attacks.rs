//! How often each way to cheat is found, with real models: each answer comes from a server that cheats,
//! is made again from its evidence, and is marked by whatever instruments are given.
//!
//! ```text
//! attacks MODEL [--relays N] [--honest N] [--cross FOLDER] [--judge FOLDER] [--json]
//! ```
//! Settings of relays are drawn from a seed: temperature 0 to 1.2, 4 to 48 tokens, streamed or not.

use auditor::cross::CrossEncoder;
use auditor::judge::{self, Case, Local};
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
    json: bool,
}

/// What marks and compares.
struct Bench {
    model: PathBuf,
    replayer: Replayer,
    cross: Option<CrossEncoder>,
    judge: Option<Local>,
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
    tokens: u64,
    replaying: Duration,
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
    let header = "| supplier | relays | of them with another text | found by replay | cannot be told | cross-encoder: area, found | judge: area, found |";
    if !options.json {
        println!("{header}\n|---|---|---|---|---|---|---|");
    }
    tell("honest", &honest, &honest, options.json);
    for cheat in Cheat::ALL {
        let url = bench.cheating(cheat).await?;
        tell(cheat.name(), &bench.relays(&url, options.relays).await?, &honest, options.json);
    }
    if !options.json {
        let each = honest.replaying.as_secs_f64() * 1e6 / honest.tokens.max(1) as f64;
        println!("\n{} honest tokens were made again, {each:.0} us each", honest.tokens);
    }
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
            replayer: Replayer::new(Model::load(folder)?, meter, NAME, defaults),
            cross: options.cross.as_deref().map(CrossEncoder::load).transpose()?,
            judge: options.judge.as_deref().map(Local::load).transpose()?,
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
            let served = self.relay(url, i).await?;
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
        let began = Instant::now();
        let relay =
            Relay { endpoint: Endpoint::Chat, body, seed: *seed, answer, whole: true, evidence };
        let report = self.replayer.replay(&relay);
        found.replaying += began.elapsed();
        found.tokens += report.tokens;
        found.relays += 1;
        match report.verdict {
            Verdict::Same => found.same += 1,
            Verdict::Different => found.different += 1,
            Verdict::Unknown => {}
        }
        let text = text(answer);
        found.texts.push(text.clone());
        if let Some(cross) = &self.cross {
            found.cross.push(cross.mark(asked, &text)?.per_mille());
        }
        if let Some(judge) = &self.judge {
            let case = Case { model: NAME, asked, answer: &text };
            found.judge.push(judge::mark(judge, &case).await?.per_mille());
        }
        Ok(())
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
        Some((area, 100.0 * caught(honest, marks, SUSPECTED)))
    };
    let (cross, judge) = (marks(&honest.cross, &found.cross), marks(&honest.judge, &found.judge));
    if json {
        let quality = |marks: Option<(auditor::roc::Area, f64)>| {
            marks.map(|(area, caught)| json!({"area": area.area, "low": area.low, "high": area.high, "found_percent": caught}))
        };
        let line = json!({
            "supplier": name, "relays": found.relays, "different": found.different,
            "changed": changed, "same": found.same, "unknown": unknown,
            "cross": quality(cross), "judge": quality(judge),
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
        "| {name} | {} | {changed} | {} ({:.1} %) | {unknown} | {} | {} |",
        found.relays,
        found.different,
        share(found.different),
        quality(cross),
        quality(judge)
    );
}
