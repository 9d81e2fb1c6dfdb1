//! Answers that must have a form: which tokens may follow.

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use meter::{BadRequest, Meter};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// Bytes of a schema at most: more is no schema but an attack on the compiler.
const SCHEMA_BYTES_MAX: usize = 64 << 10;

/// The form that an answer must have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    /// A JSON schema.
    pub(crate) schema: Value,
    /// The field that asked for it.
    pub(crate) param: &'static str,
}

/// Compiles forms for one vocabulary, which is laid out when the first one comes.
pub(crate) struct Grammars {
    meter: Arc<Meter>,
    vocabulary: usize,
    factory: OnceLock<Result<ParserFactory, String>>,
}

/// What an answer must look like from here on.
pub(crate) struct Grammar(Matcher);

impl Grammars {
    /// Grammars for a model that knows `vocabulary` tokens.
    pub(crate) fn new(meter: Arc<Meter>, vocabulary: usize) -> Grammars {
        Grammars { meter, vocabulary, factory: OnceLock::new() }
    }

    /// The grammar of a form.
    pub(crate) fn compile(&self, form: &Form) -> Result<Grammar, BadRequest> {
        let wrong = |reason: String| BadRequest::of(form.param, reason);
        if form.schema.to_string().len() > SCHEMA_BYTES_MAX {
            return Err(wrong(format!("the schema is larger than {SCHEMA_BYTES_MAX} bytes")));
        }
        let factory = self.factory.get_or_init(|| self.factory());
        let factory = factory.as_ref().map_err(|reason| wrong(reason.clone()))?;
        let mut schema = form.schema.clone();
        if let Some(fields) = schema.as_object_mut() {
            // Free white space is a way never to end.
            fields.insert("x-guidance".to_owned(), json!({"whitespace_flexible": false}));
        }
        let parser = factory.create_parser(TopLevelGrammar::from_json_schema(schema));
        let mut matcher = Matcher::new(parser);
        match matcher.compute_mask() {
            Ok(_) => Ok(Grammar(matcher)),
            Err(error) => {
                // After its first line it tells of its own state, not of the schema.
                let error = error.to_string();
                let reason = match error.split("<state>").next().unwrap_or_default().trim() {
                    "NoExtensionBias" => "no token of this model can begin it",
                    reason => reason,
                };
                Err(wrong(format!("the schema cannot be followed: {reason}")))
            }
        }
    }

    fn factory(&self) -> Result<ParserFactory, String> {
        let meter = &self.meter;
        let end = meter.eos().ok_or("this model has no token that ends an answer")?;
        let word = |token: u32| match meter.token_bytes(token) {
            Some(bytes) => bytes,
            None => {
                let mut name = vec![TokTrie::SPECIAL_TOKEN_MARKER];
                name.extend(format!("<{token}>").into_bytes());
                name
            }
        };
        let words: Vec<Vec<u8>> = (0..self.vocabulary as u32).map(word).collect();
        let info = TokRxInfo::new(self.vocabulary as u32, end);
        let ends: Vec<u32> =
            (0..self.vocabulary as u32).filter(|token| meter.ends(*token)).collect();
        let trie = TokTrie::from(&info, &words).with_eos_tokens(&ends);
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory =
            ParserFactory::new_simple(&environment).map_err(|error| error.to_string())?;
        factory.quiet();
        Ok(factory)
    }
}

impl Grammar {
    /// A bit for each token that may follow.
    pub(crate) fn allowed(&mut self) -> Result<Vec<u32>, String> {
        let mask = self.0.compute_mask_or_eos().map_err(|error| error.to_string())?;
        Ok(mask.as_slice().to_vec())
    }

    /// Takes the next token. True when nothing can follow.
    pub(crate) fn take(&mut self, token: u32) -> Result<bool, String> {
        self.0.consume_token(token).map_err(|error| error.to_string())?;
        Ok(self.0.is_stopped())
    }
}

impl Clone for Grammar {
    fn clone(&self) -> Grammar {
        Grammar(self.0.deep_clone())
    }
}
