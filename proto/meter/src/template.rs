//! Chat templates, as Hugging Face's tokenizers render them.

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, context};
use serde_json::Value as Json;

/// Steps of rendering at most: a template is a stranger's program.
const FUEL: u64 = 2_000_000;

/// A template that cannot be used, or does not take these messages.
#[derive(Debug, thiserror::Error)]
#[error("the chat template does not take this: {0}")]
pub struct TemplateRefused(String);

/// A parsed template.
pub(crate) struct Template {
    environment: Environment<'static>,
    bos: Option<String>,
    eos: Option<String>,
}

impl Template {
    pub(crate) fn new(
        text: String,
        bos: Option<String>,
        eos: Option<String>,
    ) -> Result<Template, TemplateRefused> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(FUEL));
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("tojson", to_json);
        // In Python nothing is not iterable, and templates ask whether there are tools that way.
        environment
            .add_test("iterable", |value: Value| !value.is_none() && value.try_iter().is_ok());
        environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment
            .add_template_owned("chat", text)
            .map_err(|error| TemplateRefused(error.to_string()))?;
        Ok(Template { environment, bos, eos })
    }

    /// The prompt of a conversation, up to where the answer begins.
    pub(crate) fn render(
        &self,
        messages: &[Json],
        tools: Option<&Json>,
    ) -> Result<String, TemplateRefused> {
        let failed = |error: Error| TemplateRefused(error.to_string());
        let template = self.environment.get_template("chat").map_err(failed)?;
        let (bos, eos) = (self.bos.as_deref().unwrap_or(""), self.eos.as_deref().unwrap_or(""));
        template
            .render(context! {
                messages => messages,
                tools => tools,
                add_generation_prompt => true,
                bos_token => bos,
                eos_token => eos,
            })
            .map_err(failed)
    }
}

/// JSON as the tokenizers' own filter writes it: with spaces, and no letter escaped for HTML.
fn to_json(value: Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let json = serde_json::to_value(&value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    let mut text = String::new();
    write_json(&json, indent.map(|indent| indent.min(INDENT_MAX)), 0, &mut text);
    Ok(Value::from_safe_string(text))
}

/// Spaces by which JSON is indented at most.
const INDENT_MAX: usize = 16;

fn write_json(value: &Json, indent: Option<usize>, depth: usize, text: &mut String) {
    let line = |depth: usize, text: &mut String| {
        if let Some(indent) = indent {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    let comma = if indent.is_some() { "," } else { ", " };
    match value {
        Json::Array(items) if !items.is_empty() => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                text.push_str(if i > 0 { comma } else { "" });
                line(depth + 1, text);
                write_json(item, indent, depth + 1, text);
            }
            line(depth, text);
            text.push(']');
        }
        Json::Object(fields) if !fields.is_empty() => {
            text.push('{');
            for (i, (name, item)) in fields.iter().enumerate() {
                text.push_str(if i > 0 { comma } else { "" });
                line(depth + 1, text);
                text.push_str(&Json::from(name.as_str()).to_string());
                text.push_str(": ");
                write_json(item, indent, depth + 1, text);
            }
            line(depth, text);
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(text: &str) -> String {
        let template = Template::new(text.to_owned(), Some("<s>".to_owned()), None).unwrap();
        let messages = [
            json!({"role": "user", "content": "Hi <there>"}),
            json!({"role": "assistant", "content": "<think>\nhm\n</think>\n\nHello"}),
        ];
        template.render(&messages, Some(&json!([{"name": "é", "list": [1, true]}]))).unwrap()
    }

    #[test]
    fn what_the_families_templates_use_is_understood() {
        for (text, expected) in [
            (
                "{{ bos_token }}{%- if messages[0]['role'] == 'user' %}\n  yes{% endif %}",
                "<s>  yes",
            ),
            ("{%- for message in messages[::-1] %}{{ message.role[0] }}{% endfor %}", "au"),
            (
                "{%- set ns = namespace(last=0) %}{% for m in messages %}{% set ns.last = loop.index0 %}{% endfor %}{{ ns.last }}",
                "1",
            ),
            ("{{ messages[1].content.split('</think>')[-1].lstrip('\\n') }}", "Hello"),
            (
                "{% for m in messages %}{% if loop.last %}{% break %}{% endif %}{{ m.content }}{% endfor %}",
                "Hi <there>",
            ),
            ("{{ tools | tojson }}", r#"[{"name": "é", "list": [1, true]}]"#),
            (
                "{{ messages[0].content is string and messages[0].content.startswith('Hi') }}",
                "True",
            ),
            (
                "{% if none is iterable %}{{ none | length }}{% endif %}{{ tools is iterable }}",
                "True",
            ),
            ("{{ strftime_now is defined }}{{ messages | length }}", "False2"),
        ] {
            assert_eq!(rendered(text), expected, "{text}");
        }
    }
}
