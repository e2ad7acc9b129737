//! The `Tap` class, and the places of those who get a copy of what comes in.

use crate::engine::{Engine, lock};
use nilometer_receive::Tap as Lines;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Seconds that one `take` may wait, at most.
const LONGEST: f64 = 60.0;

/// Returns the time to wait that Python asks for in seconds.
pub fn patience(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
}

/// A place for one who gets a copy of what comes in.
pub struct Place<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for Place<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Place<T> {
    /// Gives the place to another one.
    pub fn put(&self, one: Arc<T>) {
        *lock(&self.0) = Some(one);
    }

    /// Empties the place, if it is still this one's.
    pub fn leave(&self, one: &Arc<T>) {
        lock(&self.0).take_if(|there| Arc::ptr_eq(there, one));
    }

    /// Who is there.
    pub fn get(&self) -> Option<Arc<T>> {
        lock(&self.0).clone()
    }
}

#[pyclass(frozen, module = "nilometer_native")]
pub struct Tap {
    engine: Arc<Engine>,
    lines: Arc<Lines>,
}

impl Tap {
    pub fn open(engine: &Arc<Engine>, queue_bytes: usize) -> Self {
        let lines = Arc::new(Lines::new(queue_bytes));
        engine.tap.put(Arc::clone(&lines));
        Self { engine: Arc::clone(engine), lines }
    }
}

#[pymethods]
impl Tap {
    fn take<'py>(&self, py: Python<'py>, seconds: f64) -> Option<Bound<'py, PyBytes>> {
        let parcel = py.detach(|| self.lines.take(patience(seconds)))?;
        Some(PyBytes::new(py, &parcel.bytes))
    }

    fn missed(&self) -> u64 {
        self.lines.missed()
    }

    fn stop(&self) {
        self.engine.tap.leave(&self.lines);
        self.lines.close();
    }
}
