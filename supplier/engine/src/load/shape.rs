//! Sizes and settings of a model.

pub(crate) use super::config::of_config;
pub(crate) use super::metadata::of_metadata;
use super::{LoadError, Rope};
use crate::cache::Heads;

/// Sizes beyond these are those of no model that fits a machine: the file is damaged or hostile.
pub(super) const HIDDEN_MAX: u64 = 1 << 16;
pub(super) const LAYERS_MAX: u64 = 1 << 10;
pub(super) const CONTEXT_MAX: u64 = 1 << 24;
pub(super) const VOCABULARY_MAX: u64 = 1 << 22;
pub(super) const HEAD_MAX: u64 = 1 << 10;

/// Sizes and settings of a model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) family: &'static str,
    pub(crate) hidden: usize,
    pub(crate) feed_forward: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head: usize,
    pub(crate) context: usize,
    pub(crate) vocabulary: usize,
    pub(crate) epsilon: f32,
    pub(crate) rope: Rope,
    /// How many of the last positions each layer sees, itself included; `None`: all.
    pub(crate) windows: Vec<Option<usize>>,
    /// Whether the head is the embedding.
    pub(crate) tied: bool,
}

impl Shape {
    /// Floats that one token takes in the cache, in keys or in values of one layer.
    pub(crate) fn kv_width(&self) -> usize {
        self.kept().width()
    }

    /// Heads of keys and values.
    pub(crate) fn kept(&self) -> Heads {
        Heads { count: self.kv_heads, size: self.head }
    }

    /// Checks what sizes have to do with each other.
    pub(super) fn checked(self) -> Result<Shape, LoadError> {
        let wrong = |name: &str, value: usize, max: usize| LoadError::OutOfRange {
            name: name.to_owned(),
            value: value as u64,
            min: 1,
            max: max as u64,
        };
        if self.kv_heads > self.heads || !self.heads.is_multiple_of(self.kv_heads) {
            return Err(wrong("the number of key-value heads", self.kv_heads, self.heads));
        }
        let all = self.heads * self.head;
        if all > HIDDEN_MAX as usize {
            return Err(wrong("the size of all heads", all, HIDDEN_MAX as usize));
        }
        if !self.head.is_multiple_of(2) {
            let (name, value) = ("the size of a head".to_owned(), self.head.to_string());
            return Err(LoadError::Unsupported { name, value });
        }
        if !(self.epsilon > 0.0 && self.epsilon < 1.0) {
            let value = self.epsilon.to_string();
            return Err(LoadError::Unsupported { name: "the norm's epsilon".to_owned(), value });
        }
        Ok(self)
    }
}
