//! The files of the repository, read once.

use std::path::Path;

use anyhow::Context as _;

use super::rust_source::RustSource;

/// Folders that are made, not written.
const MADE: [&str; 4] = ["target", "node_modules", "flowmaster-data", "dist"];
/// Hidden folders that belong to the product.
const HIDDEN: [&str; 4] = [".cargo", ".ci", ".config", ".github"];

/// A text file.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// What it is as Rust, when it is.
    pub(super) rust: Option<RustSource>,
    /// Is it compiled for tests only?
    pub(super) only_tests: bool,
}

/// All text files of the repository.
pub(crate) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// Reads the repository at `root`. Files that are not text are left out.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        Ok(Self::new(files))
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let owned = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self::new(owned.collect())
    }

    fn new(files: Vec<(String, String)>) -> Self {
        let mut files: Vec<_> = files
            .into_iter()
            .map(|(path, text)| {
                let rust = path.ends_with(".rs").then(|| RustSource::parse(&text));
                File { path, text, rust, only_tests: false }
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        mark_tests(&mut files);
        Self { files }
    }

    /// The file at `path`.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Is there a file or folder at `path`?
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// Every Rust file.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &RustSource)> {
        self.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    /// Every package: its folder and its manifest. Manifests that cannot be read are left to cargo.
    pub(super) fn packages(&self) -> impl Iterator<Item = (&str, toml::Table)> {
        self.files.iter().filter_map(|file| {
            let folder = file.path.strip_suffix("/Cargo.toml")?;
            Some((folder, file.text.parse().ok()?))
        })
    }

    /// The short names of the crates: `store` for `flowmaster-store`.
    pub(crate) fn crates(&self) -> Vec<String> {
        self.packages().filter_map(|(_, it)| Some(short_name(&it)?.to_owned())).collect()
    }
}

/// `store` for the package `flowmaster-store`.
pub(super) fn short_name(manifest: &toml::Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()?.strip_prefix("flowmaster-")
}

fn read_folder(root: &Path, folder: &str, files: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let place = root.join(folder);
    let cannot_read = || format!("cannot read {}", place.display());
    for entry in std::fs::read_dir(&place).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().with_context(cannot_read)?;
        if kind.is_dir() {
            let hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
            if !hidden && !MADE.contains(&name.as_str()) {
                read_folder(root, &path, files)?;
            }
        } else if kind.is_file() && name != ".git" {
            let bytes =
                std::fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push((path, text));
            }
        }
    }
    Ok(())
}

/// Marks what is compiled for tests only: integration tests, and the modules that are declared
/// under `#[cfg(test)]` with all below them.
fn mark_tests(files: &mut [File]) {
    let mut modules = Vec::new();
    for file in files.iter() {
        let Some(rust) = &file.rust else { continue };
        let folder = module_folder(&file.path);
        modules.extend(rust.test_modules().map(|name| format!("{folder}/{name}")));
    }
    for file in files {
        let stem = file.path.strip_suffix(".rs").unwrap_or(&file.path);
        let is_module = |module: &String| {
            stem.strip_prefix(module.as_str())
                .is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        let integration =
            stem.split_once("/tests/").is_some_and(|(before, _)| !before.contains("/src"));
        file.only_tests =
            integration || stem.starts_with("tests/") || modules.iter().any(is_module);
    }
}

/// The folder of the modules that the file at `path` declares.
fn module_folder(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    match stem.rsplit_once('/') {
        Some((folder, "mod" | "lib" | "main")) => folder,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    fn check(declares: (&str, &str), path: &str, only_tests: bool) {
        let tree = Tree::of(&[declares, (path, "//! Something.")]);
        assert_eq!(tree.file(path).unwrap().only_tests, only_tests, "{path} of {declares:?}");
    }

    #[test]
    fn what_is_compiled_for_tests_only_is_known() {
        let room = ("tools/run/src/links/mod.rs", "mod store;\n#[cfg(test)]\nmod tests;");
        check(room, "tools/run/src/links/tests.rs", true);
        check(room, "tools/run/src/links/tests/cases.rs", true);
        check(room, "tools/run/src/links/tests_of.rs", false);
        check(room, "tools/run/src/links/store.rs", false);
        check(("store/src/lib.rs", "#[cfg(test)]\nmod cases;"), "store/src/cases/bed.rs", true);
        check(("store/src/db.rs", "#[cfg(test)] mod tests;"), "store/src/db/tests.rs", true);
        check(("store/src/lib.rs", ""), "mcp-server/tests/surface/main.rs", true);
        check(("store/src/lib.rs", ""), "tests/src/lib.rs", true);
    }

    #[test]
    fn crates_are_known_by_their_short_names() {
        let tree = Tree::of(&[
            ("tools/run/Cargo.toml", "[package]\nname = \"flowmaster-run\""),
            ("Cargo.toml", "[workspace]"),
        ]);
        assert_eq!(tree.crates(), ["run"]);
    }
}
