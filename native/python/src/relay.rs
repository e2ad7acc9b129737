//! The `Router` class: a relay in Python's terms.

use crate::engine::Engine;
use crate::tap::patience;
use nilometer_receive::{Mode, Relay, Ring, Wire};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::net::SocketAddr;
use std::sync::Arc;

#[pyclass(frozen, module = "nilometer_native")]
pub struct Router {
    engine: Arc<Engine>,
    relay: Arc<Relay>,
}

impl Router {
    pub fn start(engine: &Arc<Engine>, streams: Vec<bool>, ring: bool, queue_bytes: usize) -> std::io::Result<Self> {
        let mode = if ring { Mode::Ring } else { Mode::All };
        let wires: Vec<_> =
            streams.into_iter().map(|stream| if stream { Wire::Stream } else { Wire::Datagrams }).collect();
        let relay = Arc::new(Relay::start(mode, &wires, queue_bytes)?);
        engine.relay.put(Arc::clone(&relay));
        Ok(Self { engine: Arc::clone(engine), relay })
    }
}

#[pymethods]
impl Router {
    fn point(&self, target: usize, address: Option<&str>) -> PyResult<()> {
        let parsed = address.map(str::parse::<SocketAddr>).transpose();
        let address = parsed.map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.relay.point(target, address).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    fn route(&self, points: Vec<(u32, usize)>) {
        self.relay.route(Ring::new(points));
    }

    fn take<'py>(&self, py: Python<'py>, target: usize, seconds: f64) -> Option<(Bound<'py, PyBytes>, u64)> {
        let parcel = py.detach(|| self.relay.take(target, patience(seconds)))?;
        Some((PyBytes::new(py, &parcel.bytes), parcel.packets))
    }

    fn counts(&self) -> Vec<(u64, u64, u64, u64)> {
        let counts = self.relay.counts().into_iter();
        counts.map(|each| (each.sent, each.bytes, each.refused, each.dropped)).collect()
    }

    fn lost(&self) -> (u64, u64) {
        self.relay.lost()
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| {
            self.engine.relay.leave(&self.relay);
            self.relay.stop();
        });
    }
}
