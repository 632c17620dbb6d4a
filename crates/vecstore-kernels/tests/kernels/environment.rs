//! The environment variable takes effect in a process of its own: it is read once.

use std::process::Command;

use vecstore_kernels::{Kernels, Tier};

const SELF: &str = "environment::variable_lowers_the_tier";
const VARIABLE: &str = "VECSTORE_SIMD";

#[test]
fn variable_lowers_the_tier() {
    if std::env::var(VARIABLE).as_deref() == Ok("scalar") {
        assert_eq!(Tier::detect(), Tier::Scalar);
        assert_eq!(Kernels::detect().tier(), Tier::Scalar);
        return;
    }
    let tests = std::env::current_exe().expect("the test binary has a path");
    let child = Command::new(tests).args(["--exact", SELF]).env(VARIABLE, "scalar").output();
    let output = child.expect("the test binary starts again");
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && log.contains("1 passed"), "{log}");
}
