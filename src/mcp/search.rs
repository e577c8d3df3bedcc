//! `search_standards`.
