//! `lode init auditor`: the configuration, and the instruments that it offers.

use super::{Folder, write_new};
use crate::{demo, print};
use anyhow::Context;
use serde_json::json;

pub(super) fn run(folder: &Folder) -> anyhow::Result<()> {
    let written = folder.home.join("auditor.toml");
    write_new(&written, ::auditor::TEMPLATE)?;
    let models = folder.home.join("models");
    let (cross, judge) = (models.join(demo::CROSS), models.join(demo::JUDGE));
    let failed = || format!("the instruments cannot be written into {}", models.display());
    demo::write_cross(&cross).with_context(failed)?;
    demo::write_judge(&judge).with_context(failed)?;
    let answer = json!({"written": written, "cross_encoder": cross, "judge": judge});
    print::answer(&answer, folder.json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::auditor::Config;
    use ::auditor::config::JudgeAt;

    #[test]
    fn what_the_template_offers_is_there() {
        let home = tempfile::tempdir().unwrap();
        run(&Folder { home: home.path().to_owned(), json: true }).unwrap();
        let text = std::fs::read_to_string(home.path().join("auditor.toml")).unwrap();
        let text = text.replace("# cross_encoder", "cross_encoder");
        let text = text.replace("# judge = { folder", "judge = { folder");
        let Config { quality, .. } = daemon::config::parse(&text).unwrap();
        let Some(JudgeAt::Folder(judge)) = &quality.judge else { panic!("{quality:?}") };
        let cross = quality.cross_encoder.as_ref().unwrap();
        ::auditor::desk::Desk::new(
            Default::default(),
            &::auditor::config::Quality {
                cross_encoder: Some(home.path().join(cross)),
                judge: Some(JudgeAt::Folder(home.path().join(judge))),
                ..quality.clone()
            },
        )
        .unwrap();
    }
}
