//! The content directory: what its files say at each call, and never left.

mod kept;

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use self::kept::Kept;
use super::{Fault, WorkflowType};
use crate::stamp::Stamp;

/// The largest file of a workflow in bytes. The largest real one has 20 KB; whatever is read here
/// goes to an agent as a whole, and 1 MiB is a quarter of a million tokens.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The longest text in bytes that is kept: most are shorter, and all together have 64 MiB at worst.
const MAX_KEPT_BYTES: usize = 16 * 1024;

/// The most workflows that are listed; a directory with more is not one of workflows.
const MAX_WORKFLOWS: usize = 10_000;

/// The directory that holds `workflows/`.
///
/// Files are asked at each call: an edit counts on the next one. What was read or parsed of a file is
/// kept as long as it is the same file. Reading blocks the thread.
#[derive(Clone, Debug)]
pub(super) struct Content {
    root: PathBuf,
    /// What was parsed.
    parsed: Arc<Kept>,
    /// What was only read.
    texts: Arc<Kept>,
    /// The files that were found below the root.
    confined: Arc<Kept>,
}

impl Content {
    /// Uses `root`, which need not exist yet.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            parsed: Arc::default(),
            texts: Arc::default(),
            confined: Arc::default(),
        }
    }

    /// Returns what `parse` makes of the text of `path`; nothing if there is no such file. One
    /// path is always parsed in the same way.
    ///
    /// # Errors
    ///
    /// As [`Self::read`], and those of `parse`.
    pub(super) fn parsed<T: Send + Sync + 'static>(
        &self,
        path: &Path,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Result<Option<Arc<T>>, Fault> {
        self.kept(&self.parsed, MAX_FILE_BYTES as usize, path, parse)
    }

    /// Reads the text of `path`, which is relative to the root; nothing if there is no such file.
    ///
    /// # Errors
    ///
    /// If the path leads out of the root, by its spelling or by a link; or if what is there is no
    /// readable UTF-8 text of at most [`MAX_FILE_BYTES`].
    pub(super) fn read(&self, path: &Path) -> Result<Option<String>, Fault> {
        let own = |text: &str| Ok(text.to_owned());
        let text = self.kept(&self.texts, MAX_KEPT_BYTES, path, own)?;
        Ok(text.map(Arc::unwrap_or_clone))
    }

    /// Returns what `make` makes of the text of `path`, and keeps it in `kept` if the text has at most
    /// `most_bytes`; nothing if there is no such file.
    fn kept<T: Send + Sync + 'static>(
        &self,
        kept: &Kept,
        most_bytes: usize,
        path: &Path,
        make: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Result<Option<Arc<T>>, Fault> {
        let joined = self.root.join(path);
        if let Some(made) = kept.get(&joined) {
            return Ok(Some(made));
        }
        let began = SystemTime::now();
        let Some((text, stamp)) = self.read_stamped(path)? else {
            return Ok(None);
        };
        let made = Arc::new(make(&text)?);
        if text.len() <= most_bytes {
            kept.put(&joined, stamp, began, &made);
        }
        Ok(Some(made))
    }

    fn read_stamped(&self, path: &Path) -> Result<Option<(String, Stamp)>, Fault> {
        match self.read_confined(path) {
            Ok(read) => Ok(Some(read)),
            Err(Unread::Missing) => Ok(None),
            Err(Unread::Fault(problem)) => Err(Fault::new(path, problem)),
            Err(Unread::Io(error)) => Err(Fault::new(path, format!("cannot be read: {error}"))),
        }
    }

    /// Reads the text of `path` like [`Self::read`]; that there is none is a fault too.
    pub(super) fn read_required(&self, path: &Path) -> Result<String, Fault> {
        self.read(path)?
            .ok_or_else(|| Fault::new(path, "this file does not exist"))
    }

    /// Returns the directory that holds `workflows/`.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Says whether there is a directory of that workflow.
    pub(super) fn has_workflow(&self, workflow: &WorkflowType) -> bool {
        self.is_dir(&workflow_file(workflow, ""))
    }

    /// Says whether `path` is a directory.
    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.root.join(path).is_dir()
    }

    /// Says whether `path` begins with UTF-8's byte order mark, which some editors write.
    pub(super) fn has_byte_order_mark(&self, path: &Path) -> bool {
        let mut first = [0; 3];
        let file = File::open(self.root.join(path));
        let read = file.and_then(|mut file| file.read_exact(&mut first));
        read.is_ok() && first == *b"\xEF\xBB\xBF"
    }

    /// Says whether there is something at `path`.
    pub(super) fn exists(&self, path: &Path) -> bool {
        self.root.join(path).exists()
    }

    /// Lists the names in the directory `path`, sorted.
    pub(super) fn names(&self, path: &Path) -> Result<Vec<String>, Fault> {
        let unlisted = |error: io::Error| Fault::new(path, format!("cannot be listed: {error}"));
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join(path)).map_err(unlisted)? {
            let name = entry.map_err(unlisted)?.file_name();
            names.extend(name.into_string());
        }
        names.sort();
        Ok(names)
    }

    /// Lists the workflows: the directories that hold a `metadata.json`.
    pub(super) fn workflows(&self) -> Result<Vec<WorkflowType>, Fault> {
        let names = self.names(Path::new("workflows"))?;
        let installed = |name: String| {
            let workflow = WorkflowType::try_from(name).ok()?;
            let metadata = workflow_file(&workflow, "metadata.json");
            let present = self.root.join(metadata).symlink_metadata().is_ok();
            present.then_some(workflow)
        };
        Ok(names
            .into_iter()
            .filter_map(installed)
            .take(MAX_WORKFLOWS)
            .collect())
    }

    fn read_confined(&self, path: &Path) -> Result<(String, Stamp), Unread> {
        if !path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
            || path.as_os_str().as_encoded_bytes().contains(&0)
        {
            return Err(Unread::Fault("the path leads out of its directory".into()));
        }
        let joined = self.root.join(path);
        // To follow each part of a path takes longer than to read a file.
        if let Some(stamp) = self.confined.stamp(&joined)
            && let Ok((text, read)) = read_text(&joined)
            && read == stamp
        {
            return Ok((text, read));
        }
        self.read_followed(path, &joined)
    }

    fn read_followed(&self, path: &Path, named: &Path) -> Result<(String, Stamp), Unread> {
        let root = self.root.canonicalize().map_err(Unread::Io)?;
        let joined = root.join(path);
        let file = match joined.canonicalize() {
            Ok(file) => file,
            // A link that leads nowhere is not the same as no file: a gate would be open.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(match joined.symlink_metadata() {
                    Ok(_) => Unread::Fault("this link leads to no file".into()),
                    Err(_) => Unread::Missing,
                });
            }
            Err(error) => return Err(Unread::Io(error)),
        };
        if !file.starts_with(&root) {
            return Err(Unread::Fault("this link leads out of its directory".into()));
        }
        let attributes = file.metadata().map_err(Unread::Io)?;
        if !attributes.is_file() {
            return Err(Unread::Fault("this is not a file".into()));
        }
        let began = SystemTime::now();
        let (text, stamp) = read_text(&file)?;
        self.confined.put(named, stamp, began, &Arc::new(()));
        Ok((text, stamp))
    }
}

/// Names a file of a workflow, relative to the content's root.
pub(super) fn workflow_file(workflow: &WorkflowType, file: &str) -> PathBuf {
    Path::new("workflows").join(workflow.as_str()).join(file)
}

/// Reads at most the bound: the file may grow meanwhile.
fn read_text(file: &Path) -> Result<(String, Stamp), Unread> {
    let open = File::open(file).map_err(Unread::Io)?;
    let attributes = open.metadata().map_err(Unread::Io)?;
    let expected = attributes.len().min(MAX_FILE_BYTES) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    open.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(Unread::Io)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let problem = format!("is larger than {MAX_FILE_BYTES} bytes");
        return Err(Unread::Fault(problem));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Unread::Fault(format!("is not UTF-8 at byte {at}, in line {line}"))
    })?;
    // Editors of one kind begin a file with a byte order mark, which is no part of the text.
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok((text, Stamp::of(&attributes)))
}

/// Why a file was not read.
enum Unread {
    Missing,
    Fault(String),
    Io(io::Error),
}
