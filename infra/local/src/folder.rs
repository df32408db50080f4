//! A folder of campaigns on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dunlin_core::campaign::{Campaign, Folder, Problem, checked, folder};
use dunlin_core::limits::CAMPAIGN_BYTES;

/// Files read from a folder at most: far more than a marketer writes, far fewer than a home directory holds.
const FILES: usize = 2_000;

/// A folder that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file in place of its folder: bodies and partials lie beside a campaign.
    #[error("{0} is a file; give its folder")]
    NoFolder(PathBuf),
    /// More files than a folder of campaigns has.
    #[error("{0} holds more than {FILES} files: is it a folder of campaigns?")]
    TooMany(PathBuf),
}

/// Reads and checks every campaign of a folder, with bodies and partials.
///
/// # Errors
/// When the folder or a file in it cannot be read. What is wrong with a campaign is no error but a problem.
pub fn read(path: &Path) -> Result<Folder, FolderError> {
    if path.is_file() {
        return Err(FolderError::NoFolder(path.to_owned()));
    }
    let mut files = BTreeMap::new();
    collect(path, path, &mut files)?;
    Ok(folder(&files))
}

/// Reads and checks one campaign's file, with the bodies and partials beside it; no campaign where it does not parse.
///
/// # Errors
/// When the file, or its folder, cannot be read.
pub fn one(path: &Path) -> Result<(Option<Campaign>, Vec<Problem>), FolderError> {
    let mut files = BTreeMap::new();
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    collect(beside, beside, &mut files)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(text) = files.get(&name) else {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such text file");
        return Err(FolderError::Unreadable { path: path.to_owned(), source });
    };
    Ok(checked(&name, text, &files))
}

/// Reads the texts below a folder; what is too large or no text cannot be part of a campaign.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> Result<(), FolderError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Unreadable { path, source }
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let size = std::fs::metadata(&path).map_err(unreadable(&path))?.len();
        if usize::try_from(size).is_ok_and(|size| size > CAMPAIGN_BYTES) {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(unreadable(&path))?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if let Ok(text) = String::from_utf8(bytes) {
            files.insert(name, text);
        }
        if files.len() > FILES {
            return Err(FolderError::TooMany(root.to_owned()));
        }
    }
    Ok(())
}
