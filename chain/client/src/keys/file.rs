//! Files that hold secrets: for their owner only, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a key file at most: ours have a few hundred.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Makes `folder` for its owner only; one that is there stays as it is.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes `bytes` to `path`, where nothing may be yet ([`io::ErrorKind::AlreadyExists`]). When this
/// returns, the file is on disk; when it does not, there is no file or an empty one.
pub(super) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The empty file takes the name: of two that create at once, one is refused.
    drop(owner_only(path)?);
    let written = write_beside(path, bytes);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Removes `path` for good.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_folder_of(path)
}

/// The bytes of `path`.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let reason = format!("it is longer than {FILE_BYTES_MAX} bytes, which no key file is");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(bytes)
}

/// Who besides the owner may read or write `path`: the bits of its mode, zero if nobody.
pub(super) fn open_to_others(path: &Path) -> io::Result<u32> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions());
        Ok(mode & 0o077)
    }
    #[cfg(not(unix))]
    fs::metadata(path).map(|_| 0)
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    // Whoever left it there is gone: the name holds this process's id, and `path` is ours.
    let _ = fs::remove_file(&beside);
    let written = owner_only(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.and_then(|()| sync_folder_of(path))
}

fn owner_only(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

// A name is on disk when its folder is.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    let _ = path;
    Ok(())
}
