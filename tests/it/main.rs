//! Integration tests: one binary, so that one link serves them all.
#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
