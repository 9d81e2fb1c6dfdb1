//! How answers look: JSON for machines, a table for people.

use serde::Serialize;
use serde_json::Value;

/// Prints `answer` as one line of JSON, or field by field.
pub(crate) fn answer(answer: &impl Serialize, json: bool) -> anyhow::Result<()> {
    let value = serde_json::to_value(answer)?;
    if json {
        println!("{value}");
    } else {
        let mut lines = Vec::new();
        flatten("", &value, &mut lines);
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in lines {
            println!("{name:width$}  {text}");
        }
    }
    Ok(())
}

/// One line for each plain value, under its path.
fn flatten(path: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| flatten(&inner(key), value, lines));
        }
        Value::Array(items) if items.is_empty() => lines.push((path.to_owned(), "none".into())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| {
                flatten(&inner(&i.to_string()), item, lines);
            });
        }
        Value::String(text) => lines.push((path.to_owned(), text.clone())),
        plain => lines.push((path.to_owned(), plain.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_plain_value_has_its_path() {
        let mut lines = Vec::new();
        flatten("", &json!({"a": {"b": 1, "c": []}, "d": ["x", {"e": true}]}), &mut lines);
        let text: Vec<String> = lines.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(text, ["a.b=1", "a.c=none", "d.0=x", "d.1.e=true"]);
    }
}
