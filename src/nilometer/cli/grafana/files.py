"""Dashboards and the data source as files that Grafana provisions.

Rules:

* What is there already stays as it is: writing again changes nothing while the series have the same names.
* A file appears whole or not at all. Files of series that are gone are left alone.

Format: Grafana, "Provision Grafana".
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import NilometerError
from nilometer.query.dashboards import UID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TOKEN = "$GRAFANA_NILOMETER_TOKEN"  # noqa: S105 the name of a variable
DATA_SOURCE = """\
apiVersion: 1
datasources:
  - name: Nilometer
    uid: {uid}
    type: graphite
    access: proxy
    url: {url}
    jsonData:
      graphiteVersion: "1.1"
      httpHeaderName1: Authorization
    secureJsonData:
      httpHeaderValue1: Bearer {token}
"""
PROVIDER = """\
apiVersion: 1
providers:
  - name: Nilometer
    folder: Nilometer
    type: file
    options:
      path: {path}
"""


def files(output: Path, boards: Mapping[str, dict[str, Any]], data_source: str) -> Iterator[str]:
    """Write everything below a folder, and yield for each file what was done. Raise `NilometerError`."""
    folder, provisioning = output.absolute() / "dashboards", output.absolute() / "provisioning"
    texts = {folder / f"{name}.json": json.dumps(board, indent=2) + "\n" for name, board in boards.items()}
    source = DATA_SOURCE.format(uid=UID, url=json.dumps(data_source), token=TOKEN)
    texts[provisioning / "datasources" / "nilometer.yaml"] = source
    texts[provisioning / "dashboards" / "nilometer.yaml"] = PROVIDER.format(path=json.dumps(str(folder)))
    for file, text in texts.items():
        yield f"{'written' if write(file, text) else 'unchanged'}  {file}"


def write(file: Path, text: str) -> bool:
    """Write a file whole, unless it says the same already; return whether it changed. Raise `NilometerError`."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if file.exists() and file.read_text("utf-8", "replace") == text:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        message = f"{file}: cannot be written: {error.strerror}; choose another folder with --output"
        raise NilometerError(message) from error
    return True
