//! Text for retrieval. Pure functions of `&str`: no files, no network, nothing kept between calls.
//!
//! [`split`] cuts texts into chunks with exact offsets.

#![forbid(unsafe_code)]

pub mod split;
