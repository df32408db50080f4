//! Objects, in memory or as files: `<folder>/<bucket>/<key, percent-encoded>`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bytes::Bytes;
use dunlin_aws::Clock;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::{CloudError, lock};
use crate::sqs::hex;

/// What a file name keeps of a key: letters, digits, `-` and `_`. A first dot marks a file in writing.
const IN_A_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) body: Bytes,
    pub(super) etag: String,
    pub(super) modified_at: Timestamp,
}

/// An object as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) size: usize,
    pub(super) etag: String,
    pub(super) modified_at: Timestamp,
}

enum Place {
    Memory(Mutex<BTreeMap<String, BTreeMap<String, Object>>>),
    Folder(PathBuf),
}

/// Where objects are kept.
pub(crate) struct Objects {
    place: Place,
    clock: Clock,
}

impl Objects {
    /// Objects that end with the process.
    pub(crate) fn in_memory(clock: Clock) -> Self {
        Self { place: Place::Memory(Mutex::default()), clock }
    }

    /// Objects as files under a folder.
    pub(crate) fn in_folder(folder: PathBuf, clock: Clock) -> Self {
        Self { place: Place::Folder(folder), clock }
    }

    pub(super) fn create_bucket(&self, bucket: &str) -> Result<(), CloudError> {
        match &self.place {
            Place::Memory(buckets) => drop(lock(buckets).entry(bucket.to_owned()).or_default()),
            Place::Folder(folder) => fs::create_dir_all(folder.join(name(bucket)))?,
        }
        Ok(())
    }

    pub(super) fn has_bucket(&self, bucket: &str) -> Result<bool, CloudError> {
        match &self.place {
            Place::Memory(buckets) => Ok(lock(buckets).contains_key(bucket)),
            Place::Folder(folder) => Ok(!bucket.is_empty() && folder.join(name(bucket)).is_dir()),
        }
    }

    /// Stores an object whole or not at all, safe on the disk; returns its entity tag.
    pub(super) fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<String, CloudError> {
        let etag = hex(&Md5::digest(&body));
        match &self.place {
            Place::Memory(buckets) => {
                let object = Object { body, etag: etag.clone(), modified_at: self.clock.now() };
                lock(buckets).entry(bucket.to_owned()).or_default().insert(key.to_owned(), object);
            }
            Place::Folder(folder) => write(&folder.join(name(bucket)), &name(key), &body)?,
        }
        Ok(etag)
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Result<Option<Object>, CloudError> {
        match &self.place {
            Place::Memory(buckets) => Ok(lock(buckets).get(bucket).and_then(|objects| objects.get(key).cloned())),
            Place::Folder(folder) => read(&folder.join(name(bucket)).join(name(key))),
        }
    }

    pub(super) fn delete(&self, bucket: &str, key: &str) -> Result<(), CloudError> {
        match &self.place {
            Place::Memory(buckets) => {
                lock(buckets).get_mut(bucket).map(|objects| objects.remove(key));
                Ok(())
            }
            Place::Folder(folder) => match fs::remove_file(folder.join(name(bucket)).join(name(key))) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            },
        }
    }

    /// Objects whose key begins with `prefix` and comes after `after`, in order, `max` at most.
    pub(super) fn list(&self, bucket: &str, prefix: &str, after: &str, max: usize) -> Result<Vec<Listed>, CloudError> {
        let fits = |key: &str| key.starts_with(prefix) && key > after;
        match &self.place {
            Place::Memory(buckets) => {
                let buckets = lock(buckets);
                let objects = buckets.get(bucket).into_iter().flatten();
                Ok(objects.filter(|(key, _)| fits(key)).take(max).map(|(key, object)| listed(key, object)).collect())
            }
            Place::Folder(folder) => {
                let folder = folder.join(name(bucket));
                let mut keys = Vec::new();
                for entry in fs::read_dir(&folder)? {
                    let encoded = entry?.file_name().to_string_lossy().into_owned();
                    if !encoded.starts_with('.') {
                        keys.push(percent_decode_str(&encoded).decode_utf8_lossy().into_owned());
                    }
                }
                keys.retain(|key| fits(key));
                keys.sort_unstable();
                let mut found = Vec::new();
                for key in keys.iter().take(max) {
                    found.extend(read(&folder.join(name(key)))?.map(|object| listed(key, &object)));
                }
                Ok(found)
            }
        }
    }
}

fn listed(key: &str, object: &Object) -> Listed {
    Listed { key: key.to_owned(), size: object.body.len(), etag: object.etag.clone(), modified_at: object.modified_at }
}

fn name(key: &str) -> String {
    utf8_percent_encode(key, IN_A_NAME).to_string()
}

/// Writes beside, syncs, renames, syncs the folder: a reader sees the old object or the new one.
fn write(folder: &Path, name: &str, body: &[u8]) -> Result<(), CloudError> {
    let beside = folder.join(format!(".{name}"));
    let mut file = File::create(&beside)?;
    file.write_all(body)?;
    file.sync_all()?;
    fs::rename(&beside, folder.join(name))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn read(path: &Path) -> Result<Option<Object>, CloudError> {
    let body = match fs::read(path) {
        Ok(body) => Bytes::from(body),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let modified = fs::metadata(path)?.modified()?;
    let modified_at = Timestamp::try_from(modified).unwrap_or_default();
    Ok(Some(Object { etag: hex(&Md5::digest(&body)), body, modified_at }))
}
