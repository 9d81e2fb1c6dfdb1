use super::*;
use crate::judge::{DIGITS, JudgeError, Prompt};
use async_trait::async_trait;
use proto::dossier::FORM;
use proto::keys::RelayKey;
use std::path::Path;
use std::sync::Mutex;

#[test]
fn a_part_of_all_audits_is_judged_and_the_whole_is_all() {
    let drawn = |per_mille: u16| {
        let ids = (0..2_000u32).map(|i| Digest(*blake3::hash(&i.to_be_bytes()).as_bytes()));
        ids.filter(|id| is_drawn(id, per_mille)).count()
    };
    assert_eq!((drawn(0), drawn(1_000)), (0, 2_000));
    assert!((300..500).contains(&drawn(200)), "{}", drawn(200));
}

#[test]
fn an_answer_is_cut_where_it_is_as_long_as_was_asked_for() {
    let cases = [(16, 16), (15, 16), (8, 16), (95, 100), (90, 100)];
    assert_eq!(cases.map(|(tokens, most)| is_cut(tokens, most)), [true, true, false, true, false]);
}

/// A judge that keeps what it was shown, and says 9 to whatever holds the reference twice.
#[derive(Default)]
struct Comparing(Mutex<Vec<String>>);

#[async_trait]
impl Judge for Comparing {
    async fn chances(&self, prompt: &Prompt) -> Result<[f64; DIGITS], JudgeError> {
        let part = |fence: &str| {
            let begin = prompt.user.split_once(&format!("<{fence}>\n"))?.1;
            Some(begin.split_once(&format!("\n</{fence}>"))?.0.to_owned())
        };
        let same = part("reference") == part("answer");
        self.0.lock().unwrap().push(part("reference").unwrap_or_default());
        let mut chances = [0.0; DIGITS];
        chances[if same { 9 } else { 0 }] = 1.0;
        Ok(chances)
    }
}

struct Nobody;

impl Identify for Nobody {
    fn identify(&self, _: &Dossier, _: &Checked, _: Option<&str>) -> (Identity, String) {
        (Identity::Unsure, String::new())
    }
}

/// What a desk with that judge and the demo model says of an answer, and why it says nothing.
async fn judged(
    judge: Arc<Comparing>,
    body: serde_json::Value,
    answer: &str,
) -> (Option<u16>, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/lode/models/lode-demo");
    let (meter, reader) = (Meter::load(Path::new(folder)), Reader::load(Path::new(folder)));
    let (meter, reader) = (Arc::new(meter.unwrap()), Some(Arc::new(reader.unwrap())));
    let model = Model { identify: Arc::new(Nobody), meter: meter.clone(), reader };
    let reply = serde_json::json!({"choices": [{"index": 0, "message": {"content": answer}}]});
    let dossier = Dossier {
        form: FORM.to_owned(),
        chain_id: "c".to_owned(),
        service: ServiceId::new("demo").unwrap(),
        supplier: proto::keys::Address([1; 20]),
        relay_key: RelayKey([2; 32]),
        path: "/v1/chat/completions".to_owned(),
        body: body.to_string().into_bytes(),
        answer: reply.to_string().into_bytes(),
        evidence: Vec::new(),
        receipt: Vec::new(),
    };
    let words = words::of(&meter, Endpoint::Chat, &dossier, true).unwrap();
    let mut desk = Desk::new(HashMap::new(), &Settings::default()).unwrap();
    desk.judge = Some(judge);
    let answer = Arc::new(Answer { model, dossier: Arc::new(dossier), words });
    let mut because = String::new();
    let mark = desk.judged(&answer, &mut because).await;
    (mark.map(Mark::per_mille), because)
}

#[tokio::test]
async fn a_judge_of_digits_is_shown_what_the_listed_model_itself_says() {
    let judge = Arc::new(Comparing::default());
    let turns = serde_json::json!([
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ]);
    let body = serde_json::json!({"model": "m", "messages": turns, "temperature": 0.7});
    let right = "The capital of France is Paris.";
    for (answer, expected) in [(right, 1000), ("The capital of France is Rome.", 0)] {
        let (mark, because) = judged(judge.clone(), body.clone(), answer).await;
        assert_eq!(mark, Some(expected), "{because}");
    }
    assert_eq!(*judge.0.lock().unwrap(), [right, right]);
}

#[tokio::test]
async fn an_answer_that_has_no_reference_has_no_mark_of_a_judge_that_compares() {
    let judge = Arc::new(Comparing::default());
    let turns = serde_json::json!([{"role": "user", "content": "Hello!"}]);
    let body = serde_json::json!({"model": "m", "messages": turns, "logit_bias": {"5": 100}});
    let (mark, because) = judged(judge.clone(), body, "Hi").await;
    assert!(mark.is_none() && because.contains("the judge gives no mark"), "{because}");
    assert!(judge.0.lock().unwrap().is_empty());
}
