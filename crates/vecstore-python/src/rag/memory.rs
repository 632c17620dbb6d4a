//! The state of a conversation.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use vecstore_rag::{ConversationMemory, MemoryState, Message};

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

/// Messages with their tokens, the summary with its, and what waits for a summary.
type State = (Vec<(String, String, usize)>, Option<(String, usize)>, Vec<(String, String)>);

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

    /// Returns all that it knows, for `_restore`.
    fn _state(&self) -> State {
        let MemoryState { messages, summary, forgotten } = self.lock().state();
        let messages =
            messages.into_iter().map(|(message, tokens)| (message.role, message.content, tokens)).collect();
        (messages, summary, forgotten.into_iter().map(|message| (message.role, message.content)).collect())
    }

    /// Takes over what another one knew.
    fn _restore(&self, state: State) {
        let (messages, summary, forgotten) = state;
        let messages =
            messages.into_iter().map(|(role, content, tokens)| (Message::new(role, content), tokens));
        let forgotten = forgotten.into_iter().map(|(role, content)| Message::new(role, content));
        let state = MemoryState { messages: messages.collect(), summary, forgotten: forgotten.collect() };
        let mut memory = self.lock();
        *memory = memory.clone().with_state(state);
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
