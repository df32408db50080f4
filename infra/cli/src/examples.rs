//! The example campaigns: built in, so that the binary works anywhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dunlin_core::campaign::{self, Folder};
use dunlin_local::folder;

/// The folder that is looked for where dunlin is started.
const FOLDER: &str = "examples";

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../examples/", $name)))),+]
    };
}

/// Every file that the examples need, by its path in the folder.
const FILES: [(&str, &str); 20] = embedded![
    "partials/footer.liquid",
    "partials/header.liquid",
    "abandoned-cart.yaml",
    "birthday.yaml",
    "onboarding.yaml",
    "pricing.html",
    "pricing.txt",
    "pricing.yaml",
    "renewal.yaml",
    "receipt.html",
    "receipt.txt",
    "receipt.yaml",
    "trial.yaml",
    "welcome-1.html",
    "welcome-1.txt",
    "welcome-2.html",
    "welcome-2.txt",
    "welcome-3.html",
    "welcome-3.txt",
    "welcome.yaml",
];

/// The built-in examples.
pub(crate) fn built_in() -> Folder {
    let files: BTreeMap<String, String> =
        FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    campaign::folder(&files)
}

/// The campaigns to publish at the start, and where they are from: the folder asked for, else `examples` here, else the
/// built-in ones.
pub(crate) fn find(asked: Option<&Path>) -> anyhow::Result<(Folder, String)> {
    let here = PathBuf::from(FOLDER);
    match asked.map(Path::to_owned).or_else(|| is_campaigns(&here).then_some(here)) {
        Some(path) => Ok((folder::read(&path)?, path.display().to_string())),
        None => Ok((built_in(), "built in".to_owned())),
    }
}

/// Whether a folder holds campaigns, rather than somebody else's examples.
fn is_campaigns(path: &Path) -> bool {
    path.join("welcome.yaml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_examples_are_those_of_the_folder() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let on_disk = folder::read(&path).expect("a folder");
        let built_in = built_in();
        assert!(built_in.is_publishable(), "{:?}", built_in.problems);
        assert_eq!(built_in.campaigns, on_disk.campaigns);
    }
}
