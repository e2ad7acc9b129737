//! The native kernel for Python: plain types across, and no logic of its own but threads and locks.
//!
//! Docstrings live in `nilometer_native/__init__.pyi`.

#![forbid(unsafe_code)]

mod convert;
mod engine;
mod inspect;
mod kernel;
mod receiver;
mod relay;
mod rule;
mod tap;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::convert::{render_lines, render_points};
    #[pymodule_export]
    use crate::kernel::Kernel;
    #[pymodule_export]
    use crate::receiver::Receiver;
    #[pymodule_export]
    use crate::relay::Router;
    #[pymodule_export]
    use crate::tap::Tap;
    #[pymodule_export]
    const BUILD: &str = env!("NILOMETER_BUILD");
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python packages use")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
