//! Files that are whole or not there at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Replaces the file at `path` in one step; only its owner can read it. After a crash there is the
/// old one or the new one.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let named = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = named.unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

/// The first line of the file at `path`: a secret that stands alone in it.
pub fn first_line(path: &Path) -> io::Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn of_a_secrets_file_only_the_first_line_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        for (text, line) in [("a b\r\nc\n", "a b"), ("a", "a"), ("", "")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(*first_line(&path).unwrap(), line);
        }
        assert!(first_line(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_private_file_is_replaced_whole_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/key");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
