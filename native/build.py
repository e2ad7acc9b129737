"""Build the native kernel into the running virtual environment: ``make native``.

Uses the cargo that is there (1.85 or newer); without one, root gets Debian's. Where neither can be, says so in one line and
ends well: the server then runs on its reference kernel. With ``CI`` or ``--require`` set, a missing kernel is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NATIVE = Path(__file__).parent
OLDEST = (1, 85)
PACKAGES = ("rustc-web", "cargo-web", "gcc", "libc6-dev")
INSTALL = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=500")


def cargo_version(cargo: str) -> tuple[int, int] | None:
    """Return the version of a cargo, None when it does not answer."""
    answer = subprocess.run([cargo, "--version"], capture_output=True, text=True, check=False, cwd=NATIVE)
    match = re.match(r"cargo (\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else None


def find_cargo() -> str | None:
    """Return a cargo that is new enough."""
    for candidate in (shutil.which("cargo"), str(Path.home() / ".cargo/bin/cargo")):
        if candidate and Path(candidate).exists() and (cargo_version(candidate) or (0, 0)) >= OLDEST:
            return candidate
    return None


def install_cargo() -> str | None:
    """Install Debian's newest cargo when that is allowed; return it."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    print("no cargo 1.85 or newer: installing Debian's rustc-web and cargo-web", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    subprocess.run([*INSTALL, *PACKAGES], check=False)
    return find_cargo()


def main() -> int:
    """Build, or say why not."""
    cargo = find_cargo() or install_cargo()
    if cargo is None:
        print(
            "WARNING: no cargo 1.85 or newer, so the native kernel is not built and the slower reference kernel is used;"
            " install one (Debian: apt-get install rustc-web cargo-web) and run: make native",
            file=sys.stderr,
        )
        return int(bool(os.environ.get("CI")) or "--require" in sys.argv)
    paths = f"{Path(cargo).parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": paths, "VIRTUAL_ENV": sys.prefix}
    command = [f"{sys.prefix}/bin/maturin", "develop", "--release", "--uv", "-q", "-m", "python/Cargo.toml"]
    return subprocess.run(command, cwd=NATIVE, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
