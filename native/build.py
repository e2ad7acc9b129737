"""Build the native kernel into the running virtual environment: ``make native``.

Uses the cargo (1.85 or newer) and the linker that are there; without them, root gets Debian's. Where neither can be, says so
in one line and ends well: the server then runs on its reference kernel. With ``CI`` or ``--require`` set, a missing kernel is
an error.
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
RUST = ("rustc-web", "cargo-web")
LINKER = ("gcc", "libc6-dev")
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


def install(*packages: str) -> None:
    """Install Debian packages where that is allowed; apt's output is shown only when it fails."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    print(f"installing {', '.join(packages)} …", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update", "-qq"), (*INSTALL, *packages)):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout + done.stderr, file=sys.stderr)


def find_tools() -> tuple[str | None, str]:
    """Return the cargo to build with, after installing what is missing; without one, why the kernel cannot be built."""
    if find_cargo() is None:
        install(*RUST, *LINKER)
    if shutil.which("cc") is None:
        install(*LINKER)
    cargo = find_cargo()
    if cargo is None:
        return None, f"no cargo 1.85 or newer; install one (Debian: apt-get install {' '.join(RUST)})"
    if shutil.which("cc") is None:
        return None, f"no C compiler to link with; install one (Debian: apt-get install {' '.join(LINKER)})"
    return cargo, ""


def main() -> int:
    """Build, or say why not."""
    cargo, reason = find_tools()
    if cargo is None:
        print(f"WARNING: the slower reference kernel is used: {reason} and run: make native", file=sys.stderr)
        return int(bool(os.environ.get("CI")) or "--require" in sys.argv)
    paths = f"{Path(cargo).parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": paths, "VIRTUAL_ENV": sys.prefix}
    command = [f"{sys.prefix}/bin/maturin", "develop", "--release", "--uv", "-q", "-m", "python/Cargo.toml"]
    return subprocess.run(command, cwd=NATIVE, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
