//! Trying again.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Flow, Need, Response, Step};
use crate::error::{Error, Result};

/// How often and after how long a call that failed is made again.
///
/// The n-th pause is `first_pause * 2^(n-1)`, at most `longest_pause`, plus up to half as much again, so that many callers do not
/// come back at the same moment. Where the failing side says how long to wait, that is waited instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    retries: usize,
    first_pause: Duration,
    longest_pause: Duration,
    seed: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 2,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            seed: 0,
        }
    }
}

impl RetryPolicy {
    /// Returns the defaults: two more attempts, after 0.5 and 1 seconds and some.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many more attempts a call gets.
    pub fn retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the first pause.
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// Sets the longest pause.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// Sets what the random part of the pauses comes from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    fn pause(&self, attempt: usize) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(31);
        let pause = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        let random = xxh3_64_with_seed(&attempt.to_le_bytes(), self.seed) >> 11;
        pause + pause.mul_f64(random as f64 / (1_u64 << 53) as f64 / 2.0)
    }
}

/// A flow whose calls are made again when they fail in a way that may pass.
#[derive(Debug)]
pub struct Retry<F> {
    flow: F,
    policy: RetryPolicy,
    attempt: usize,
    /// The call that is out, to be made again.
    need: Option<Need>,
}

impl<F: Flow> Retry<F> {
    /// Makes a flow retry.
    pub fn new(flow: F, policy: RetryPolicy) -> Self {
        Self { flow, policy, attempt: 0, need: None }
    }
}

impl<F: Flow> Flow for Retry<F> {
    type Output = F::Output;

    fn resume(&mut self, response: Response) -> Result<Step<F::Output>> {
        match response {
            Response::Failed { is_transient, retry_after } => {
                if !is_transient || self.attempt >= self.policy.retries {
                    return Ok(Step::GiveUp);
                }
                self.attempt += 1;
                let pause = retry_after.map_or_else(
                    || self.policy.pause(self.attempt),
                    |pause| pause.min(self.policy.longest_pause),
                );
                Ok(Step::Need(Need::Pause(pause)))
            }
            Response::Paused => match &self.need {
                Some(need) => Ok(Step::Need(need.clone())),
                None => Err(Error::invalid("the flow does not wait for the end of a pause")),
            },
            response => {
                self.attempt = 0;
                let step = self.flow.resume(response)?;
                if let Step::Need(need) = &step {
                    self.need = Some(need.clone());
                }
                Ok(step)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Asks(usize);

    impl Flow for Asks {
        type Output = ();

        fn resume(&mut self, _: Response) -> Result<Step<()>> {
            if self.0 == 0 {
                return Ok(Step::Done(()));
            }
            self.0 -= 1;
            Ok(Step::Need(Need::Answers(vec![self.0.to_string()])))
        }
    }

    fn failed(is_transient: bool, seconds: Option<u64>) -> Response {
        Response::Failed { is_transient, retry_after: seconds.map(Duration::from_secs) }
    }

    #[test]
    fn each_call_has_its_own_attempts_and_pauses_double() {
        let policy = RetryPolicy::new()
            .retries(2)
            .first_pause(Duration::from_secs(1))
            .longest_pause(Duration::from_secs(9));
        let mut flow = Retry::new(Asks(2), policy);
        let first = flow.resume(Response::Start).unwrap();
        let Step::Need(Need::Pause(pause)) = flow.resume(failed(true, None)).unwrap() else {
            panic!("a pause")
        };
        assert!(pause >= Duration::from_secs(1) && pause <= Duration::from_millis(1500));
        assert_eq!(flow.resume(Response::Paused).unwrap(), first);
        let Step::Need(Need::Pause(pause)) = flow.resume(failed(true, None)).unwrap() else {
            panic!("a pause")
        };
        assert!(pause >= Duration::from_secs(2) && pause <= Duration::from_secs(3));
        assert_eq!(flow.resume(Response::Paused).unwrap(), first);
        let second = flow.resume(Response::Answers(vec![])).unwrap();
        assert_ne!(first, second);
        assert_eq!(
            flow.resume(failed(true, Some(7))).unwrap(),
            Step::Need(Need::Pause(Duration::from_secs(7)))
        );
        assert_eq!(flow.resume(Response::Paused).unwrap(), second);
        assert_eq!(
            flow.resume(failed(true, Some(70))).unwrap(),
            Step::Need(Need::Pause(Duration::from_secs(9)))
        );
        flow.resume(Response::Paused).unwrap();
        assert_eq!(flow.resume(failed(true, None)).unwrap(), Step::GiveUp);
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again() {
        let mut flow = Retry::new(Asks(1), RetryPolicy::new());
        flow.resume(Response::Start).unwrap();
        assert_eq!(flow.resume(failed(false, None)).unwrap(), Step::GiveUp);
        assert!(Retry::new(Asks(1), RetryPolicy::new()).resume(Response::Paused).is_err());
    }
}
