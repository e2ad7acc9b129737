"""The registry: schemes, capabilities, and what its errors say."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import MappingProxyType

import pytest

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.capability import CAPABILITIES
from nilometer.core.errors import CapabilityError, MissingDriver, UnknownScheme, UrlError


def entry(factory: str, extra: str = "") -> registry.Entry:
    return registry.Entry("for a test", MappingProxyType({"metrics": factory}), extra)


def test_a_mistyped_scheme_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownScheme, match="no backend answers to grafite://; did you mean 'graphite'"):
        registry.open("grafite://localhost", "metrics")


def test_an_unlike_scheme_is_answered_with_all() -> None:
    with pytest.raises(UnknownScheme, match="known are amqp, amqps, cassandra,"):
        registry.capabilities("xyzzy")


def test_a_scheme_that_nobody_knows_is_answered_with_those_of_what_is_wanted() -> None:
    with pytest.raises(UnknownScheme, match=r"mean 'datagrepper\+http'\?; known are datagrepper\+http, datagrepper\+https$"):
        registry.open("http://localhost/datagrepper", "archive")
    with pytest.raises(CapabilityError, match=r"mysql:// has no statistics; .*; statistics: postgresql://, sqlite://$"):
        registry.check("mysql://localhost/x", "statistics")


def test_a_missing_capability_is_answered_with_those_there_are() -> None:
    with pytest.raises(CapabilityError, match=r"graphite:// has no series; what it has: metrics, health"):
        registry.open("graphite://localhost", "series")


def test_a_missing_capability_is_noticed_without_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TABLE, "absent", entry("no.such.module:open"))
    assert registry.check("absent://", "metrics").scheme == "absent"
    with pytest.raises(CapabilityError):
        registry.check("absent://", "spans")


def test_a_missing_driver_is_answered_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TABLE, "absent", entry("no_such_driver.backend:open", "absent"))
    with pytest.raises(MissingDriver, match=r"no_such_driver.*pip install 'nilometer\[absent\]'"):
        registry.open("absent://", "metrics")


def test_a_fault_of_our_own_is_no_missing_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TABLE, "absent", entry("nilometer.no_such_module:open"))
    with pytest.raises(ModuleNotFoundError):
        registry.open("absent://", "metrics")


def test_errors_mask_secrets() -> None:
    with pytest.raises(CapabilityError) as caught:
        registry.open("null://user:s3cr3t@", "traces")
    assert "s3cr3t" not in str(caught.value)


def test_text_and_parsed_urls_open_alike() -> None:
    assert isinstance(registry.open(urls.parse("null://"), "metrics"), type(registry.open("null://", "metrics")))


def test_a_text_that_is_no_url_is_refused() -> None:
    with pytest.raises(UrlError, match="is not a URL"):
        registry.open("localhost:2003", "metrics")


def test_the_table_is_in_order_and_speaks_known_words() -> None:
    assert list(registry.TABLE) == sorted(registry.TABLE)
    assert {word for each in registry.TABLE.values() for word in each.factories} <= set(CAPABILITIES)


@pytest.mark.parametrize("scheme", list(registry.TABLE))
def test_every_scheme_names_a_factory_that_exists(scheme: str) -> None:
    for factory in registry.find(scheme).factories.values():
        module, _, function = factory.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_nothing_is_loaded_before_it_is_opened() -> None:
    code = "import sys, nilometer.backends.registry; print([m for m in sys.modules if m.startswith('nilometer.backends.')])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['nilometer.backends.registry']"
