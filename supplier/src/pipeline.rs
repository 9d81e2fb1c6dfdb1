//! A model over several boxes, as its head is told of it.

use crate::link::{KeyError, Keys, LinkKey, PeerKey, SecureError};
use crate::stage::{curve, ends};
use engine::{LoadError, Model, Outline, Part, Residual};
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// How the head of a model over several boxes works.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The file of the head's own key; made when there is none.
    pub key: PathBuf,
    /// The first layers, which the head runs itself; absent: those before the first stage's, or a
    /// share by speed and memory.
    pub layers: Option<usize>,
    /// How numbers between layers are kept: f32, or bf16 for half the bytes.
    pub residual: Form,
    /// Whether the head may run the whole model when no stage is there.
    pub alone: bool,
    /// Milliseconds between two pings.
    pub ping_ms: u64,
    /// A stage that says nothing for so many milliseconds is replaced.
    pub silence_ms: u64,
    /// When no stage has passed a step on for so many milliseconds, and one is under way, who holds it
    /// is replaced.
    pub step_ms: u64,
    /// Seconds that stages may take to load their layers.
    pub load_s: u64,
    /// How many milliseconds the head waits at its start for stages that are not there.
    pub gather_ms: u64,
    /// Seconds that answers wait for a stage when layers have no place. Then they fail.
    pub recover_s: u64,
    /// Groups of answers on their way at once; 0: what is best for times as they are measured.
    pub groups: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            key: PathBuf::from("link.key"),
            layers: None,
            residual: Form::F32,
            alone: false,
            ping_ms: 300,
            silence_ms: 2_000,
            step_ms: 20_000,
            load_s: 300,
            gather_ms: 3_000,
            recover_s: 20,
            groups: 0,
        }
    }
}

/// How numbers between layers are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    #[default]
    F32,
    Bf16,
}

impl From<Form> for Residual {
    fn from(form: Form) -> Residual {
        match form {
            Form::F32 => Residual::F32,
            Form::Bf16 => Residual::Bf16,
        }
    }
}

/// A box that runs layers for the head.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageAt {
    /// Where it listens.
    pub address: String,
    /// Its public key, as `lode supplier key` prints it there.
    pub key: String,
    /// The layers that it runs, as 4..8; absent: a share. A second box with the same layers stands by.
    pub layers: Option<Layers>,
}

/// Some layers, written as 4..8: from the fifth to the eighth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Layers(pub Range<usize>);

/// Why a text names no layers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no layers: write them as 4..8, from the fifth to the eighth")]
pub struct LayersError(String);

impl FromStr for Layers {
    type Err = LayersError;

    fn from_str(text: &str) -> Result<Layers, LayersError> {
        let wrong = || LayersError(text.to_owned());
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| wrong());
        let layers = number(from)?..number(to)?;
        if layers.is_empty() { Err(wrong()) } else { Ok(Layers(layers)) }
    }
}

impl TryFrom<String> for Layers {
    type Error = LayersError;

    fn try_from(text: String) -> Result<Layers, LayersError> {
        text.parse()
    }
}

/// The boxes of a model, and what the head knows before it calls them.
pub struct Pipeline {
    pub(crate) settings: Settings,
    pub(crate) stages: Vec<(PeerKey, String, Option<Range<usize>>)>,
    pub(crate) folder: PathBuf,
    pub(crate) outline: Outline,
    pub(crate) keys: Keys,
    /// Microseconds that one layer takes at the head for so many rows.
    pub(crate) curve: Vec<(u32, u32)>,
    /// Microseconds of embedding, head and choosing for so many rows.
    pub(crate) ends: Vec<(u32, u32)>,
    /// Layers that the head's memory holds.
    pub(crate) most: usize,
}

/// Why a model cannot be run over several boxes.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Secure(#[from] SecureError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the stage {address} is to run layers {from}..{to}, but the model has {layers}")]
    Layers { address: String, from: usize, to: usize, layers: usize },
    #[error("the key {0} is named for two stages: each has its own")]
    Twice(PeerKey),
}

impl Pipeline {
    /// Reads what the model in `folder` is, and measures how fast its layers run here. `memory`:
    /// bytes that the head may use for weights.
    pub fn new(
        settings: Settings,
        stages: &[StageAt],
        folder: &Path,
        memory: u64,
    ) -> Result<Pipeline, PipelineError> {
        let outline = Outline::read(folder)?;
        let layers = outline.layers;
        let mut known = Vec::new();
        for StageAt { address, key, layers: wish } in stages {
            let key: PeerKey = key.parse()?;
            if known.iter().any(|(other, _, _)| *other == key) {
                return Err(PipelineError::Twice(key));
            }
            let wish = wish.as_ref().map(|wish| wish.0.clone());
            if let Some(Range { start: from, end: to }) = wish.clone().filter(|w| w.end > layers) {
                return Err(PipelineError::Layers { address: address.clone(), from, to, layers });
            }
            known.push((key, address.clone(), wish));
        }
        let keys = Keys::new(&LinkKey::open(&settings.key)?)?;
        let left = (memory as usize).saturating_sub(outline.ends_bytes);
        let most = (left / outline.layer_bytes.max(1)).min(layers);
        let (curve, ends) = (curve(folder, memory)?, ends(folder)?);
        let folder = folder.to_owned();
        Ok(Pipeline { settings, stages: known, folder, outline, keys, curve, ends, most })
    }

    /// The head's part of the model before anything is planned: both ends, no layer.
    pub fn ends(&self) -> Result<Model, LoadError> {
        Model::load_part(&self.folder, &Part::head(0, self.settings.residual.into()))
    }
}

/// What a layer takes for so many rows, between and beyond the points of a measured curve.
pub(crate) fn cost(curve: &[(u32, u32)], rows: f64) -> f64 {
    let point = |(rows, micros): &(u32, u32)| (f64::from(*rows), f64::from(*micros));
    let after = curve.iter().position(|(at, _)| f64::from(*at) >= rows);
    match (curve, after) {
        ([], _) => 1.0,
        (_, Some(0)) | ([_], _) => point(&curve[0]).1,
        (_, after) => {
            let after = after.unwrap_or(curve.len() - 1);
            let ((x0, y0), (x1, y1)) = (point(&curve[after - 1]), point(&curve[after]));
            // A curve that falls was measured while others worked: it is taken as level.
            y0 + (y1 - y0).max(0.0) * (rows - x0) / (x1 - x0).max(1.0)
        }
    }
}

/// What a model's two ends take for so many rows, where they are.
pub(crate) fn ends_cost(ends: &[(u32, u32)], rows: f64) -> f64 {
    if ends.is_empty() { 0.0 } else { cost(ends, rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_written_as_a_range() {
        assert_eq!("4..8".parse(), Ok(Layers(4..8)));
        for text in ["", "4", "8..4", "4..4", "a..b", "4..=8"] {
            assert!(text.parse::<Layers>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_curve_is_read_between_its_points_and_beyond() {
        let curve = [(1, 100), (4, 160), (8, 240)];
        let costs = [0.5, 1.0, 2.5, 4.0, 8.0, 12.0].map(|rows| cost(&curve, rows));
        assert_eq!(costs, [100.0, 100.0, 130.0, 160.0, 240.0, 320.0]);
    }
}
