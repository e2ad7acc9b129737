"""``make native`` on machines that lack something: what it installs, what it says, how it ends."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[2] / "native/build.py"


class Machine:
    """The programs of a machine, and the commands that were run on it."""

    def __init__(self, *programs: str, cargo: str = "1.85.0", root: bool = False) -> None:
        self.programs = set(programs)
        self.cargo = cargo
        self.root = root
        self.ran: list[list[str]] = []

    def which(self, name: str) -> str | None:
        """Stand in for `shutil.which`; a program's path must exist."""
        return sys.executable if name in self.programs else None

    def run(self, command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        """Stand in for `subprocess.run`; apt-get brings a new cargo and a linker."""
        if command[1:] == ["--version"]:
            return subprocess.CompletedProcess(command, 0, f"cargo {self.cargo} (of a day)", "")
        self.ran.append(list(command))
        if "cargo-web" in command:
            self.programs.add("cargo")
            self.cargo = "1.96.0"
        if "gcc" in command:
            self.programs.add("cc")
        return subprocess.CompletedProcess(command, 0, "Setting up …", "")


@pytest.fixture
def build() -> ModuleType:
    """The build script as a module."""
    spec = importlib.util.spec_from_file_location("native_build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_native(build: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the script on a machine; return its exit status."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "argv", ["build.py"])
    monkeypatch.setattr(build.shutil, "which", machine.which)
    monkeypatch.setattr(build.subprocess, "run", machine.run)
    monkeypatch.setattr(build.os, "geteuid", lambda: 0 if machine.root else 1000)
    monkeypatch.setattr(build.Path, "home", lambda: Path("/nonexistent"))
    status: int = build.main()
    return status


def test_with_cargo_and_a_linker_nothing_is_installed(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine("cargo", "cc", "apt-get", root=True)
    assert make_native(build, machine, monkeypatch) == 0
    (command,) = machine.ran
    assert "maturin" in command[0]


@pytest.mark.parametrize(("there", "version"), [(("cc",), ""), (("cargo", "cc"), "1.63.0"), (("cargo", "cc"), "1.84.1")])
def test_root_gets_debians_cargo_where_none_is_new_enough(
    build: ModuleType, there: tuple[str, ...], version: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(*there, "apt-get", cargo=version, root=True)
    assert make_native(build, machine, monkeypatch) == 0
    assert [command[1] for command in machine.ran] == ["update", "install", "develop"]
    assert {"rustc-web", "cargo-web"} <= set(machine.ran[1])
    assert "Setting up" not in "".join(capsys.readouterr())


def test_root_gets_a_linker(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine("cargo", "apt-get", root=True)
    assert make_native(build, machine, monkeypatch) == 0
    assert [command[1] for command in machine.ran] == ["update", "install", "develop"]
    assert "cargo-web" not in machine.ran[1]


@pytest.mark.parametrize(("there", "cure"), [("cc", "rustc-web cargo-web"), ("cargo", "gcc libc6-dev")])
def test_without_root_the_reference_kernel_is_named_in_one_line(
    build: ModuleType, there: str, cure: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(there, "apt-get")
    assert make_native(build, machine, monkeypatch) == 0
    assert machine.ran == []
    (line,) = capsys.readouterr().err.splitlines()
    assert "the slower reference kernel is used" in line
    assert f"apt-get install {cure}) and run: make native" in line


def test_under_ci_a_missing_kernel_is_an_error(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_tools", lambda: (None, "no cargo"))
    monkeypatch.setattr(sys, "argv", ["build.py"])
    monkeypatch.setenv("CI", "true")
    assert build.main() == 1
    monkeypatch.delenv("CI")
    assert build.main() == 0
    monkeypatch.setattr(sys, "argv", ["build.py", "--require"])
    assert build.main() == 1
