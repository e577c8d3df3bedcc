//! A file of secrets that may change while the server runs, as a mounted Kubernetes Secret does.

use std::{
    fs::{self, File},
    io::Read as _,
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

use arc_swap::ArcSwap;
use tracing::{info, warn};

use super::Error;
use crate::{
    observed::Rare,
    stamp::{SETTLED, Stamp},
};

/// The largest file in bytes: a Kubernetes Secret has at most that.
const MAX_BYTES: u64 = 1024 * 1024;

/// Makes something of a file's text, or says what is wrong with it without repeating it.
type Parse<T> = fn(&str) -> Result<T, String>;

/// What was made of a file as it is now, or as it was when it could last be used.
#[derive(Debug)]
pub(super) struct LiveFile<T> {
    path: PathBuf,
    parse: Parse<T>,
    read: ArcSwap<Reading<T>>,
    faults: Rare,
}

#[derive(Debug)]
struct Reading<T> {
    stamp: Stamp,
    /// Whether another file is sure to have another stamp.
    settled: bool,
    value: Arc<T>,
}

impl<T> LiveFile<T> {
    /// Reads the file. Blocks the thread.
    ///
    /// # Errors
    ///
    /// If it cannot be read or understood.
    pub(super) fn open(path: PathBuf, parse: Parse<T>) -> Result<Self, Error> {
        match read(&path, parse) {
            Ok(reading) => Ok(Self {
                path,
                parse,
                read: ArcSwap::from_pointee(reading),
                faults: Rare::default(),
            }),
            Err(problem) => Err(Error::File { path, problem }),
        }
    }

    /// Returns what the file holds. To ask whether it is the same takes a microsecond, less than
    /// another thread would take; only a change is read.
    pub(super) fn value(&self) -> Arc<T> {
        let last = self.read.load();
        let now = fs::metadata(&self.path).map(|now| Stamp::of(&now)).ok();
        if last.settled && now == Some(last.stamp) {
            return Arc::clone(&last.value);
        }
        match read(&self.path, self.parse) {
            Ok(reading) => {
                let value = Arc::clone(&reading.value);
                if reading.stamp != last.stamp {
                    info!(file = %self.path.display(), "read again, as it has changed");
                }
                self.read.store(Arc::new(reading));
                value
            }
            Err(problem) => {
                if let Some(suppressed) = self.faults.occurs() {
                    let file = self.path.display();
                    warn!(
                        name: "lockstep.auth.file_unusable",
                        { %file, problem, suppressed },
                        "what it held before counts until it is mended"
                    );
                }
                Arc::clone(&last.value)
            }
        }
    }
}

fn read<T>(path: &std::path::Path, parse: Parse<T>) -> Result<Reading<T>, String> {
    let began = SystemTime::now();
    let told = |error: std::io::Error| error.to_string();
    let file = File::open(path).map_err(told)?;
    let attributes = file.metadata().map_err(told)?;
    if attributes.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let mut text = String::new();
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(told)?;
    let stamp = Stamp::of(&attributes);
    Ok(Reading {
        stamp,
        settled: stamp.is_settled(began, SETTLED),
        value: Arc::new(parse(&text)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_just_changed_is_not_told_from_its_successor() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "alice").unwrap();

        let reading = read(file.path(), |text| Ok(text.to_owned())).unwrap();

        assert_eq!(*reading.value, "alice");
        assert!(!reading.settled, "the next change may have the same stamp");
    }
}
