"""Certificates for tests, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from nilometer.testing.missing import Missing

if TYPE_CHECKING:
    from pathlib import Path


class Certificate(NamedTuple):
    """Files of a certificate for ``localhost`` that vouches for itself, and of its private key; PEM."""

    certificate: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    """Make a certificate in a folder. Raise `Missing` without openssl."""
    if shutil.which("openssl") is None:
        message = "openssl makes the certificate; type: apt-get install openssl"
        raise Missing(message, "openssl")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 our own command
    return made
