"""What an application imports brings nothing with it but the standard library and the core."""

from __future__ import annotations

import subprocess
import sys

IMPORT_ALL = """
import pkgutil, sys
before = set(sys.modules)
import nilometer.emit
found = ["nilometer.emit", *(each.name for each in pkgutil.walk_packages(nilometer.emit.__path__, "nilometer.emit."))]
for name in found:
    __import__(name)
print(*found)
print(*sorted(set(sys.modules) - before))
"""


def test_all_of_emit_imports_the_standard_library_and_the_core_alone() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], check=True, capture_output=True, text=True, timeout=60)
    found, loaded = (line.split() for line in done.stdout.splitlines())
    assert {"nilometer.emit.client.client", "nilometer.emit.requests.report"} <= set(found)
    ours = [name for name in loaded if name.partition(".")[0] == "nilometer"]
    rooms = {name.split(".")[1] for name in ours if "." in name}
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names <= {"nilometer"}
    assert rooms <= {"core", "emit", "__about__"}
