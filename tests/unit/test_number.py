from __future__ import annotations

import math
import random
import struct

import pytest

from nilometer.core.wire.number import from_text, to_text
from nilometer.testing import javascript

PRINTED = [
    (0.0, "0"),
    (-0.0, "0"),
    (1.0, "1"),
    (-2.5, "-2.5"),
    (0.1 + 0.2, "0.30000000000000004"),
    (1e15, "1000000000000000"),
    (1e16, "10000000000000000"),
    (123456789012345680000.0, "123456789012345680000"),
    (9.99e20, "999000000000000000000"),
    (1e21, "1e+21"),
    (-1.5e21, "-1.5e+21"),
    (0.0001, "0.0001"),
    (0.00001, "0.00001"),
    (0.000001, "0.000001"),
    (0.00000123, "0.00000123"),
    (0.0000001, "1e-7"),
    (-0.000000123, "-1.23e-7"),
    (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    (math.nan, "NaN"),
]
READ = [
    ("1", 1.0),
    ("+1", 1.0),
    ("-1", -1.0),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e3", 1000.0),
    ("1E-3", 0.001),
    ("007", 7.0),
    ("0x10", 16.0),
    ("0XfF", 255.0),
    ("0b11", 3.0),
    ("0O17", 15.0),
    ("Infinity", math.inf),
    ("-Infinity", -math.inf),
    ("1e400", math.inf),
    ("0x" + "f" * 300, math.inf),
    ("1e-400", 0.0),
    ("9007199254740993", 9007199254740992.0),
    ("0x20000000000001", 9007199254740992.0),
    ("0x20000000000003", 9007199254740996.0),
    (" ", 0.0),
    ("\u00a0\ufeff\u2003", 0.0),
    (" 7\t", 7.0),
    ("\ufeff7\u2028", 7.0),
]
REFUSED = [
    "",
    "NaN",
    "nan",
    "inf",
    "infinity",
    "1,5",
    "1_000",
    "+0x10",
    "-0b1",
    "0x",
    "0xg",
    "0b2",
    "0o8",
    ".",
    "e5",
    "1e",
    "1e+",
]
REFUSED += ["--1", "1 2", "1\x00", "٣", "\x857", "7\x1c", "0x1_0", "0x 1", "1.2.3", "1e2.5", "- 1"]


@pytest.mark.parametrize(("value", "text"), PRINTED)
def test_numbers_print_as_in_javascript(value: float, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(("text", "value"), READ)
def test_numbers_read_as_in_javascript(text: str, value: float) -> None:
    assert from_text(text) == value


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_a_number_in_javascript_is_none(text: str) -> None:
    assert from_text(text) is None


def test_minus_zero_keeps_its_sign() -> None:
    value = from_text("-0")
    assert value is not None
    assert math.copysign(1, value) == -1


def doubles(count: int) -> list[float]:
    """Doubles of every magnitude: random bits, random decimals, whole numbers, and the neighbours of powers of ten."""
    draw = random.Random(8125)  # noqa: S311 a sample to test with
    found = [value for value, _ in PRINTED]
    found += [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(count)]
    found += [round(draw.uniform(-1e6, 1e6), draw.randrange(12)) for _ in range(count)]
    found += [float(draw.getrandbits(draw.randrange(1, 80))) for _ in range(count)]
    for power in range(-30, 31):
        near = float(f"1e{power}")
        found += [near, math.nextafter(near, 0), math.nextafter(near, math.inf)]
    return found


def texts(count: int) -> list[str]:
    """Texts that are numbers, nearly numbers, and not numbers at all."""
    draw = random.Random(2003)  # noqa: S311 a sample to test with
    alphabet = ["0", "1", "9", ".", "e", "E", "+", "-", "x", "0x", "0b", "0o", "Infinity", " ", "\t", "\u00a0", "f", "_", "NaN"]
    found = [text for text, _ in READ] + REFUSED
    found += ["".join(draw.choices(alphabet, k=draw.randrange(1, 6))) for _ in range(count)]
    found += ["".join(draw.choices("0123456789.", k=draw.randrange(1, 40))) for _ in range(count)]
    found += ["0x" + "".join(draw.choices("0123456789abcdef", k=draw.randrange(1, 30))) for _ in range(count)]
    found += [f"{draw.uniform(-10, 10)!r}e{draw.randrange(-330, 330)}" for _ in range(count)]
    return found


def test_printed_numbers_are_those_of_real_javascript() -> None:
    values = doubles(2000)
    hexes = [struct.pack(">d", value).hex() for value in values]
    printed = javascript.evaluate("input.map((hex) => String(Buffer.from(hex, 'hex').readDoubleBE(0)))", hexes)
    assert [to_text(value) for value in values] == printed


def test_read_numbers_are_those_of_real_javascript() -> None:
    sample = texts(1500)
    program = """input.map((text) => {
      const number = Number(text), bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(number, 0);
      return text === '' || isNaN(number) ? null : bytes.toString('hex');
    })"""
    ours = [from_text(text) for text in sample]
    assert [None if value is None else struct.pack(">d", value).hex() for value in ours] == javascript.evaluate(program, sample)
