from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from nilometer.cli.duration import DurationType


@click.command()
@click.option("--every", type=DurationType(0.5, 3600), default="1m")
def command(every: float) -> None:
    click.echo(every)


def said(*arguments: str) -> str:
    return CliRunner().invoke(command, arguments).output


@pytest.mark.parametrize(("text", "seconds"), [("10", 10.0), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600.0)])
def test_a_duration_has_a_unit_or_is_seconds(text: str, seconds: float) -> None:
    assert float(said("--every", text)) == seconds
    assert float(said()) == 60


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("soon", "'soon' is not a duration such as 10s"),
        ("10x", "unknown unit; known are ms, s, m"),
        ("100ms", "100ms is not at least 500ms"),
        ("2h", "2h is not at most 1h"),
    ],
)
def test_what_is_none_or_out_of_bounds_is_refused_with_the_reason(text: str, reason: str) -> None:
    assert reason in said("--every", text)
