//! How much of a test is run: little in `make test`, more in `make soak`, which sets the environment.

/// Returns the number in the environment variable `name`, or `default`.
pub(crate) fn count(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, got `{text}`")),
        Err(_) => default,
    }
}
