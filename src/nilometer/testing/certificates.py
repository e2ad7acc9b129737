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
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    about = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *about, "-keyout", made.key, "-out", made.certificate
    )
    return made


def client_certificate(folder: Path, name: str, signer: Certificate) -> Certificate:
    """Make a client's certificate in a folder, which the signer's vouches for. Raise `Missing` without openssl."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}-key.pem")
    _openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", made.key, "-out", folder / f"{name}.csr"
    )
    signing = ("-CA", signer.certificate, "-CAkey", signer.key, "-CAcreateserial", "-days", "2")
    _openssl("x509", "-req", "-in", folder / f"{name}.csr", *signing, "-out", made.certificate)
    return made


def _openssl(*arguments: str | Path) -> None:
    if shutil.which("openssl") is None:
        message = "openssl makes certificates; type: apt-get install openssl"
        raise Missing(message, "openssl")
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)  # noqa: S603, S607 our own command
