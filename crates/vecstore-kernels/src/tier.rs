//! Which instruction set the kernels run on.

use std::sync::LazyLock;

/// The environment variable that lowers [`Tier::detect`].
const OVERRIDE_VARIABLE: &str = "VECSTORE_SIMD";

/// An instruction set with its own kernels.
///
/// Values differ between tiers in the last bits, since each sums in its own order; within a tier they do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Plain Rust, on every CPU.
    Scalar,
    /// x86-64 with AVX2 and FMA (and POPCNT, which every CPU with those has).
    Avx2,
    /// x86-64 with AVX-512F, BW, VL and VNNI (servers since 2019, laptops with AVX-512, AMD since Zen 4).
    Avx512,
    /// AArch64.
    Neon,
}

impl Tier {
    /// Returns the tier that [`Kernels::detect`](crate::Kernels::detect) uses: the best available one, unless
    /// the environment variable `VECSTORE_SIMD` (`scalar`, `avx2`, `avx512` or `neon`) names another.
    ///
    /// An unavailable or unknown name is ignored. The variable is read once per process.
    pub fn detect() -> Tier {
        static DETECTED: LazyLock<Tier> =
            LazyLock::new(|| choose(Tier::available(), std::env::var(OVERRIDE_VARIABLE).ok().as_deref()));
        *DETECTED
    }

    /// Returns the tiers this CPU can run, slowest first; the first is always [`Tier::Scalar`].
    pub fn available() -> &'static [Tier] {
        static AVAILABLE: LazyLock<Vec<Tier>> =
            LazyLock::new(|| Tier::ALL.into_iter().filter(|tier| tier.runs_here()).collect());
        &AVAILABLE
    }

    /// Returns the lowercase name that `VECSTORE_SIMD` accepts.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Scalar => "scalar",
            Tier::Avx2 => "avx2",
            Tier::Avx512 => "avx512",
            Tier::Neon => "neon",
        }
    }

    const ALL: [Tier; 4] = [Tier::Scalar, Tier::Avx2, Tier::Avx512, Tier::Neon];

    /// Reports whether this CPU has every instruction the tier's kernels are compiled for.
    fn runs_here(self) -> bool {
        match self {
            Tier::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "aarch64")]
            Tier::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx2 | Tier::Avx512 => false,
            #[cfg(not(target_arch = "aarch64"))]
            Tier::Neon => false,
        }
    }
}

/// Picks the requested tier if it is available, else the best one.
fn choose(available: &[Tier], requested: Option<&str>) -> Tier {
    let named = available.iter().find(|tier| requested == Some(tier.name()));
    named.or(available.last()).copied().unwrap_or(Tier::Scalar)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAPTOP: [Tier; 2] = [Tier::Scalar, Tier::Avx2];

    #[test]
    fn best_tier_is_chosen_without_a_request() {
        assert_eq!(choose(&LAPTOP, None), Tier::Avx2);
    }

    #[test]
    fn request_lowers_the_tier() {
        assert_eq!(choose(&LAPTOP, Some("scalar")), Tier::Scalar);
    }

    #[test]
    fn unavailable_or_unknown_request_is_ignored() {
        for name in ["avx512", "neon", "mmx", ""] {
            assert_eq!(choose(&LAPTOP, Some(name)), Tier::Avx2, "{name}");
        }
    }

    #[test]
    fn scalar_is_always_available() {
        assert_eq!(Tier::available().first(), Some(&Tier::Scalar));
        assert!(Tier::available().contains(&Tier::detect()));
    }
}
