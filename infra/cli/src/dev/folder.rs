//! The data folder: made for its owner, used by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Held while this process uses a folder; the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Held {
    _file: File,
}

/// Makes the folder where it is missing, and keeps others out.
pub(crate) fn hold(folder: &Path) -> anyhow::Result<Held> {
    let name = folder.display();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("cannot make the data folder {name}"))?;
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot write to the data folder {name}"))?;
    match file.try_lock() {
        Ok(()) => Ok(Held { _file: file }),
        Err(TryLockError::WouldBlock) => {
            bail!("another dunlin is using the data folder {name}: stop it, or choose another folder with --data")
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock the data folder {name}")),
    }
}

/// Whether a process uses a folder. Changes nothing but for the blink of an eye.
pub(crate) fn is_held(folder: &Path) -> anyhow::Result<bool> {
    let path = folder.join("lock");
    let unread = || format!("cannot read {}", path.display());
    match File::open(&path) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error).with_context(unread),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(unread),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::Scratch;

    #[test]
    fn a_second_process_on_the_same_folder_is_refused_until_the_first_ends() {
        let scratch = Scratch::new("hold");
        let folder = scratch.path().join("data");
        let first = hold(&folder).expect("held");
        let error = hold(&folder).expect_err("refused").to_string();
        assert!(error.contains("another dunlin is using the data folder") && error.contains("--data"), "{error}");
        drop(first);
        assert!(hold(&folder).is_ok());
    }
}
