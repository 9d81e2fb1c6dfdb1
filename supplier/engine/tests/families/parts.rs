//! Models in several GGUF files.

use super::build::{Format, Spec, write};
use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content, Value};
use engine::{Kind, Model, Outline};
use std::fs::File;
use std::path::Path;

/// Cuts `model.gguf` of a folder into parts in another, as llama.cpp's tool does: the first part says
/// what the model is.
fn cut(from: &Path, to: &Path, parts: usize) {
    let mut file = File::open(from.join("model.gguf")).unwrap();
    let content = Content::read(&mut file).unwrap();
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    names.sort();
    let each = names.len().div_ceil(parts);
    for (i, names_here) in names.chunks(each).enumerate() {
        let mut values = Vec::new();
        if i == 0 {
            values.extend(content.metadata.iter().map(|(n, v)| (n.clone(), v.clone())));
        }
        values.push(("split.no".to_owned(), Value::U16(i as u16)));
        values.push(("split.count".to_owned(), Value::U16(parts as u16)));
        values.push(("split.tensors.count".to_owned(), Value::I32(names.len() as i32)));
        let tensor = |name: &&String| content.tensor(&mut &file, name, &Device::Cpu).unwrap();
        let tensors: Vec<_> = names_here.iter().map(|name| (name.as_str(), tensor(name))).collect();
        let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
        let values: Vec<_> = values.iter().map(|(n, v)| (n.as_str(), v)).collect();
        let name = format!("m-{:05}-of-{parts:05}.gguf", i + 1);
        gguf_file::write(&mut File::create(to.join(name)).unwrap(), &values, &tensors).unwrap();
    }
}

fn models() -> (tempfile::TempDir, tempfile::TempDir) {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(&Spec::all()[1], Format::Gguf(Kind::Q8_0), whole.path());
    cut(whole.path(), parts.path(), 3);
    (whole, parts)
}

#[test]
fn a_model_in_three_files_is_the_one_in_one_file() {
    let (whole, parts) = models();
    let [one, three] = [&whole, &parts].map(|folder| Model::load(folder.path()).unwrap());
    let tokens: Vec<u32> = (0..40).collect();
    assert_eq!(super::logits(&one, &tokens), super::logits(&three, &tokens));
    let [one, three] = [&whole, &parts].map(|folder| Outline::read(folder.path()).unwrap());
    assert_eq!(one, three, "boxes may hold it either way");
}

fn refusal(folder: &Path) -> String {
    Model::load(folder).err().unwrap().to_string()
}

#[test]
fn a_part_that_is_missing_or_is_another_one_is_named() {
    let (_, parts) = models();
    let path = |i: usize| parts.path().join(format!("m-{i:05}-of-00003.gguf"));
    let kept = std::fs::read(path(2)).unwrap();
    std::fs::remove_file(path(2)).unwrap();
    let missing = refusal(parts.path());
    assert!(
        missing.contains("2 of the model's 3 parts: m-00002-of-00003.gguf is missing"),
        "{missing}"
    );
    std::fs::copy(path(3), path(2)).unwrap();
    let swapped = refusal(parts.path());
    assert!(
        swapped.contains("is part 3 of the model by what it says itself, but part 2"),
        "{swapped}"
    );
    std::fs::write(path(2), kept).unwrap();
    assert!(Model::load(parts.path()).is_ok());
}

#[test]
fn one_part_under_another_name_is_not_taken_for_the_model() {
    let (_, parts) = models();
    let alone = tempfile::tempdir().unwrap();
    let first = parts.path().join("m-00001-of-00003.gguf");
    std::fs::copy(first, alone.path().join("model.gguf")).unwrap();
    let told = refusal(alone.path());
    assert!(told.contains("says that the model has 3 parts, but 1 are there"), "{told}");
}
