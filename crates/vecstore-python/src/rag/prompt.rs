//! A parsed prompt.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use vecstore_rag::PromptTemplate;

use super::OrRaise;

/// The state behind `vecstore.rag.PromptTemplate`.
#[pyclass(frozen, name = "_RagPrompt", module = "vecstore._vecstore")]
pub(crate) struct Prompt(Mutex<PromptTemplate>);

impl Prompt {
    fn lock(&self) -> MutexGuard<'_, PromptTemplate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Prompt {
    #[new]
    fn __new__(py: Python<'_>, template: String) -> PyResult<Self> {
        Ok(Self(Mutex::new(PromptTemplate::new(template).or_raise(py)?)))
    }

    fn variables(&self) -> Vec<String> {
        self.lock().variables().into_iter().map(str::to_owned).collect()
    }

    fn set(&self, name: String, value: String) {
        self.lock().set(name, value);
    }

    fn set_default(&self, name: String, value: String) {
        self.lock().set_default(name, value);
    }

    /// Returns what variables are filled with, and what they are otherwise.
    fn _state(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let prompt = self.lock();
        (prompt.values().clone(), prompt.defaults().clone())
    }

    fn render(&self, py: Python<'_>) -> PyResult<String> {
        self.lock().render().or_raise(py)
    }

    fn render_and_reset(&self, py: Python<'_>) -> PyResult<String> {
        self.lock().render_and_reset().or_raise(py)
    }

    fn format(&self, py: Python<'_>, values: BTreeMap<String, String>) -> PyResult<String> {
        self.lock().format(&values).or_raise(py)
    }
}
