//! The `Kernel` class.

use crate::convert::{self, Columns, TimedParts};
use crate::engine::{Engine, Lane, lock};
use crate::inspect::{self, Ranked, Shown, Totals};
use crate::receiver::Receiver;
use crate::relay::Router;
use crate::rule::PyRule;
use crate::tap::Tap;
use nilometer_core::{Expire, Histogram, Limit, Rules};
use nilometer_receive::{bind_udp, bind_unix};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// From this many bytes on it pays to let other Python threads run while lines are counted.
const WORTH_DETACHING: usize = 16_384;

/// Makes a panic an error that ends one call and no thread: Python's `except Exception` does not catch `PyO3`'s own.
fn isolate<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| PyRuntimeError::new_err("the native kernel panicked; its message is on standard error"))
}

/// Who sent a notice, and its fields.
type Noticed<'py> = (String, Bound<'py, PyDict>);

#[pyclass(frozen, module = "nilometer_native")]
pub struct Kernel {
    engine: Arc<Engine>,
    fed: Arc<Lane>,
}

#[pymethods]
impl Kernel {
    #[new]
    fn new() -> Self {
        let engine = Arc::new(Engine::new(Rules::default()));
        Self { fed: engine.lane(), engine }
    }

    #[pyo3(signature = (*, percentiles, histograms, timer_statistics, delete_counters, delete_timers, delete_sets,
        delete_gauges, gauge_ttl, keep, expire_counters, expire_timers, expire_gauges, expire_sets, rules, tags, sanitize, max_series,
        max_series_per_prefix, prefix_parts, max_series_per_source, max_tags, max_name, max_key_bytes, overflow, max_samples,
        max_samples_per_timer, max_set_members, max_members_per_set, max_line, sketch, cumulative))]
    #[allow(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "each is a setting of its own, by name"
    )]
    fn configure(
        &self,
        py: Python<'_>,
        percentiles: Vec<f64>,
        histograms: Vec<(String, Vec<f64>)>,
        timer_statistics: Vec<String>,
        delete_counters: bool,
        delete_timers: bool,
        delete_sets: bool,
        delete_gauges: bool,
        gauge_ttl: u32,
        keep: Vec<String>,
        expire_counters: u32,
        expire_timers: u32,
        expire_gauges: u32,
        expire_sets: u32,
        rules: Vec<PyRule>,
        tags: Vec<(String, String)>,
        sanitize: bool,
        max_series: usize,
        max_series_per_prefix: usize,
        prefix_parts: usize,
        max_series_per_source: usize,
        max_tags: usize,
        max_name: usize,
        max_key_bytes: usize,
        overflow: String,
        max_samples: usize,
        max_samples_per_timer: usize,
        max_set_members: usize,
        max_members_per_set: usize,
        max_line: usize,
        sketch: bool,
        cumulative: bool,
    ) -> PyResult<()> {
        let histograms = histograms.into_iter().map(|(pattern, bins)| Histogram { pattern, bins }).collect();
        let rules = Rules {
            percentiles,
            histograms,
            timer_statistics,
            delete_counters,
            delete_timers,
            delete_sets,
            delete_gauges,
            gauge_ttl,
            keep,
            expire: Expire {
                counters: expire_counters,
                timers: expire_timers,
                gauges: expire_gauges,
                sets: expire_sets,
            },
            rules: rules.into_iter().map(PyRule::compile).collect::<PyResult<_>>()?,
            tags,
            sanitize,
            max_series,
            max_series_per_prefix,
            prefix_parts,
            max_series_per_source,
            max_tags,
            max_name,
            max_key_bytes,
            overflow,
            max_samples,
            max_samples_per_timer,
            max_set_members,
            max_members_per_set,
            max_line,
            sketch,
            cumulative,
        };
        py.detach(|| self.engine.configure(&rules));
        Ok(())
    }

    fn feed(&self, py: Python<'_>, data: &[u8], source: &str, dialect: &str, packets: u64) -> PyResult<()> {
        let dialect = convert::dialect(dialect)?;
        self.fed.hear();
        self.engine.copy_lines(data);
        let count = || isolate(|| lock(&self.fed.shard).feed(data, &|| source.to_owned(), dialect, packets));
        if data.len() < WORTH_DETACHING { count() } else { py.detach(count) }
    }

    #[pyo3(signature = (host, port, buffer_bytes, threads, dialect, guard = None))]
    #[allow(clippy::too_many_arguments, reason = "each is an option of its own")]
    fn receive_udp(
        &self,
        py: Python<'_>,
        host: &str,
        port: u16,
        buffer_bytes: usize,
        threads: usize,
        dialect: &str,
        guard: Option<convert::Guarded>,
    ) -> PyResult<Receiver> {
        let (dialect, guard) = (convert::dialect(dialect)?, convert::guard(guard)?);
        let started = py.detach(|| {
            let readers = bind_udp(host, port, buffer_bytes, threads)?;
            Receiver::start(&self.engine, readers, "udp", dialect, guard)
        });
        started.map_err(|error| convert::os_error(&format!("udp://{host}:{port}"), &error))
    }

    #[pyo3(signature = (path, buffer_bytes, dialect, guard = None))]
    fn receive_unix(
        &self,
        py: Python<'_>,
        path: &str,
        buffer_bytes: usize,
        dialect: &str,
        guard: Option<convert::Guarded>,
    ) -> PyResult<Receiver> {
        let (dialect, guard) = (convert::dialect(dialect)?, convert::guard(guard)?);
        let started = py.detach(|| {
            let reader = bind_unix(Path::new(path), buffer_bytes)?;
            Receiver::start(&self.engine, vec![reader], "unix", dialect, guard)
        });
        started.map_err(|error| convert::os_error(&format!("unixgram://{path}"), &error))
    }

    fn relay(&self, streams: Vec<bool>, ring: bool, queue_bytes: usize) -> PyResult<Router> {
        let started = Router::start(&self.engine, streams, ring, queue_bytes);
        started.map_err(|error| convert::os_error("relay", &error))
    }

    fn tap(&self, queue_bytes: usize) -> Tap {
        Tap::open(&self.engine, queue_bytes)
    }

    fn explain<'py>(&self, py: Python<'py>, data: &[u8], dialect: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let dialect = convert::dialect(dialect)?;
        let explain = || {
            let (sanitize, max_line) = self.engine.reading();
            nilometer_core::explain(data, dialect, sanitize, max_line)
        };
        let found = py.detach(|| isolate(explain))?;
        found.iter().map(|fields| convert::fields(py, fields)).collect()
    }

    fn notices<'py>(&self, py: Python<'py>) -> PyResult<(Vec<Noticed<'py>>, u64)> {
        let (notices, lost) = py.detach(|| self.engine.notices());
        let notices = notices.into_iter().map(|notice| Ok((notice.source, convert::fields(py, &notice.fields)?)));
        Ok((notices.collect::<PyResult<_>>()?, lost))
    }

    #[pyo3(signature = (seconds, last = false))]
    fn flush<'py>(
        &self,
        py: Python<'py>,
        seconds: f64,
        last: bool,
    ) -> PyResult<(Vec<Columns<'py>>, Bound<'py, PyDict>, Vec<TimedParts>)> {
        let mut finished = py.detach(|| isolate(|| self.engine.flush(seconds, last)))?;
        let blocks = finished.aggregates.blocks.iter().map(|block| convert::block(py, block));
        let blocks = blocks.collect::<PyResult<_>>()?;
        Ok((blocks, convert::tally(&finished).into_py_dict(py)?, convert::timed(&mut finished)))
    }

    fn bad_lines(&self, py: Python<'_>) -> Vec<(String, String, String, &'static str)> {
        let lines = py.detach(|| self.engine.bad_lines());
        lines.into_iter().map(|bad| (bad.source, bad.line, bad.fields, bad.reason)).collect()
    }

    fn overflowed(&self, py: Python<'_>) -> Vec<(String, String, &'static str, String)> {
        let refused = py.detach(|| self.engine.overflowed());
        let reason = |limit: Limit| format!("{}_over_limit", limit.name());
        refused.into_iter().map(|one| (one.source, one.key, one.kind.name(), reason(one.limit))).collect()
    }

    fn gauges(&self, py: Python<'_>) -> (Vec<String>, Vec<f64>) {
        let (keys, values) = py.detach(|| self.engine.gauges());
        let keys = keys.split(|&byte| byte == b'\n').take(values.len());
        (keys.map(|key| String::from_utf8_lossy(key).into_owned()).collect(), values)
    }

    fn restore_gauges(&self, py: Python<'_>, keys: Vec<String>, values: Vec<f64>) -> PyResult<()> {
        if keys.len() != values.len() {
            let message = format!("{} keys need as many values, not {}", keys.len(), values.len());
            return Err(PyValueError::new_err(message));
        }
        let gauges: Vec<_> = keys.into_iter().zip(values).collect();
        py.detach(|| self.engine.restore_gauges(&gauges));
        Ok(())
    }

    fn peek(&self, py: Python<'_>, kind: &str, most: usize) -> PyResult<Shown> {
        let kind = inspect::kind(kind)?;
        py.detach(|| isolate(|| self.engine.peek(kind, most))).map(inspect::shown)
    }

    fn keys(&self, py: Python<'_>, kind: &str, prefix: &str, most: usize) -> PyResult<Vec<String>> {
        let kind = inspect::kind(kind)?;
        py.detach(|| isolate(|| self.engine.keys(kind, prefix, most)))
    }

    fn delete(&self, py: Python<'_>, kind: &str, names: Vec<String>) -> PyResult<Vec<bool>> {
        let kind = inspect::kind(kind)?;
        py.detach(move || isolate(move || self.engine.delete(kind, &names)))
    }

    fn top(&self, py: Python<'_>, most: usize) -> PyResult<Ranked> {
        py.detach(|| isolate(|| self.engine.top(most))).map(inspect::ranked)
    }

    fn totals(&self, py: Python<'_>) -> Totals {
        py.detach(|| self.engine.totals())
    }
}
