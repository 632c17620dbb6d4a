//! How much memory the machine has.

/// Returns the bytes of memory that the process may use: the limit of its control group if it has one, or else the
/// machine's. `None` where there is no way to ask without unsafe code (not Linux).
pub(crate) fn physical_memory_bytes() -> Option<u64> {
    let machine = read("/proc/meminfo").and_then(|text| total_of(&text));
    // Version 2, then version 1, which says "no limit" by a number near 2^63.
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = limits.iter().find_map(|path| read(path)?.trim().parse::<u64>().ok());
    machine.map(|machine| limit.map_or(machine, |limit| limit.min(machine)))
}

#[expect(clippy::disallowed_methods, reason = "this is the module that touches files")]
fn read(path: &str) -> Option<String> {
    if cfg!(any(target_os = "linux", target_os = "android")) {
        std::fs::read_to_string(path).ok()
    } else {
        None
    }
}

/// Returns the total of a `/proc/meminfo`, in bytes.
fn total_of(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_in_bytes() {
        let text = "MemTotal:       16384000 kB\nMemFree:          123 kB\n";
        assert_eq!(total_of(text), Some(16_384_000 * 1024));
        for text in ["", "MemTotal: x kB", "MemTotal: 12", "MemFree: 1 kB"] {
            assert_eq!(total_of(text), None, "{text}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_has_memory() {
        assert!(physical_memory_bytes().is_some_and(|bytes| bytes > 64 << 20));
    }
}
