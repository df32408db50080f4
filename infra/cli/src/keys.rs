//! The keys of the dunlin on this machine: made once, kept in the data folder, for its owner's eyes only.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use dunlin_aws::Chance;
use serde::{Deserialize, Serialize};

/// The file's name in the data folder.
const FILE: &str = "keys.json";

/// The secrets of one installation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keys {
    /// Signs tokens and links: `id:secret`, newest first, with commas between.
    pub(crate) signing_keys: String,
    /// Opens `manage`.
    pub(crate) admin_key: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Keys")
    }
}

impl Keys {
    /// New keys, of 256 random bits each.
    pub(crate) fn generate() -> Self {
        Self { signing_keys: format!("k1:{}", secret()), admin_key: secret() }
    }

    /// The keys of a data folder; none where there are none yet.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let unread = || format!("{} is damaged: restore it, or start with an empty data folder", path.display());
        serde_json::from_str(&text).map(Some).with_context(unread)
    }

    /// The keys of a data folder; made where there are none yet.
    pub(crate) fn read_or_make(folder: &Path) -> anyhow::Result<Self> {
        if let Some(keys) = Self::read(folder)? {
            return Ok(keys);
        }
        let keys = Self::generate();
        keys.write(folder).with_context(|| format!("cannot write keys to {}", folder.display()))?;
        Ok(keys)
    }

    /// Writes the file: tokens that were shown must work after a power loss.
    fn write(&self, folder: &Path) -> anyhow::Result<()> {
        write(folder, FILE, &format!("{}\n", serde_json::to_string_pretty(self)?))?;
        Ok(())
    }
}

/// Writes a file with secrets whole or not at all, readable by its owner only, on the disk when this returns.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let draft = folder.join(format!("{name}.draft"));
    // A draft that an ended process left may have other permissions.
    drop(fs::remove_file(&draft));
    let mut file = private(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// A file that nobody else can read.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// 256 random bits in hexadecimal digits. Each quarter is from a source of its own, because one source is seeded with
/// 64 bits.
fn secret() -> String {
    (0..4).map(|_| format!("{:016x}", Chance::system().next())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::Scratch;

    #[test]
    fn the_first_start_makes_keys_that_only_their_owner_reads() {
        let folder = Scratch::new("keys-first");
        assert_eq!(Keys::read(folder.path()).expect("no error"), None);
        let keys = Keys::read_or_make(folder.path()).expect("keys");
        assert_eq!(keys.admin_key.len(), 64);
        assert_ne!(keys.signing_keys.trim_start_matches("k1:"), keys.admin_key);
        #[cfg(unix)]
        {
            let mode = fs::metadata(folder.path().join(FILE)).expect("a file").permissions();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        }
        assert_eq!(Keys::read_or_make(folder.path()).expect("keys"), keys, "the second start keeps them");
    }

    #[test]
    fn damaged_keys_are_named_and_never_replaced() {
        let folder = Scratch::new("keys-damaged");
        fs::write(folder.path().join(FILE), "{").expect("written");
        let error = Keys::read_or_make(folder.path()).expect_err("refused").to_string();
        assert!(error.contains("keys.json is damaged"), "{error}");
    }
}
