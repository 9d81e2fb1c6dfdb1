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

/// Prints rows under their headings. Columns are as wide as they must be; numbers go to the right.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) {
    for line in aligned(headings, rows) {
        println!("{line}");
    }
}

fn aligned<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let columns = std::array::from_fn::<(usize, bool), N, _>(|i| {
        let cells = rows.iter().map(|row| &row[i]);
        let width = cells.clone().map(|cell| cell.chars().count()).max().unwrap_or(0);
        (width.max(headings[i].len()), !rows.is_empty() && cells.clone().all(|cell| number(cell)))
    });
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(&columns).map(|(cell, (width, right))| match right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    std::iter::once(line(headings)).chain(rows).collect()
}

/// The word by which JSON calls something.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(Value::Null) | Err(_) => String::new(),
        Ok(other) => other.to_string(),
    }
}

/// The first digits of an id: enough to tell ids on one screen apart.
pub(crate) fn short(id: &impl std::fmt::Display) -> String {
    id.to_string().chars().take(SHORT).collect()
}

/// Digits of an id that people see.
const SHORT: usize = 12;

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
    fn columns_are_aligned_and_numbers_go_to_the_right() {
        let rows = [["ab".to_owned(), "7".to_owned()], ["c".to_owned(), "1000".to_owned()]];
        assert_eq!(aligned(["id", "cu"], &rows), ["id    cu", "ab     7", "c   1000"]);
        assert_eq!(aligned(["id", "cu"], &[]), ["id  cu"]);
    }

    #[test]
    fn each_plain_value_has_its_path() {
        let mut lines = Vec::new();
        flatten("", &json!({"a": {"b": 1, "c": []}, "d": ["x", {"e": true}]}), &mut lines);
        let text: Vec<String> = lines.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(text, ["a.b=1", "a.c=none", "d.0=x", "d.1.e=true"]);
    }
}
