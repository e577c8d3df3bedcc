//! Writing a workflow aside and putting it in place as a whole.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::Draft;
use crate::workflow::{Error, WorkflowType};

/// Who may read a new workflow: everybody whom the umask lets.
const MODE: u32 = 0o777;

/// Writes `drafts` as the workflow `name`, durably.
///
/// A reader sees the whole workflow or none. A process that dies leaves at most a directory whose
/// name begins with a dot, which nobody reads.
///
/// # Errors
///
/// [`Error::WorkflowExists`] if there is something of that name; [`Error::ReadOnly`] if the
/// content cannot be written.
pub(super) fn publish(content: &Path, name: &WorkflowType, drafts: &[Draft]) -> Result<(), Error> {
    let workflows = content.join("workflows");
    let target = workflows.join(name.as_str());
    if target.symlink_metadata().is_ok() {
        return Err(Error::WorkflowExists(name.clone()));
    }
    write(&workflows, &target, drafts).map_err(|source| failed(source, content, name))
}

/// Says why a workflow was not written.
fn failed(source: io::Error, content: &Path, name: &WorkflowType) -> Error {
    match source.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
            Error::WorkflowExists(name.clone())
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Error::ReadOnly(content.to_owned())
        }
        _ => Error::File {
            action: "write",
            path: content.join("workflows").join(name.as_str()),
            source,
        },
    }
}

fn write(workflows: &Path, target: &Path, drafts: &[Draft]) -> io::Result<()> {
    fs::create_dir_all(workflows)?;
    let mut aside = tempfile::Builder::new();
    aside
        .prefix(".new-")
        .permissions(Permissions::from_mode(MODE));
    let aside = aside.tempdir_in(workflows)?;
    let mut directories = vec![aside.path().to_owned()];
    for draft in drafts {
        let path = aside.path().join(&draft.path);
        for parent in draft.path.ancestors().skip(1) {
            let parent = aside.path().join(parent);
            if !directories.contains(&parent) {
                fs::create_dir_all(&parent)?;
                directories.push(parent);
            }
        }
        let mut file = File::create_new(path)?;
        file.write_all(draft.text.as_bytes())?;
        file.sync_all()?;
    }
    for directory in &directories {
        File::open(directory)?.sync_all()?;
    }
    put(aside.path(), target)?;
    // Where it was, there is nothing to be removed.
    let _: PathBuf = aside.keep();
    File::open(workflows)?.sync_all()
}

/// Renames a directory, unless there is something of that name.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot promise it. There a directory with files is not replaced.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_cannot_be_written_is_said_to_be_read_only() {
        let name = WorkflowType::try_from("w").unwrap();
        for errno in [Errno::ROFS, Errno::ACCESS, Errno::PERM] {
            let error = failed(errno.into(), Path::new("content"), &name);

            assert!(matches!(error, Error::ReadOnly(_)), "{errno}: {error}");
        }
    }

    #[test]
    fn a_write_that_fails_leaves_nothing() {
        let content = tempfile::tempdir().unwrap();
        let name = WorkflowType::try_from("w").unwrap();
        let twice = [("a", "1"), ("a", "2")];
        let drafts = twice.map(|(path, text)| Draft::new(path, text.to_owned()));

        publish(content.path(), &name, &drafts).unwrap_err();

        let left = fs::read_dir(content.path().join("workflows")).unwrap();
        assert_eq!(left.count(), 0);
    }
}
