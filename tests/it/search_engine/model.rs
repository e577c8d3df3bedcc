//! The real model over real standards.
