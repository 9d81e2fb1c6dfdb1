//! The files of a model, and where in them each tensor lies.

use super::LoadError;
use super::shape::{self, Shape};
use crate::kernel::{Kind, KindError};
use memmap2::Mmap;
use meter::gguf;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Where a tensor lies.
pub(crate) struct Found {
    file: usize,
    pub(crate) kind: Result<Kind, KindError>,
    pub(crate) sizes: Vec<usize>,
    start: usize,
}

/// A model's files. Tensors have the names that GGUF gives them.
pub(crate) struct Source {
    files: Vec<Mmap>,
    pub(crate) path: PathBuf,
    pub(crate) tensors: BTreeMap<String, Found>,
    pub(crate) shape: Shape,
}

/// What the parts of a model say of themselves: how many there are, which one it is (from 0), and how many
/// tensors all have.
const PART_COUNT: &str = "split.count";
const PART_NUMBER: &str = "split.no";
const TENSOR_COUNT: &str = "split.tensors.count";

/// Files that one model is cut into at most.
const FILES_MAX: usize = 1024;

impl Source {
    /// Opens the model in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Source, LoadError> {
        let files = gguf::files(folder)?;
        if !files.is_empty() {
            return Source::gguf(&files);
        }
        let config = folder.join("config.json");
        if !config.is_file() {
            return Err(LoadError::Nothing(folder.to_owned()));
        }
        Source::safetensors(folder, config)
    }

    /// The parts of a model, the first of which says what it is.
    fn gguf(paths: &[PathBuf]) -> Result<Source, LoadError> {
        let (mut files, mut tensors) = (Vec::new(), BTreeMap::new());
        let mut values = BTreeMap::new();
        for (file, path) in paths.iter().enumerate() {
            let map = map(path)?;
            let wrong = |error: gguf::HeadError| LoadError::Format {
                path: path.clone(),
                reason: error.to_string(),
            };
            let head = gguf::Head::read(&map).map_err(wrong)?;
            check_part(path, &head, file, paths.len())?;
            for (name, place) in &head.tensors {
                let (kind, sizes, start) = (Kind::of(place.kind), place.sizes.clone(), place.start);
                let found = Found { file, kind, sizes, start };
                if tensors.insert(name.clone(), found).is_some() {
                    return Err(LoadError::PartTwice { path: path.clone(), name: name.clone() });
                }
            }
            if file == 0 {
                values = head.values;
            }
            files.push(map);
        }
        let path = paths[0].clone();
        let said = values.get(TENSOR_COUNT).and_then(gguf::Value::number);
        if let Some(said) = said.filter(|said| paths.len() > 1 && *said != tensors.len() as u64) {
            return Err(LoadError::PartTensors { path, said, found: tensors.len() });
        }
        let mut source = Source { files, path, tensors, shape: Shape::default() };
        source.shape = shape::of_metadata(&values, &source)?;
        Ok(source)
    }

    fn safetensors(folder: &Path, path: PathBuf) -> Result<Source, LoadError> {
        let config = json(&path)?;
        let (mut files, mut tensors) = (Vec::new(), BTreeMap::new());
        for name in names(folder)? {
            let path = folder.join(name);
            let map = map(&path)?;
            places(&map, files.len(), &mut tensors)
                .map_err(|reason| LoadError::Format { path, reason })?;
            files.push(map);
        }
        let mut source = Source { files, path, tensors, shape: Shape::default() };
        source.shape = shape::of_config(&config, &source)?;
        Ok(source)
    }

    /// A tensor's type and bytes, when it has `expected` sizes.
    pub(crate) fn bytes(&self, name: &str, expected: &[usize]) -> Result<(Kind, &[u8]), LoadError> {
        let name = || name.to_owned();
        let found =
            self.tensors.get(&name()).ok_or_else(|| LoadError::NoTensor { name: name() })?;
        if found.sizes != expected {
            let (got, expected) = (found.sizes.clone(), expected.to_vec());
            return Err(LoadError::Shape { name: name(), got, expected });
        }
        let kind = found.kind.map_err(|source| LoadError::Kind { name: name(), source })?;
        let (columns, rows) = expected
            .split_last()
            .map_or((0, 1), |(last, rest)| (*last, rest.iter().product::<usize>()));
        let columns_fit = kind.bytes(rows, columns);
        let length = columns_fit.ok_or_else(|| {
            let source = crate::kernel::PackError::Columns { columns, block: kind.block().0 };
            LoadError::Pack { name: name(), source }
        })?;
        let file = &self.files[found.file];
        let end = found.start as u128 + length as u128;
        let bytes = found.start.checked_add(length).and_then(|end| file.get(found.start..end));
        let bytes =
            bytes.ok_or_else(|| LoadError::Short { name: name(), end, length: file.len() })?;
        Ok((kind, bytes))
    }

    /// Bytes in the files of all tensors of a part.
    #[cfg(feature = "cuda")]
    pub(crate) fn bytes_of(&self, part: &super::Part) -> usize {
        let layer = |name: &str| -> Option<usize> {
            name.strip_prefix("blk.")?.split_once('.')?.0.parse().ok()
        };
        let ours = |name: &str| match layer(name) {
            Some(layer) => part.layers.contains(&layer),
            None => part.ends,
        };
        let own = self.tensors.iter().filter(|(name, _)| ours(name));
        own.filter_map(|(name, found)| Some(self.bytes(name, &found.sizes).ok()?.1.len())).sum()
    }

    /// The sizes of a tensor, when there is one.
    pub(crate) fn sizes(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|found| found.sizes.as_slice())
    }
}

/// Whether a file is the part that its name says; a file alone says nothing of parts.
fn check_part(
    path: &Path,
    head: &gguf::Head,
    number: usize,
    count: usize,
) -> Result<(), LoadError> {
    let said = |name: &str| head.values.get(name).and_then(gguf::Value::number);
    let path = || path.to_owned();
    if let Some(said) = said(PART_COUNT).filter(|said| *said > 0 && *said != count as u64) {
        return Err(LoadError::PartCount { path: path(), said, found: count });
    }
    if let Some(got) = said(PART_NUMBER).filter(|got| *got != number as u64) {
        let (got, expected) = (got.saturating_add(1), number + 1);
        return Err(LoadError::PartOrder { path: path(), got, expected });
    }
    Ok(())
}

#[allow(unsafe_code)]
fn map(path: &Path) -> Result<Mmap, LoadError> {
    let disk = |source| LoadError::Disk { path: path.to_owned(), source };
    let file = File::open(path).map_err(disk)?;
    // SAFETY: the bytes are only read. Whoever changes a model's file while it is loaded gets other
    // weights, as with any program; nothing here relies on bytes that were checked staying so
    // but lengths, which a mapping keeps.
    unsafe { Mmap::map(&file) }.map_err(disk)
}

fn json(path: &Path) -> Result<Json, LoadError> {
    let bytes =
        std::fs::read(path).map_err(|source| LoadError::Disk { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| LoadError::Format { path: path.to_owned(), reason: error.to_string() })
}

/// The names of the files with tensors.
fn names(folder: &Path) -> Result<BTreeSet<String>, LoadError> {
    let path = folder.join("model.safetensors.index.json");
    if !path.is_file() {
        return Ok(["model.safetensors".to_owned()].into());
    }
    let index = json(&path)?;
    let format = |reason: &str| LoadError::Format { path: path.clone(), reason: reason.to_owned() };
    let names = index["weight_map"].as_object().ok_or_else(|| format("it has no weight_map"))?;
    let names: BTreeSet<String> =
        names.values().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    if names.is_empty() || names.len() > FILES_MAX {
        return Err(format("it names no file, or too many"));
    }
    // A name that leads elsewhere is no file of this model.
    if names.iter().any(|name| name.contains(['/', '\\']) || name.starts_with('.')) {
        return Err(format("it names a file outside of its folder"));
    }
    Ok(names)
}

fn places(map: &Mmap, file: usize, tensors: &mut BTreeMap<String, Found>) -> Result<(), String> {
    let (head, metadata) = SafeTensors::read_metadata(map).map_err(|error| format!("{error}"))?;
    for (name, info) in metadata.tensors() {
        let kind = match info.dtype {
            Dtype::F32 => Ok(Kind::F32),
            Dtype::F16 => Ok(Kind::F16),
            Dtype::BF16 => Ok(Kind::BF16),
            other => {
                return Err(format!("the tensor {name} is of {other:?}, not F32, F16 or BF16"));
            }
        };
        let start = info.data_offsets.0.checked_add(head + 8);
        let start = start.ok_or_else(|| format!("the tensor {name} begins beyond all memory"))?;
        let found = Found { file, kind, sizes: info.shape.clone(), start };
        tensors.insert(renamed(&name), found);
    }
    Ok(())
}

/// The parts of a layer, as they are called here and there.
const PARTS: &[(&str, &str)] = &[
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
];

/// The name that GGUF gives to a tensor of Hugging Face's; strangers keep theirs.
fn renamed(name: &str) -> String {
    match name {
        "model.embed_tokens.weight" => return "token_embd.weight".to_owned(),
        "model.norm.weight" => return "output_norm.weight".to_owned(),
        "lm_head.weight" => return "output.weight".to_owned(),
        _ => {}
    }
    let layer = name.strip_prefix("model.layers.").and_then(|rest| {
        let (layer, part) = rest.split_once('.')?;
        let (part, end) = part.rsplit_once('.')?;
        let (_, ours) = PARTS.iter().find(|(theirs, _)| *theirs == part)?;
        Some(format!("blk.{layer}.{ours}.{end}"))
    });
    layer.unwrap_or_else(|| name.to_owned())
}
