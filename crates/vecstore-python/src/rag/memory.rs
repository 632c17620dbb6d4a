//! The state of a conversation.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use vecstore_rag::{ConversationMemory, Message};

use super::counter;

/// The state behind `vecstore.rag.ConversationMemory`.
#[pyclass(frozen, name = "_RagMemory", module = "vecstore._vecstore")]
pub(crate) struct Memory(Mutex<ConversationMemory>);

impl Memory {
    fn lock(&self) -> MutexGuard<'_, ConversationMemory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a copy and puts it in place: a counter of Python may release the GIL, or call this object again, and must not
    /// do so under the lock.
    fn change(&self, change: impl FnOnce(&mut ConversationMemory) -> PyResult<()>) -> PyResult<()> {
        let mut copy = self.lock().clone();
        change(&mut copy)?;
        *self.lock() = copy;
        Ok(())
    }
}

fn pairs<'a>(messages: impl Iterator<Item = &'a Message>) -> Vec<(String, String)> {
    messages.map(|message| (message.role.clone(), message.content.clone())).collect()
}

#[pymethods]
impl Memory {
    #[new]
    fn __new__(max_tokens: usize, keep_forgotten: bool) -> Self {
        Self(Mutex::new(ConversationMemory::new(max_tokens).keep_forgotten(keep_forgotten)))
    }

    fn add(&self, role: String, content: String, count: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let message = Message::new(role, content);
        // Counted without the lock; the count is asked for again only if the message must be cut.
        let tokens = counter(count)(&message.content)?;
        {
            let mut memory = self.lock();
            if message.role == "system" || tokens <= memory.room() {
                return memory.add(message, &mut |_: &str| Ok(tokens));
            }
        }
        self.change(|memory| memory.add(message, &mut counter(count)))
    }

    fn messages(&self) -> Vec<(String, String)> {
        pairs(self.lock().messages())
    }

    fn format(&self) -> String {
        self.lock().format()
    }

    fn clear(&self) {
        self.lock().clear();
    }

    fn token_count(&self) -> usize {
        self.lock().token_count()
    }

    fn __len__(&self) -> usize {
        self.lock().len()
    }

    fn forgotten(&self) -> Vec<(String, String)> {
        pairs(self.lock().forgotten().iter())
    }

    fn summary(&self) -> Option<String> {
        self.lock().summary().map(str::to_owned)
    }

    fn set_summary(&self, summary: &str, covered: usize, count: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.change(|memory| memory.set_summary(summary, covered, &mut counter(count)))
    }
}
