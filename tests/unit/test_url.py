from __future__ import annotations

import pickle
import string
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import UrlError
from nilometer.core.quantity import Duration, Size
from nilometer.core.url import Host, Url, parse

SECRET = "hunter" + "2"
plain = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=12)
names = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters=":"), min_size=1, max_size=12)
six = st.ip_addresses(v=6).map(lambda address: str(address).partition("%")[0])
zoned = st.tuples(six, st.text(string.ascii_letters + string.digits + "._~-", min_size=1, max_size=8)).map("%".join)
hosts = st.builds(Host, names | six | zoned, st.none() | st.integers(0, 65535))
urls = st.builds(
    Url,
    scheme=st.from_regex(r"[a-z][a-z0-9.+-]{0,8}", fullmatch=True),
    hosts=st.lists(hosts, max_size=3).map(tuple),
    path=st.just("") | plain.map("/".__add__),
    query=st.lists(st.tuples(plain.filter(bool), st.text(st.characters(codec="utf-8"), max_size=12)), max_size=4).map(tuple),
    user=plain,
    password=st.none() | st.text(st.characters(codec="utf-8"), max_size=12),
)


@dataclass(frozen=True)
class Options:
    timeout: Duration = Duration(5)  # noqa: RUF009 frozen, as every number
    buffer: Size | None = None
    threads: int = 1
    tls: bool = False
    name: str = ""


@dataclass(frozen=True)
class Required:
    database: str


@given(urls)
def test_what_is_printed_with_its_secrets_reads_back_as_the_same(url: Url) -> None:
    assert parse(url.reveal()) == url


@given(st.text(max_size=60) | st.text("x:/@[]%?#&=,.0é\0\n ", max_size=30).map("x://".__add__))
def test_any_text_is_a_url_or_a_url_error(text: str) -> None:
    try:
        url = parse(text)
    except UrlError:
        return
    assert parse(url.reveal()) == url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("udp://:8125", Url("udp", (Host("", 8125),))),
        ("memory", Url("memory")),
        ("null:", Url("null")),
        ("log:?level=debug", Url("log", query=(("level", "debug"),))),
        ("GRAPHITE://h", Url("graphite", (Host("h", None),))),
        ("x://a:1,[::1]:2,c", Url("x", (Host("a", 1), Host("::1", 2), Host("c", None)))),
        ("x://[fe80::1%25eth0]:8125", Url("x", (Host("fe80::1%eth0", 8125),))),
        ("x://[fe80::1%eth0]", Url("x", (Host("fe80::1%eth0", None),))),
        ("x://[2001:DB8:0:0::1]", Url("x", (Host("2001:db8::1", None),))),
        ("postgresql://%2Fvar%2Frun/db", Url("postgresql", (Host("/var/run", None),), "/db")),
        ("sqlite:///a b.db", Url("sqlite", path="/a b.db")),
        ("x://u:p%40ss@h/?a=1&b=", Url("x", (Host("h", None),), "/", (("a", "1"), ("b", "")), "u", "p@ss")),
        ("redis://:pw@h", Url("redis", (Host("h", None),), user="", password="pw")),  # noqa: S106 no secret
        ("x://u:p@w@h", Url("x", (Host("h", None),), user="u", password="p@w")),  # noqa: S106 no secret
    ],
)
def test_parts(text: str, expected: Url) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "write scheme://host:port"),
        ("localhost:2003", "write scheme://host:port"),
        ("://h", "write scheme://host:port"),
        ("x://h:65536", "host:port"),
        ("x://h:" + "9" * 5000, "host:port"),
        ("x://h:٣", "host:port"),
        ("x://h:-1", "host:port"),
        ("x://::1", "in brackets"),
        ("x://[::1", "in brackets"),
        ("x://[::zz]", "not a URL"),
        ("x://[fe80::1%25]", "zone"),
        ("x://a%3Ab", "host:port"),
        ("x://a,,b", "host:port"),
        ("x://h/#part", "%23"),
        ("x://h%0d%0aEvil:1", "control character"),
        ("x://h/%00", "control character"),
        ("x://h\r\nEvil", "control characters"),
        ("x://%ff@h", "not a URL"),
        ("x://h/" + "a" * 10_000, "longer than 8192"),
        ("x://h/?" + "&".join(["a=1"] * 200), "not a URL"),
    ],
)
def test_what_is_no_url_says_why(text: str, reason: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"x://u:{SECRET}@h/path",
        f"x://h/?token={SECRET}&a=1",
        f"x://h/?my_PassWord={SECRET}",
        f"x://h/?api-key={SECRET}",
    ],
)
def test_secrets_are_masked_wherever_a_url_is_shown(text: str) -> None:
    url = parse(text)
    shown = f"{url} {url!r} {[url]} {url!s}"
    assert SECRET not in shown
    assert "***" in shown
    assert SECRET in url.reveal()
    assert pickle.loads(pickle.dumps(url)) == url  # noqa: S301 our own bytes


@pytest.mark.parametrize(
    "text",
    [
        f"x:u:{SECRET}@h",
        f"u:{SECRET}@h",
        f"x://u:{SECRET}/more@h",
        f"x://u:{SECRET}@more@h:port",
        f"x://u:{SECRET}@[h",
        f"x://u:{SECRET}@h:99999",
        f"x://u:{SECRET}@h/#",
        f"x://u:{SECRET}@h\0",
        f"x://u:{SECRET}%ff@h",
        f"x://h:x/?token={SECRET}",
        f"x://h:x/?tokne={SECRET}",
    ],
)
def test_errors_hide_what_may_be_secret(text: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse(text)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_options_are_read_into_their_types() -> None:
    url = parse("x://h/?timeout=500ms&buffer=4MiB&threads=2&tls=yes&name=a%20b")
    assert url.options(Options) == Options(Duration(0.5), Size(4 << 20), threads=2, tls=True, name="a b")
    assert parse("x://h").options(Options) == Options()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("thread=2", "unknown option 'thread'; did you mean 'threads'?"),
        ("threads=two", "option threads: 'two' is not a whole number"),
        ("timeout=soon", "option timeout: 'soon' is not a duration"),
        ("tls=maybe", "option tls: 'maybe' is neither true nor false"),
        ("threads=1&threads=2", "option threads stands there twice"),
    ],
)
def test_wrong_options_are_refused(query: str, reason: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse(f"x://h/?{query}").options(Options)
    assert reason in str(caught.value)


def test_a_missing_option_is_named() -> None:
    assert parse("x://h/?database=a").options(Required) == Required("a")
    with pytest.raises(UrlError, match="option database is missing"):
        parse("x://h/").options(Required)


def test_the_value_of_a_misspelt_option_is_not_shown() -> None:
    with pytest.raises(UrlError) as caught:
        parse(f"x://h/?tokne={SECRET}").options(Options)
    assert SECRET not in str(caught.value)


def test_host_and_port_are_those_of_the_first() -> None:
    assert (parse("x://a:1,b:2").host, parse("x://a:1,b:2").port) == ("a", 1)
    assert (parse("x:").host, parse("x:").port) == ("", None)


def test_routing_keys_are_no_secret() -> None:
    assert str(parse("amqp://h?keys=org.%23,a.b&key=secret&api_key=secret")) == "amqp://h?keys=org.%23,a.b&key=***&api_key=***"
