//! A supplier's configuration.

use serde::Deserialize;
use std::path::PathBuf;

/// The configuration, with comments.
pub const TEMPLATE: &str = include_str!("config.toml");

/// What a supplier is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where clients connect.
    pub listen: String,
    /// Where the owner asks for the status, drains and reloads; nowhere if none.
    #[serde(default)]
    pub admin: Option<String>,
    /// The admin address of the relay miner beside it, to show what was earned.
    #[serde(default)]
    pub miner: Option<String>,
    /// The folder of the model: a GGUF file, or safetensors with config.json; and tokenizer.json and
    /// tokenizer_config.json where the GGUF file has no tokenizer of its own.
    pub model: PathBuf,
    /// The name under which the model is served.
    pub name: String,
    /// Cores that compute; 0: all but one.
    #[serde(default)]
    pub threads: usize,
    /// Where the model is computed: the processor, or an NVIDIA GPU.
    #[serde(default)]
    pub device: engine::Device,
    #[serde(default)]
    pub limits: Limits,
    /// How a model over several boxes is run.
    #[serde(default)]
    pub pipeline: crate::pipeline::Settings,
    /// Boxes that run layers of the model; none: all of it runs here.
    #[serde(default)]
    pub stages: Vec<crate::pipeline::StageAt>,
    #[serde(default)]
    pub backend: Backend,
}

/// What runs the model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Backend {
    /// The engine of this program.
    #[default]
    Engine,
    /// A server that speaks OpenAI's API.
    Openai(Server),
    /// vllm-rs, started and watched by the supplier.
    VllmRs(Program),
}

/// A server that speaks OpenAI's API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// What evidence calls it.
    #[serde(skip)]
    pub kind: String,
    /// Its address without `/v1`.
    pub url: String,
    /// Its name for the model; the name under which the model is served, if none.
    pub model: Option<String>,
    /// A file that holds its API key, if it wants one.
    pub api_key_file: Option<PathBuf>,
    /// Most likely tokens that are asked of it for each token, as evidence; 0: none.
    pub logprobs: usize,
    /// Milliseconds until it takes a connection, begins its answer, and between two pieces of it.
    pub connect_ms: u64,
    pub first_token_ms: u64,
    pub idle_ms: u64,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            kind: "openai".to_owned(),
            url: "http://127.0.0.1:8000".to_owned(),
            model: None,
            api_key_file: None,
            logprobs: 5,
            connect_ms: 5_000,
            first_token_ms: 120_000,
            idle_ms: 60_000,
        }
    }
}

/// How vllm-rs is started.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program.
    pub bin: PathBuf,
    /// The folder of its weights; that of `model` if none.
    #[serde(default)]
    pub weights: Option<PathBuf>,
    /// Its name for the model; the name under which the model is served, if none.
    #[serde(default)]
    pub served: Option<String>,
    /// The GPUs, by number.
    #[serde(default)]
    pub devices: Vec<u32>,
    /// Quantises weights as they are loaded, such as `q4k`.
    #[serde(default)]
    pub isq: Option<String>,
    /// Sequences side by side at most.
    #[serde(default)]
    pub max_num_seqs: Option<usize>,
    /// Part of the free GPU memory that keys and values may take.
    #[serde(default)]
    pub kv_fraction: Option<f32>,
    /// Where it listens; 0: a free port. It listens on every interface: keep a firewall before it.
    #[serde(default)]
    pub port: u16,
    /// More arguments, as they are.
    #[serde(default)]
    pub args: Vec<String>,
    /// Seconds that it may take to start.
    #[serde(default = "start_s")]
    pub start_s: u64,
}

fn start_s() -> u64 {
    600
}

impl Backend {
    /// vllm-rs as it is found on the path, with what it does when nothing is said.
    pub fn vllm_rs() -> Backend {
        Backend::VllmRs(Program {
            bin: PathBuf::from("vllm-rs"),
            weights: None,
            served: None,
            devices: Vec::new(),
            isq: None,
            max_num_seqs: None,
            kv_fraction: None,
            port: 0,
            args: Vec::new(),
            start_s: start_s(),
        })
    }
}

impl Program {
    /// Its arguments when it listens at `port`.
    pub fn arguments(&self, port: u16) -> Vec<String> {
        let mut all = vec!["--server".to_owned(), "--port".to_owned(), port.to_string()];
        let mut say = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                all.extend([name.to_owned(), value]);
            }
        };
        say("--w", self.weights.as_ref().map(|path| path.display().to_string()));
        let devices: Vec<String> = self.devices.iter().map(u32::to_string).collect();
        say("--d", (!devices.is_empty()).then(|| devices.join(",")));
        say("--isq", self.isq.clone());
        say("--max-num-seqs", self.max_num_seqs.map(|count| count.to_string()));
        say("--kv-fraction", self.kv_fraction.map(|part| part.to_string()));
        all.extend(self.args.iter().cloned());
        all
    }
}

/// What one supplier takes on at most.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Answers that are made side by side.
    pub sequences: usize,
    /// Answers that wait for their turn.
    pub queue: usize,
    /// Tokens that are guessed ahead for an answer at most; 0: none. They change no answer.
    pub speculation: usize,
    /// Memory for keys and values of all answers, in MiB.
    pub cache_mib: usize,
    /// Bytes of a request.
    pub request_bytes: usize,
    /// Seconds that one answer may take, from when it is asked for.
    pub answer_s: u64,
    /// Seconds that answers may take after the wish to stop.
    pub drain_s: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            sequences: 16,
            queue: 128,
            speculation: 4,
            cache_mib: 2048,
            request_bytes: 1 << 20,
            answer_s: 600,
            drain_s: 10,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_configuration() {
        let config: Config = daemon::config::parse(TEMPLATE).unwrap();
        assert_eq!(config.limits.sequences, Limits::default().sequences);
        assert!(matches!(config.backend, Backend::Engine));
    }

    #[test]
    fn a_device_is_the_processor_or_a_gpu_by_its_number() {
        let device = |name: &str| {
            let text = TEMPLATE.replace("device = \"cpu\"", &format!("device = \"{name}\""));
            daemon::config::parse::<Config>(&text).map(|config| config.device)
        };
        assert_eq!(device("cpu"), Ok(engine::Device::Cpu));
        assert_eq!(device("cuda:1"), Ok(engine::Device::Cuda(1)));
        let told = device("gpu").unwrap_err();
        assert!(told.contains("there is no device \"gpu\": name cpu, cuda"), "{told}");
    }

    fn backend(text: &str) -> Result<Backend, String> {
        daemon::config::parse::<Config>(&format!("{TEMPLATE}\n[backend]\n{text}"))
            .map(|config| config.backend)
    }

    #[test]
    fn each_kind_of_backend_has_its_own_keys() {
        let openai = backend("kind = \"openai\"\nurl = \"http://10.0.0.2:8000\"").unwrap();
        assert!(matches!(openai, Backend::Openai(Server { logprobs: 5, .. })));
        let text = "kind = \"vllm-rs\"\nbin = \"vllm-rs\"\nweights = \"m\"\ndevices = [0, 1]\nisq = \"q4k\"";
        let Backend::VllmRs(program) = backend(text).unwrap() else { panic!("{text}") };
        let arguments = program.arguments(8001).join(" ");
        assert_eq!(arguments, "--server --port 8001 --w m --d 0,1 --isq q4k");
        assert!(backend("kind = \"openai\"\nulr = \"x\"").unwrap_err().contains("ulr"));
        assert!(backend("kind = \"other\"").is_err());
    }
}
