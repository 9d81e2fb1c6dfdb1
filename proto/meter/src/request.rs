//! Reading a request: tolerant of what it does not know, strict about what it counts.

use crate::{Endpoint, Meter};
use serde::Deserialize;
use serde_json::Value;

/// Stop strings of one request at most.
pub const STOP_MAX: usize = 64;

/// Answers to one request at most.
const CHOICES_MAX: u64 = 16;

/// Prompts in one request at most.
const PROMPTS_MAX: usize = 64;

/// Answers to all prompts of one request at most: what every supplier's queue takes.
const ANSWERS_MAX: u64 = 128;

/// A request that cannot be served, in OpenAI's terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    pub message: String,
    /// The field that is at fault.
    pub param: Option<&'static str>,
    /// What programs tell this fault by.
    pub code: Option<&'static str>,
}

impl BadRequest {
    /// A fault of `param`.
    pub fn of(param: &'static str, message: impl Into<String>) -> BadRequest {
        BadRequest { message: message.into(), param: Some(param), code: None }
    }

    /// A prompt, in `param`, that is longer than a context.
    pub fn too_long(param: &'static str, message: impl Into<String>) -> BadRequest {
        BadRequest { code: Some("context_length_exceeded"), ..BadRequest::of(param, message) }
    }
}

/// What a request asks for, counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether a stream is to end with its usage.
    pub include_usage: bool,
    /// The prompts in tokens: one for a chat.
    pub prompts: Vec<Vec<u32>>,
    /// Answers to each prompt.
    pub n: u64,
    /// Tokens of one answer at most.
    pub max_tokens: u64,
}

impl Asked {
    /// Tokens of all prompts.
    pub fn prompt_tokens(&self) -> u64 {
        self.prompts.iter().map(|prompt| prompt.len() as u64).sum()
    }

    /// Tokens of all answers, at most.
    pub fn out_max(&self) -> u64 {
        self.max_tokens * self.n * self.prompts.len() as u64
    }
}

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    messages: Option<Vec<Value>>,
    prompt: Option<Value>,
    tools: Option<Value>,
    #[serde(default)]
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    n: Option<i64>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// The fields of [`Body`], by the names that faults are told under.
const FIELDS: [&str; 9] = [
    "model",
    "messages",
    "prompt",
    "tools",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n",
];

impl Body {
    fn of(bytes: &[u8]) -> Result<Body, BadRequest> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let wrong = |param, reason: String| BadRequest {
            message: format!("the body is not a request in JSON: {reason}"),
            param,
            code: None,
        };
        let body: Body = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let field = path.split(['.', '[']).next().unwrap_or_default();
            // What is no JSON at all is the fault of no field.
            let is_field = |name: &&str| error.inner().is_data() && *name == field;
            let param = FIELDS.into_iter().find(is_field);
            let before = param.map(|name| format!("{name}: ")).unwrap_or_default();
            wrong(param, format!("{before}{}", error.inner()))
        })?;
        reader.end().map_err(|error| wrong(None, error.to_string()))?;
        Ok(body)
    }
}

pub(crate) fn read(meter: &Meter, endpoint: Endpoint, body: &[u8]) -> Result<Asked, BadRequest> {
    let body = Body::of(body)?;
    let model = body.model.clone().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| BadRequest::of("model", "you must say which model"))?;
    let n = positive("n", body.n)?.unwrap_or(1);
    if n > CHOICES_MAX {
        return Err(BadRequest::of("n", format!("n is {n}, but at most {CHOICES_MAX} are given")));
    }
    let prompts = match endpoint {
        Endpoint::Chat => vec![chat(meter, &body)?],
        Endpoint::Completions => completions(meter, &body)?,
    };
    let answers = n * prompts.len() as u64;
    if answers > ANSWERS_MAX {
        let message = format!(
            "{n} answers to each of {} prompts are {answers}, but at most {ANSWERS_MAX} are given to one request",
            prompts.len()
        );
        return Err(BadRequest::of("n", message));
    }
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0) as u64;
    let max_tokens = max_tokens(meter, &body, longest, endpoint)?;
    Ok(Asked {
        model,
        stream: body.stream.unwrap_or(false),
        include_usage: body.stream_options.and_then(|o| o.include_usage).unwrap_or(false),
        prompts,
        n,
        max_tokens,
    })
}

fn positive(name: &'static str, number: Option<i64>) -> Result<Option<u64>, BadRequest> {
    match number {
        None => Ok(None),
        Some(number) if number >= 1 => Ok(Some(number.unsigned_abs())),
        Some(number) => {
            Err(BadRequest::of(name, format!("{name} is {number}, but must be at least 1")))
        }
    }
}

/// How many tokens may be answered: what was asked for, and no more than the context has room for.
fn max_tokens(
    meter: &Meter,
    body: &Body,
    prompt: u64,
    endpoint: Endpoint,
) -> Result<u64, BadRequest> {
    let context = u64::from(meter.context_max());
    let param = if endpoint == Endpoint::Chat { "messages" } else { "prompt" };
    let room = context.checked_sub(prompt).filter(|room| *room > 0).ok_or_else(|| {
        let message = format!(
            "this model's context has {context} tokens, but the prompt alone has {prompt}: shorten it"
        );
        BadRequest::too_long(param, message)
    })?;
    let wished = match body.max_completion_tokens {
        Some(number) => positive("max_completion_tokens", Some(number))?,
        None => positive("max_tokens", body.max_tokens)?,
    };
    Ok(wished.unwrap_or(room).min(room))
}

fn chat(meter: &Meter, body: &Body) -> Result<Vec<u32>, BadRequest> {
    let messages = body.messages.as_deref().unwrap_or_default();
    if messages.is_empty() {
        return Err(BadRequest::of("messages", "there must be at least one message"));
    }
    let messages: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(i, message)| Ok(meter.quotes.cut(&flat(i, message)?)))
        .collect::<Result<_, _>>()?;
    let tools = body.tools.as_ref().map(|tools| meter.quotes.cut(tools));
    let text = meter
        .template
        .render(&messages, tools.as_ref())
        .map_err(|refused| BadRequest::of("messages", refused.to_string()))?;
    Ok(meter.tokens_of_chat(&text))
}

/// A message whose content is text: parts are joined.
fn flat(i: usize, message: &Value) -> Result<Value, BadRequest> {
    let wrong = |what: &str| BadRequest::of("messages", format!("messages[{i}] {what}"));
    let Value::Object(message) = message else { return Err(wrong("is not an object")) };
    if !message.get("role").is_some_and(Value::is_string) {
        return Err(wrong("has no role"));
    }
    let text = match message.get("content") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let text = |part: &Value| part.get("text").and_then(Value::as_str).map(str::to_owned);
            let texts: Option<Vec<String>> = parts.iter().map(text).collect();
            texts.ok_or_else(|| wrong("has a part that is not text"))?.join("\n")
        }
        Some(_) => return Err(wrong("has a content that is neither text nor parts")),
    };
    let mut message = message.clone();
    message.insert("content".to_owned(), Value::String(text));
    Ok(Value::Object(message))
}

fn completions(meter: &Meter, body: &Body) -> Result<Vec<Vec<u32>>, BadRequest> {
    let wrong = || {
        let message =
            "prompt must be a text, a list of texts, a list of tokens, or a list of those";
        BadRequest::of("prompt", format!("{message}, with {PROMPTS_MAX} prompts at most"))
    };
    let prompts = match body.prompt.as_ref() {
        Some(Value::String(text)) => vec![meter.tokens(text, true)],
        Some(Value::Array(items)) if items.iter().all(Value::is_u64) && !items.is_empty() => {
            vec![tokens(meter, items)?]
        }
        Some(Value::Array(items)) if !items.is_empty() && items.len() <= PROMPTS_MAX => {
            let one = |item: &Value| match item {
                Value::String(text) => Ok(meter.tokens(text, true)),
                Value::Array(items) => tokens(meter, items),
                _ => Err(wrong()),
            };
            items.iter().map(one).collect::<Result<_, _>>()?
        }
        _ => return Err(wrong()),
    };
    if prompts.iter().any(Vec::is_empty) {
        return Err(BadRequest::of("prompt", "an empty prompt has nothing to go on from"));
    }
    Ok(prompts)
}

fn tokens(meter: &Meter, items: &[Value]) -> Result<Vec<u32>, BadRequest> {
    let known = meter.tokenizer.get_vocab_size(true) as u64;
    let token =
        |item: &Value| item.as_u64().filter(|token| *token < known).map(|token| token as u32);
    let tokens: Option<Vec<u32>> = items.iter().map(token).collect();
    tokens.ok_or_else(|| {
        BadRequest::of("prompt", format!("prompt holds tokens that are not in 0..{known}"))
    })
}
