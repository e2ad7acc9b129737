"""The two distributions, built as wheels and installed as a user installs them, in environments of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.prefix) / "bin"

pytestmark = pytest.mark.slow


def call(*command: str | Path, cwd: Path = ROOT) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "NILOMETER"))}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    call(BIN / "python", "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    call(BIN / "maturin", "build", "--release", "-q", "-o", folder, "-m", "native/python/Cargo.toml")
    return folder


def environment(folder: Path, wheels: Path, *wanted: str) -> Path:
    call(sys.executable, "-m", "venv", folder)
    call(BIN / "uv", "pip", "install", "-q", "-p", folder / "bin/python", "--find-links", wheels, *wanted, cwd=folder)
    return folder / "bin"


def test_the_server_extra_brings_the_native_kernel_and_all_that_the_demonstration_needs(tmp_path: Path, wheels: Path) -> None:
    binaries = environment(tmp_path / "env", wheels, "nilometer[server]")
    assert "native" in call(binaries / "nilometer", "--version", cwd=tmp_path)
    assert "Look at http://127.0.0.1:" in call(binaries / "nilometer", "demo", "--duration", "2", cwd=tmp_path)


def test_the_wheel_holds_the_page(wheels: Path) -> None:
    (wheel,) = wheels.glob("nilometer-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "nilometer/web/static/index.html" in names
    assert [name for name in names if name.startswith("nilometer/web/static/assets/") and name.endswith(".js")]
    assert not [name for name in names if "node_modules" in name]


def test_the_bare_package_needs_nothing_and_says_what_the_server_needs(tmp_path: Path, wheels: Path) -> None:
    binaries = environment(tmp_path / "env", wheels, "nilometer")
    call(binaries / "python", "-c", "import nilometer.core.record, nilometer.core.url", cwd=tmp_path)
    done = subprocess.run([binaries / "nilometer"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'nilometer[server]'" in done.stderr


def test_the_native_wheel_serves_every_python_from_3_11(wheels: Path) -> None:
    (native,) = wheels.glob("nilometer_native-*.whl")
    assert "cp311-abi3" in native.name
