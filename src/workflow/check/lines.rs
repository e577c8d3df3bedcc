//! Where the entries of a JSON text are: `serde_json` does not say.

use std::collections::HashMap;

/// The line of every member and element, by JSON pointer (RFC 6901).
#[derive(Debug)]
pub(super) struct Lines {
    by_pointer: HashMap<String, u64>,
}

impl Lines {
    /// Scans a text that was parsed before, so is well-formed and not too deep.
    pub(super) fn of(text: &str) -> Self {
        let mut scan = Scan {
            text,
            at: 0,
            line: 1,
            found: HashMap::new(),
        };
        scan.value(&mut String::new());
        Self {
            by_pointer: scan.found,
        }
    }

    /// Returns the line of the entry at `pointer`, counted from 1; the first if there is none.
    pub(super) fn line(&self, pointer: &str) -> u64 {
        self.by_pointer.get(pointer).copied().unwrap_or(1)
    }
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    found: HashMap<String, u64>,
}

impl<'a> Scan<'a> {
    fn value(&mut self, pointer: &mut String) {
        match self.next() {
            Some(b'{') => self.object(pointer),
            Some(b'[') => self.array(pointer),
            Some(b'"') => {
                self.string();
            }
            _ => {
                let ends = |byte: u8| byte.is_ascii_whitespace() || b",]}".contains(&byte);
                self.at += 1; // Whatever it is, it is passed.
                while self.byte().is_some_and(|byte| !ends(byte)) {
                    self.at += 1;
                }
            }
        }
    }

    fn object(&mut self, pointer: &mut String) {
        self.at += 1;
        while let Some(byte) = self.next() {
            match byte {
                b'"' => {
                    let line = self.line;
                    let key = self.string().replace('~', "~0").replace('/', "~1");
                    self.next(); // The colon.
                    self.at += 1;
                    self.entry(pointer, &key, line);
                }
                b'}' => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    fn array(&mut self, pointer: &mut String) {
        self.at += 1;
        let mut index = 0_usize;
        while let Some(byte) = self.next() {
            match byte {
                b']' => {
                    self.at += 1;
                    return;
                }
                b',' => self.at += 1,
                _ => {
                    let line = self.line;
                    self.entry(pointer, &index.to_string(), line);
                    index += 1;
                }
            }
        }
    }

    fn entry(&mut self, pointer: &mut String, key: &str, line: u64) {
        let parent = pointer.len();
        pointer.push('/');
        pointer.push_str(key);
        self.found.insert(pointer.clone(), line);
        self.value(pointer);
        pointer.truncate(parent);
    }

    /// Passes over a string, escapes and all, and returns what it says.
    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.byte() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).unwrap_or_default()
    }

    /// Passes over white space and returns the byte after it.
    fn next(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
            self.line += u64::from(byte == b'\n');
            self.at += 1;
        }
        None
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_on_its_line() {
        let text = "{\n \"a\": [1,\n  {\"b\\\"]\": \"x\\\\\"},\n  true\n ],\r\n \"c/d\":\n 5,\n\"e\": {}, \"f\": []}";
        let lines = Lines::of(text);

        let cases = [
            ("/a", 2),
            ("/a/0", 2),
            ("/a/1", 3),
            ("/a/1/b\"]", 3),
            ("/a/2", 4),
            ("/c~1d", 6),
            ("/e", 8),
            ("/f", 8),
            ("/nowhere", 1),
        ];
        for (pointer, line) in cases {
            assert_eq!(lines.line(pointer), line, "{pointer}");
        }
    }

    #[test]
    fn no_text_makes_the_scan_fail() {
        for text in [
            "", "{", "[1", "\"", "{\"a", "{\"a\"", "{\"a\":", "\"\\", "{]", "[}",
        ] {
            Lines::of(text);
        }
    }
}
