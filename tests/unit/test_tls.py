"""TLS contexts of files: those of servers and of clients refuse alike what they cannot use."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import UrlError
from nilometer.core.tls import client_context, server_context
from nilometer.core.url import parse
from nilometer.testing.certificates import certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.testing.certificates import Certificate

URL = parse("tcp+tls://localhost")


@dataclass(frozen=True)
class Files:
    cert: str = ""
    key: str = ""
    ca: str = ""
    client_ca: str = ""
    verify: bool = True


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("context", [client_context, server_context])
def test_a_key_with_a_password_is_refused_without_asking_for_it(
    made: Certificate, context: Callable[..., ssl.SSLContext]
) -> None:
    locked = made.key.with_name("locked.pem")
    command = ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", str(made.key), "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(UrlError, match=r"tcp\+tls://localhost: cannot use cert and key: the key is encrypted"):
        context(URL, Files(str(made.certificate), str(locked)))


@pytest.mark.parametrize("context", [client_context, server_context])
@pytest.mark.parametrize(
    ("cert", "key", "says"),
    [
        ("{certificate}", "{key}0", "cannot use cert and key: No such file"),
        ("{certificate}", "", "cannot use cert: "),
        ("{key}", "{key}", "cannot use cert and key: "),
    ],
)
def test_files_that_are_none_are_named(
    made: Certificate, context: Callable[..., ssl.SSLContext], cert: str, key: str, says: str
) -> None:
    named = made._asdict()
    with pytest.raises(UrlError, match=says):
        context(URL, Files(cert.format(**named), key.format(**named)))


def test_what_is_asked_for_is_checked(made: Certificate) -> None:
    cert, key = str(made.certificate), str(made.key)
    strict, lax = client_context(URL, Files(cert, key, ca=cert)), client_context(URL, Files(verify=False))
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (lax.verify_mode, lax.check_hostname) == (ssl.CERT_NONE, False)
    assert server_context(URL, Files(cert, key)).verify_mode == ssl.CERT_NONE
    mutual = server_context(URL, Files(cert, key, client_ca=cert))
    assert mutual.verify_mode == ssl.CERT_REQUIRED
    assert {each.minimum_version for each in (strict, lax, mutual)} == {ssl.TLSVersion.TLSv1_2}


def test_authorities_that_are_none_are_named(made: Certificate) -> None:
    for context, files, says in (
        (client_context, Files(ca=str(made.key)), "cannot use ca: "),
        (server_context, Files(str(made.certificate), str(made.key), client_ca="/none"), "cannot use client_ca: No such file"),
        (client_context, Files(key="/key.pem"), "option key needs cert"),
    ):
        with pytest.raises(UrlError, match=says):
            context(URL, files)
