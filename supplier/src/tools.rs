//! Calls of the client's tools, in OpenAI's shape.
//!
//! Models write calls in the way of their family; what is recognised here is a JSON object with a
//! name and arguments, bare, in a list, or between the marks that Qwen and Mistral use. Where the
//! client demands a call, the answer is held to that object by a grammar.

use crate::author::Finish;
use crate::grammar::Form;
use crate::worker::{Piece, Told};
use meter::BadRequest;
use serde_json::{Map, Value, json};

/// Tools of one request at most.
const TOOLS_MAX: usize = 128;

/// Calls in one answer at most.
const CALLS_MAX: usize = 64;

/// What an answer may do with the client's tools.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Tools {
    /// Nothing.
    #[default]
    None,
    /// Call them or not. These are their names.
    Some(Vec<String>),
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// JSON.
    pub(crate) arguments: String,
}

/// Reads `tools` and `tool_choice`: what may be called, and the form of an answer that must be a call.
pub(crate) fn read(fields: &Map<String, Value>) -> Result<(Tools, Option<Form>), BadRequest> {
    let tools = match fields.get("tools").filter(|tools| !tools.is_null()) {
        None => return without_tools(fields.get("tool_choice")),
        Some(Value::Array(tools)) if tools.len() <= TOOLS_MAX => tools,
        Some(_) => {
            let message = format!("tools must be a list of up to {TOOLS_MAX} functions");
            return Err(BadRequest::of("tools", message));
        }
    };
    let mut functions = Vec::new();
    for (i, tool) in tools.iter().enumerate() {
        let name = tool["function"]["name"].as_str().filter(|name| !name.is_empty());
        let name = name.filter(|_| tool["type"] == "function").ok_or_else(|| {
            BadRequest::of("tools", format!("tools[{i}] is no function with a name"))
        })?;
        functions.push((name.to_owned(), tool["function"]["parameters"].clone()));
    }
    let names: Vec<String> = functions.iter().map(|(name, _)| name.clone()).collect();
    let wanted = match fields.get("tool_choice") {
        None | Some(Value::Null) => None,
        Some(Value::String(choice)) => match choice.as_str() {
            "none" => return Ok((Tools::None, None)),
            "auto" => None,
            "required" => Some(names.clone()),
            _ => return Err(wrong_choice()),
        },
        Some(choice) => {
            let name = choice["function"]["name"].as_str().ok_or_else(wrong_choice)?;
            Some(names.iter().filter(|known| *known == name).cloned().collect())
        }
    };
    let form = match wanted {
        None => None,
        Some(wanted) if wanted.is_empty() => return Err(wrong_choice()),
        Some(wanted) => Some(form(&functions, &wanted)),
    };
    Ok((Tools::Some(names), form))
}

/// Where there are no tools, none can be demanded.
fn without_tools(choice: Option<&Value>) -> Result<(Tools, Option<Form>), BadRequest> {
    match choice {
        None | Some(Value::Null) => Ok((Tools::None, None)),
        Some(Value::String(choice)) if choice == "none" || choice == "auto" => {
            Ok((Tools::None, None))
        }
        Some(choice) => {
            let message = format!("tool_choice is {choice}, but there are no tools");
            Err(BadRequest::of("tool_choice", message))
        }
    }
}

fn wrong_choice() -> BadRequest {
    let message = "tool_choice must be none, auto, required, or name one of the tools";
    BadRequest::of("tool_choice", message)
}

/// The form of a call of one of the `wanted` functions.
fn form(functions: &[(String, Value)], wanted: &[String]) -> Form {
    let call = |(name, parameters): &(String, Value)| {
        let arguments =
            if parameters.is_object() { parameters } else { &json!({"type": "object"}) };
        json!({
            "type": "object",
            "properties": {"name": {"const": name}, "arguments": arguments},
            "required": ["name", "arguments"],
            "additionalProperties": false,
        })
    };
    let calls: Vec<Value> =
        functions.iter().filter(|(name, _)| wanted.contains(name)).map(call).collect();
    Form { schema: json!({"anyOf": calls}), param: "tools" }
}

/// The calls that a text consists of; `None` where it is text.
pub(crate) fn calls(text: &str, names: &[String]) -> Option<Vec<Call>> {
    let text = text.trim();
    let mut calls = Vec::new();
    if text.starts_with(OPEN) {
        for part in text.split(OPEN).skip(1) {
            let (inner, rest) = part.split_once(CLOSE).unwrap_or((part, ""));
            if !rest.trim().is_empty() {
                return None;
            }
            calls.push(call(&serde_json::from_str(inner.trim()).ok()?, names)?);
        }
    } else {
        let text = text.strip_prefix(MISTRAL).unwrap_or(text).trim();
        match serde_json::from_str(text).ok()? {
            Value::Array(items) => {
                for item in &items {
                    calls.push(call(item, names)?);
                }
            }
            one => calls.push(call(&one, names)?),
        }
    }
    ((1..=CALLS_MAX).contains(&calls.len())).then_some(calls)
}

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";
const MISTRAL: &str = "[TOOL_CALLS]";

fn call(value: &Value, names: &[String]) -> Option<Call> {
    let name = value.get("name")?.as_str()?;
    if !names.iter().any(|known| known == name) {
        return None;
    }
    let arguments = value.get("arguments").or_else(|| value.get("parameters"))?;
    let arguments = match arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(Call { name: name.to_owned(), arguments })
}

/// Whether a text that begins so can still become calls.
fn may_be_calls(text: &str) -> bool {
    let text = text.trim_start();
    let begins = |mark: &str| text.starts_with(mark) || mark.starts_with(text);
    text.is_empty() || text.starts_with(['{', '[']) || begins(OPEN) || begins(MISTRAL)
}

/// Watches the pieces of one answer for calls: holds back what may be one.
pub(crate) struct Watch {
    names: Vec<String>,
    held: String,
    logprobs: Vec<Told>,
    passing: bool,
}

impl Watch {
    pub(crate) fn new(tools: &Tools) -> Watch {
        let names = match tools {
            Tools::None => Vec::new(),
            Tools::Some(names) => names.clone(),
        };
        let passing = names.is_empty();
        Watch { names, held: String::new(), logprobs: Vec::new(), passing }
    }

    /// What goes on to the client when this piece comes.
    pub(crate) fn take(&mut self, piece: Piece) -> Vec<Piece> {
        if self.passing {
            return vec![piece];
        }
        match piece {
            Piece::Text { text, logprobs } => {
                self.held.push_str(&text);
                self.logprobs.extend(logprobs);
                if may_be_calls(&self.held) {
                    return Vec::new();
                }
                self.passing = true;
                vec![self.release()]
            }
            Piece::End(finish) => match calls(&self.held, &self.names) {
                Some(calls) => vec![Piece::Calls(calls), Piece::End(Finish::Calls)],
                None if self.held.is_empty() => vec![Piece::End(finish)],
                None => vec![self.release(), Piece::End(finish)],
            },
            other => vec![other],
        }
    }

    fn release(&mut self) -> Piece {
        let (text, logprobs) = (std::mem::take(&mut self.held), std::mem::take(&mut self.logprobs));
        Piece::Text { text, logprobs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["add".to_owned(), "look".to_owned()]
    }

    fn said(text: &str) -> Vec<String> {
        let calls = calls(text, &names()).unwrap_or_default();
        calls.into_iter().map(|call| format!("{}{}", call.name, call.arguments)).collect()
    }

    #[test]
    fn calls_of_every_family_are_found() {
        let one = r#"{"name": "add", "arguments": {"a": 1}}"#;
        let found = [r#"add{"a":1}"#];
        assert_eq!(said(one), found);
        assert_eq!(said(&format!("\n<tool_call>\n{one}\n</tool_call>")), found);
        assert_eq!(said(&format!("[TOOL_CALLS][{one}]")), found);
        assert_eq!(said(r#"{"name": "add", "parameters": {"a": 1}}"#), found);
        assert_eq!(
            said(&format!("<tool_call>{one}</tool_call><tool_call>{one}</tool_call>")).len(),
            2
        );
    }

    #[test]
    fn text_is_text() {
        for text in
            ["add", "{}", "[]", r#"{"name": "other", "arguments": {}}"#, "<tool_call>", "{\"a\""]
        {
            assert!(said(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_stream_holds_back_what_may_be_a_call_and_nothing_else() {
        let text = |text: &str| Piece::Text { text: text.to_owned(), logprobs: Vec::new() };
        let mut plain = Watch::new(&Tools::Some(names()));
        assert_eq!(plain.take(text(" ")).len(), 0);
        assert!(matches!(&plain.take(text("Hi"))[..], [Piece::Text { text, .. }] if text == " Hi"));
        let mut watch = Watch::new(&Tools::Some(names()));
        assert!(watch.take(text("<tool")).is_empty());
        assert!(watch.take(text(r#"_call>{"name":"look","arguments":{}}</tool_call>"#)).is_empty());
        let ends = watch.take(Piece::End(Finish::Stop));
        assert!(
            matches!(&ends[..], [Piece::Calls(calls), Piece::End(Finish::Calls)] if calls[0].name == "look")
        );
    }

    #[test]
    fn a_choice_that_names_no_tool_is_refused() {
        let tools = json!([{"type": "function", "function": {"name": "add"}}]);
        let read = |choice: Value| {
            let fields = json!({"tools": tools, "tool_choice": choice});
            super::read(fields.as_object().unwrap())
        };
        assert!(read(json!("required")).unwrap().1.is_some());
        assert_eq!(read(json!("none")).unwrap(), (Tools::None, None));
        for wrong in [json!("often"), json!({"function": {"name": "other"}}), json!(1)] {
            assert_eq!(read(wrong).unwrap_err().param, Some("tool_choice"));
        }
    }
}
