//! What splitters along a structure have in common: how much fits in a chunk, and in which unit.

use std::sync::Arc;

use super::chunks::{Chunks, Contexts};
use super::error::Result;
use super::limits::Limits;
use super::packer::{Ends, Packer};
use super::ruler::Ruler;
use super::sizer::{Chars, Sizer};

/// Limits, and the sizer that they are in the unit of.
#[derive(Clone)]
pub(crate) struct Measured {
    limits: Limits,
    sizer: Arc<dyn Sizer>,
}

impl Measured {
    /// Counts characters.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, sizer: Arc::new(Chars) }
    }

    pub(crate) fn by(self, sizer: Arc<dyn Sizer>) -> Self {
        Self { sizer, ..self }
    }

    /// Packs what `push` pushes, which returns what is known of the places.
    pub(crate) fn pack(
        &self,
        text: &str,
        push: impl FnOnce(&mut Packer<'_, '_>) -> Result<Contexts>,
    ) -> Result<Chunks> {
        let ruler = Ruler::new(text, &*self.sizer);
        let mut packer = Packer::new(&ruler, self.limits, Ends::NEAT);
        let contexts = push(&mut packer)?;
        Ok(Chunks { ranges: packer.finish()?, contexts })
    }
}

/// Defines a splitter whose only options are these, with its trait in `split`.
macro_rules! measured_splitter {
    ($(#[$meta:meta])* $name:ident, $split:expr) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name($crate::split::measured::Measured);

        impl $name {
            /// Returns a splitter that counts characters.
            pub fn new(limits: $crate::split::Limits) -> Self {
                Self($crate::split::measured::Measured::new(limits))
            }

            /// Measures chunks by `sizer`.
            #[must_use]
            pub fn sizer(self, sizer: std::sync::Arc<dyn $crate::split::Sizer>) -> Self {
                Self(self.0.by(sizer))
            }
        }

        impl $crate::split::Splitter for $name {
            fn split(&self, text: &str) -> $crate::split::error::Result<$crate::split::Chunks> {
                $split(&self.0, text)
            }
        }
    };
}

pub(crate) use measured_splitter;
