//! The priority of threads that do upkeep.

/// Makes the calling thread give way to others where there are more threads than cores: it then gets a tenth of one, and
/// a search on that core goes on nearly as fast as before. On Linux alone; elsewhere priorities are of processes, or not
/// to be had again once given up.
pub(crate) fn give_way() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        /// On a scale to 19, of which each step is worth about a quarter.
        const NICE: i32 = 10;
        // There, "this process" is this thread. Where it may not, it goes on as it is.
        _ = rustix::process::setpriority_process(None, NICE);
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use rustix::process::getpriority_process;

    use super::give_way;

    #[test]
    fn a_thread_that_gives_way_leaves_others_alone() {
        let before = getpriority_process(None).unwrap();
        let within = std::thread::spawn(|| {
            give_way();
            getpriority_process(None).unwrap()
        });
        assert_eq!(within.join().unwrap(), before.max(10));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
