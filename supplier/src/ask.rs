//! A request's parameters, checked.

use crate::defaults::Defaults;
use crate::grammar::Form;
use crate::tools::{self, Tools};
use engine::Sampling;
use meter::{Asked, BadRequest, Endpoint, Meter, STOP_MAX};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Bytes of one stop string at most.
const STOP_BYTES_MAX: usize = 1024;

/// Alternatives that are told for each token at most.
const TOP_MAX: u64 = 20;

/// What a client wants.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) asked: Asked,
    pub(crate) sampling: Sampling,
    /// The client's own seed.
    pub(crate) seed: Option<u64>,
    pub(crate) stop: Vec<String>,
    /// How many alternatives are told for each token; `None`: no logarithms at all.
    pub(crate) logprobs: Option<usize>,
    /// What each answer must look like.
    pub(crate) form: Option<Form>,
    pub(crate) tools: Tools,
}

impl Ask {
    /// How many answers are asked for.
    pub(crate) fn choices(&self) -> usize {
        self.asked.prompts.len() * self.asked.n as usize
    }
}

/// Reads a request.
pub(crate) fn read(
    meter: &Meter,
    defaults: &Defaults,
    endpoint: Endpoint,
    body: &[u8],
) -> Result<Ask, BadRequest> {
    let asked = meter.read(endpoint, body)?;
    let fields = fields(body)?;
    let sampling = Sampling {
        temperature: number(&fields, "temperature", 0.0, 2.0)?.unwrap_or(defaults.temperature),
        top_p: number(&fields, "top_p", 0.0, 1.0)?.unwrap_or(defaults.top_p),
        top_k: top_k(&fields)?.unwrap_or(defaults.top_k),
        min_p: number(&fields, "min_p", 0.0, 1.0)?.unwrap_or(0.0),
        presence_penalty: number(&fields, "presence_penalty", -2.0, 2.0)?.unwrap_or(0.0),
        frequency_penalty: number(&fields, "frequency_penalty", -2.0, 2.0)?.unwrap_or(0.0),
        repetition_penalty: repetition_penalty(&fields)?.unwrap_or(defaults.repetition_penalty),
        logit_bias: logit_bias(&fields)?,
        seed: 0,
    };
    unsupported(&fields)?;
    let (tools, call) = match endpoint {
        Endpoint::Chat => tools::read(&fields)?,
        Endpoint::Completions => (Tools::None, None),
    };
    let form = call.or(form(&fields)?);
    Ok(Ask {
        asked,
        sampling,
        seed: seed(&fields)?,
        stop: stop(&fields)?,
        logprobs: logprobs(&fields, endpoint)?,
        form,
        tools,
    })
}

/// A body's fields. What nests too deeply to be one value is refused here.
pub(crate) fn fields(body: &[u8]) -> Result<Map<String, Value>, BadRequest> {
    serde_json::from_slice(body).map_err(|error| BadRequest {
        message: format!("the body is not a request in JSON: {error}"),
        param: None,
        code: None,
    })
}

fn present<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn number(
    fields: &Map<String, Value>,
    name: &'static str,
    min: f64,
    max: f64,
) -> Result<Option<f32>, BadRequest> {
    let Some(value) = present(fields, name) else { return Ok(None) };
    let fits = |number: &f64| (min..=max).contains(number);
    let number = value.as_f64().filter(fits).ok_or_else(|| {
        BadRequest::of(name, format!("{name} is {value}, but must be a number from {min} to {max}"))
    })?;
    Ok(Some(number as f32))
}

fn repetition_penalty(fields: &Map<String, Value>) -> Result<Option<f32>, BadRequest> {
    let penalty = number(fields, "repetition_penalty", 0.0, 2.0)?;
    if penalty.is_none_or(|penalty| penalty > 0.0) {
        return Ok(penalty);
    }
    let message = "repetition_penalty is 0, but must be more: it divides";
    Err(BadRequest::of("repetition_penalty", message))
}

/// The form that `response_format` asks for.
fn form(fields: &Map<String, Value>) -> Result<Option<Form>, BadRequest> {
    let param = "response_format";
    let Some(format) = present(fields, param) else { return Ok(None) };
    let schema = match format.get("type").and_then(Value::as_str) {
        Some("text") => return Ok(None),
        Some("json_object") => json!({"type": "object"}),
        Some("json_schema") => {
            let schema = format["json_schema"].get("schema").filter(|schema| schema.is_object());
            let missing = || BadRequest::of(param, "response_format.json_schema.schema is missing");
            schema.ok_or_else(missing)?.clone()
        }
        _ => {
            let message = "response_format.type must be text, json_object or json_schema";
            return Err(BadRequest::of(param, message));
        }
    };
    Ok(Some(Form { schema, param }))
}

fn top_k(fields: &Map<String, Value>) -> Result<Option<usize>, BadRequest> {
    match present(fields, "top_k").map(|value| (value, value.as_i64())) {
        None => Ok(None),
        Some((_, Some(-1 | 0))) => Ok(Some(0)),
        Some((_, Some(k))) if k > 0 => Ok(Some(k as usize)),
        Some((value, _)) => {
            Err(BadRequest::of("top_k", format!("top_k is {value}, but must be -1, 0 or more")))
        }
    }
}

fn seed(fields: &Map<String, Value>) -> Result<Option<u64>, BadRequest> {
    let Some(value) = present(fields, "seed") else { return Ok(None) };
    let seed = value.as_u64().or_else(|| value.as_i64().map(|seed| seed as u64));
    let wrong = || BadRequest::of("seed", format!("seed is {value}, but must be a 64-bit integer"));
    seed.ok_or_else(wrong).map(Some)
}

fn stop(fields: &Map<String, Value>) -> Result<Vec<String>, BadRequest> {
    let wrong = || {
        BadRequest::of(
            "stop",
            format!("stop must be a text or up to {STOP_MAX} texts of 1 to {STOP_BYTES_MAX} bytes"),
        )
    };
    let texts = match present(fields, "stop") {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) if items.len() <= STOP_MAX => {
            let text = |item: &Value| item.as_str().map(str::to_owned);
            items.iter().map(text).collect::<Option<Vec<_>>>().ok_or_else(wrong)?
        }
        Some(_) => return Err(wrong()),
    };
    let fits = |text: &String| (1..=STOP_BYTES_MAX).contains(&text.len());
    if texts.iter().all(fits) { Ok(texts) } else { Err(wrong()) }
}

fn logit_bias(fields: &Map<String, Value>) -> Result<Vec<(u32, f32)>, BadRequest> {
    let Some(value) = present(fields, "logit_bias") else { return Ok(Vec::new()) };
    let wrong =
        || BadRequest::of("logit_bias", "logit_bias must map tokens to numbers from -100 to 100");
    let map: BTreeMap<String, f64> = serde_json::from_value(value.clone()).map_err(|_| wrong())?;
    map.into_iter()
        .map(|(token, bias)| {
            let token = token.parse().map_err(|_| wrong())?;
            if bias.abs() <= 100.0 { Ok((token, bias as f32)) } else { Err(wrong()) }
        })
        .collect()
}

fn logprobs(fields: &Map<String, Value>, endpoint: Endpoint) -> Result<Option<usize>, BadRequest> {
    let count = |name: &'static str, value: &Value| {
        let fits = |count: &u64| *count <= TOP_MAX;
        value.as_u64().filter(fits).map(|count| count as usize).ok_or_else(|| {
            BadRequest::of(name, format!("{name} is {value}, but must be in 0..={TOP_MAX}"))
        })
    };
    match (endpoint, present(fields, "logprobs")) {
        (_, None | Some(Value::Bool(false))) => match present(fields, "top_logprobs") {
            Some(top) if endpoint == Endpoint::Chat && top.as_u64() != Some(0) => {
                Err(BadRequest::of("top_logprobs", "top_logprobs needs logprobs to be true"))
            }
            _ => Ok(None),
        },
        (Endpoint::Chat, Some(Value::Bool(true))) => match present(fields, "top_logprobs") {
            None => Ok(Some(0)),
            Some(top) => count("top_logprobs", top).map(Some),
        },
        (Endpoint::Chat, Some(value)) => Err(BadRequest::of(
            "logprobs",
            format!("logprobs is {value}, but must be true or false"),
        )),
        (Endpoint::Completions, Some(value)) => count("logprobs", value).map(Some),
    }
}

/// Fields that ask for what is not done here.
const UNSUPPORTED: [&str; 3] = ["suffix", "functions", "function_call"];

/// What would be ignored to a client's surprise is refused instead.
fn unsupported(fields: &Map<String, Value>) -> Result<(), BadRequest> {
    if let Some(echo) = present(fields, "echo").filter(|echo| **echo != false) {
        return Err(BadRequest::of("echo", format!("echo {echo} is not supported")));
    }
    if let Some(best_of) = present(fields, "best_of").filter(|best_of| **best_of != 1) {
        return Err(BadRequest::of("best_of", format!("best_of {best_of} is not supported")));
    }
    match UNSUPPORTED.into_iter().find(|name| present(fields, name).is_some()) {
        Some(name) => Err(BadRequest::of(name, format!("{name} is not supported"))),
        None => Ok(()),
    }
}
