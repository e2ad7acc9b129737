//! Between Python's types and the core's.

use crate::engine::Finished;
use nilometer_core::render::{self, Misshapen};
use nilometer_core::{Block, Datum, Dialect, Fields};
use nilometer_receive::{Guard, Network, Signed};
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyMemoryView};
use std::io;

/// Before the name, after it, the values (a buffer of float64), which of them exist.
type Placed<'py> = (PyBackedBytes, PyBackedBytes, Bound<'py, PyAny>, Option<PyBackedBytes>);
/// A statistic's name, its values as float64, which of them exist.
type Column<'py> = (String, Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);
/// A kind, the keys, how many, the columns, the sketches.
pub type Columns<'py> = (&'static str, Bound<'py, PyBytes>, usize, Vec<Column<'py>>, Vec<Bound<'py, PyBytes>>);
/// A counter's name and value.
pub type Tally = Vec<(&'static str, u64)>;

#[pyfunction]
pub fn render_lines<'py>(
    py: Python<'py>,
    names: &[u8],
    count: usize,
    columns: Vec<Placed<'py>>,
    timestamp: i64,
    sanitize: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let held = hold(columns)?;
    let text = py.detach(|| render::lines(names, count, &views(&held), timestamp, sanitize));
    Ok(PyBytes::new(py, &text.map_err(|error| refuse(&error))?))
}

#[pyfunction]
pub fn render_points<'py>(
    py: Python<'py>,
    names: &[u8],
    count: usize,
    columns: Vec<Placed<'py>>,
    sanitize: bool,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let held = hold(columns)?;
    let points = py.detach(|| render::points(names, count, &views(&held), sanitize));
    let (paths, values) = points.map_err(|error| refuse(&error))?;
    Ok((PyBytes::new(py, &paths), floats(py, &values)?))
}

/// A column to render while Python goes on: its values are copied, as a buffer may change.
type Held = (PyBackedBytes, PyBackedBytes, Vec<f64>, Option<PyBackedBytes>);

fn hold(columns: Vec<Placed<'_>>) -> PyResult<Vec<Held>> {
    let held = columns.into_iter();
    held.map(|(before, after, values, present)| Ok((before, after, numbers(&values)?, present))).collect()
}

fn views(held: &[Held]) -> Vec<render::Column<'_>> {
    let views = held.iter();
    views
        .map(|(before, after, values, present)| render::Column { before, after, values, present: present.as_deref() })
        .collect()
}

fn refuse(error: &Misshapen) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Returns the numbers of a buffer of float64, which need not be aligned as Rust would have it.
fn numbers(values: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let view = PyMemoryView::from(values)?;
    let format: String = view.getattr("format")?.extract()?;
    if format != "d" {
        return Err(PyTypeError::new_err(format!("values are a buffer of float64 (format d), not of format {format}")));
    }
    let bytes = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
    let numbers = bytes.as_bytes().chunks_exact(size_of::<f64>());
    Ok(numbers.filter_map(|bytes| bytes.try_into().ok().map(f64::from_ne_bytes)).collect())
}

/// Returns numbers as the bytes of float64 in the machine's order.
fn floats<'py>(py: Python<'py>, values: &[f64]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, size_of_val(values), |bytes| {
        for (place, value) in bytes.chunks_exact_mut(size_of::<f64>()).zip(values) {
            place.copy_from_slice(&value.to_ne_bytes());
        }
        Ok(())
    })
}

pub fn block<'py>(py: Python<'py>, block: &Block) -> PyResult<Columns<'py>> {
    let columns = block.columns.iter().map(|column| {
        let present = column.present.as_ref().map(|present| PyBytes::new(py, present));
        Ok((column.name.clone(), floats(py, &column.values)?, present))
    });
    let columns = columns.collect::<PyResult<_>>()?;
    let sketches = block.sketches.iter().map(|sketch| PyBytes::new(py, sketch)).collect();
    Ok((block.kind.name(), PyBytes::new(py, &block.names), block.count, columns, sketches))
}

pub fn tally(finished: &Finished) -> Tally {
    let tally = &finished.aggregates.tally;
    let pause = u64::try_from(finished.pause.as_nanos()).unwrap_or(u64::MAX);
    vec![
        ("packets", tally.packets),
        ("bytes", tally.bytes),
        ("lines", tally.lines),
        ("bad_lines", tally.bad_lines),
        ("kernel_drops", finished.kernel_drops),
        ("name_over_limit", tally.name_over_limit),
        ("tags_over_limit", tally.tags_over_limit),
        ("series_over_limit", tally.series_over_limit),
        ("keys_over_limit", tally.keys_over_limit),
        ("prefix_over_limit", tally.prefix_over_limit),
        ("source_over_limit", tally.source_over_limit),
        ("samples_over_limit", tally.samples_over_limit),
        ("members_over_limit", tally.members_over_limit),
        ("dropped_by_rules", tally.dropped_by_rules),
        ("timed_over_limit", tally.timed_over_limit),
        ("series", tally.series),
        ("pause_ns", pause),
    ]
}

pub fn dialect(name: &str) -> PyResult<Dialect> {
    let unknown = || {
        let names = Dialect::NAMES.join(", ");
        let message = format!("unknown dialect {name:?}; known are {names}, each with /delta or /absolute behind it");
        PyValueError::new_err(message)
    };
    Dialect::named(name).ok_or_else(unknown)
}

/// Returns fields as a dict.
pub fn fields<'py>(py: Python<'py>, fields: &Fields) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, datum) in fields {
        match datum {
            Datum::Text(text) => dict.set_item(name, text)?,
            Datum::Texts(texts) => dict.set_item(name, texts)?,
            Datum::Whole(number) => dict.set_item(name, number)?,
            Datum::Number(number) => dict.set_item(name, number)?,
            Datum::Numbers(numbers) => dict.set_item(name, numbers)?,
            Datum::Yes => dict.set_item(name, true)?,
        }
    }
    Ok(dict)
}

/// A timestamp, a kind, a key, a value.
pub type TimedParts = (u64, &'static str, String, f64);

pub fn timed(finished: &mut Finished) -> Vec<TimedParts> {
    let timed = std::mem::take(&mut finished.timed).into_iter();
    timed.map(|timed| (timed.timestamp, timed.kind.name(), timed.key, timed.value)).collect()
}

/// Returns the `OSError` for an error of the system, with its number where it has one.
pub fn os_error(what: &str, error: &io::Error) -> PyErr {
    let message = format!("cannot listen on {what}: {error}");
    match error.raw_os_error() {
        Some(number) => PyOSError::new_err((number, message)),
        None => PyOSError::new_err(message),
    }
}

/// Networks as text and length of prefix, the key of signatures, seconds of their window, how many are remembered.
pub type Guarded = (Vec<(String, u32)>, Vec<u8>, u64, usize);

/// Makes a guard; without a key nothing need be signed. Raises `ValueError` for what is no address.
pub fn guard(asked: Option<Guarded>) -> PyResult<Guard> {
    let Some((networks, key, window, remembered)) = asked else {
        return Ok(Guard::default());
    };
    let network = |(base, prefix): (String, u32)| base.parse().map(|base| Network::new(base, prefix));
    let networks = networks.into_iter().map(network).collect::<Result<_, _>>();
    let networks = networks.map_err(|error: std::net::AddrParseError| PyValueError::new_err(error.to_string()))?;
    let signed = (!key.is_empty()).then(|| Signed::new(&key, window, remembered));
    Ok(Guard::new(networks, signed))
}
