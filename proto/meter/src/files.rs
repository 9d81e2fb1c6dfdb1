//! What the files of a model's folder say of its tokenizer and its chat template.

use crate::LoadError;
use crate::gguf::{self, Head, HeadError};
use crate::vocabulary;
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Tokens of a context when the configuration names none, or a number that is none.
const CONTEXT_DEFAULT: u32 = 4096;

/// Contexts beyond this are how some configurations say that they know none.
const CONTEXT_MAX: f64 = 16_777_216.0;

/// Bytes of a GGUF file that are read first: vocabularies seldom take more.
const HEAD_BYTES: u64 = 16 << 20;

/// What a model's folder holds.
pub(crate) struct Files {
    /// Where the template is from.
    pub(crate) path: PathBuf,
    /// tokenizer.json.
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) template: String,
    pub(crate) bos: Option<String>,
    pub(crate) eos: Option<String>,
    /// More tokens that end an answer.
    pub(crate) ends: Vec<u32>,
    pub(crate) context: u32,
}

/// `tokenizer_config.json`, as far as it matters here.
#[derive(Deserialize)]
struct Config {
    chat_template: Option<Templates>,
    model_max_length: Option<f64>,
    bos_token: Option<Special>,
    eos_token: Option<Special>,
}

/// One template, or several with names.
#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

impl Templates {
    fn into_default(self) -> Option<String> {
        match self {
            Templates::One(text) => Some(text),
            Templates::Named(all) => {
                all.into_iter().find(|one| one.name == "default").map(|one| one.template)
            }
        }
    }
}

/// A special token: its text, or an object with it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Special {
    Text(String),
    Object { content: String },
}

impl Special {
    fn into_text(self) -> String {
        match self {
            Special::Text(text) | Special::Object { content: text } => text,
        }
    }
}

/// `generation_config.json`: one token that ends an answer, or several.
#[derive(Deserialize)]
struct Generation {
    eos_token_id: Option<Ends>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Ends {
    One(u32),
    Several(Vec<u32>),
}

fn bytes(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::Disk { path: path.to_owned(), source })
}

fn wrong(path: &Path, reason: impl ToString) -> LoadError {
    LoadError::Wrong { path: path.to_owned(), reason: reason.to_string() }
}

impl Files {
    pub(crate) fn read(folder: &Path) -> Result<Files, LoadError> {
        let path = folder.join("tokenizer.json");
        if !path.is_file()
            && let Some(gguf) = gguf::files(folder).ok().and_then(|files| files.into_iter().next())
        {
            return Files::of_gguf(gguf);
        }
        let tokenizer = bytes(&path)?;
        let path = folder.join("tokenizer_config.json");
        let config = bytes(&path)?;
        let mut files = Files::of(path, tokenizer, &config, folder)?;
        files.ends = ends(folder)?;
        Ok(files)
    }

    fn of_gguf(path: PathBuf) -> Result<Files, LoadError> {
        let head = head(&path)?;
        let refused = |source| LoadError::Vocabulary { path: path.clone(), source };
        let tokenizer = vocabulary::tokenizer(&head).map_err(refused)?;
        let (config, ends) = vocabulary::config(&head).map_err(refused)?;
        let (tokenizer, config) = (tokenizer.to_string(), config.to_string());
        let folder = path.parent().unwrap_or(Path::new("."));
        let folder = folder.to_owned();
        let mut files = Files::of(path, tokenizer.into_bytes(), config.as_bytes(), &folder)?;
        files.ends = ends;
        Ok(files)
    }

    fn of(
        path: PathBuf,
        tokenizer: Vec<u8>,
        config: &[u8],
        folder: &Path,
    ) -> Result<Files, LoadError> {
        let config: Config = serde_json::from_slice(config).map_err(|error| wrong(&path, error))?;
        let mut template = config.chat_template.and_then(Templates::into_default);
        let beside = folder.join("chat_template.jinja");
        if template.is_none() && beside.is_file() {
            let text = String::from_utf8(bytes(&beside)?).map_err(|error| wrong(&beside, error))?;
            template = Some(text);
        }
        let template = template.ok_or_else(|| LoadError::NoTemplate(path.clone()))?;
        let context = config.model_max_length.filter(|n| (1.0..=CONTEXT_MAX).contains(n));
        Ok(Files {
            path,
            tokenizer,
            template,
            bos: config.bos_token.map(Special::into_text),
            eos: config.eos_token.map(Special::into_text),
            ends: Vec::new(),
            context: context.map_or(CONTEXT_DEFAULT, |n| n as u32),
        })
    }
}

/// The tokens that `generation_config.json` names, where there is one.
fn ends(folder: &Path) -> Result<Vec<u32>, LoadError> {
    let path = folder.join("generation_config.json");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let generation: Generation =
        serde_json::from_slice(&bytes(&path)?).map_err(|error| wrong(&path, error))?;
    Ok(match generation.eos_token_id {
        None => Vec::new(),
        Some(Ends::One(token)) => vec![token],
        Some(Ends::Several(tokens)) => tokens,
    })
}

/// The head of a GGUF file. Only as much is read as it takes: the tensors may be large.
fn head(path: &Path) -> Result<Head, LoadError> {
    let disk = |source| LoadError::Disk { path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(disk)?;
    let length = file.metadata().map_err(disk)?.len();
    let (mut bytes, mut wanted) = (Vec::new(), HEAD_BYTES);
    loop {
        let more = wanted.saturating_sub(bytes.len() as u64);
        (&mut file).take(more).read_to_end(&mut bytes).map_err(disk)?;
        match Head::read(&bytes) {
            Ok(head) => return Ok(head),
            Err(HeadError::Short { .. }) if (bytes.len() as u64) < length && wanted < length => {
                wanted = wanted.saturating_mul(2);
            }
            Err(error) => return Err(wrong(path, error)),
        }
    }
}
