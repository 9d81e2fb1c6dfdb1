//! relayminer
