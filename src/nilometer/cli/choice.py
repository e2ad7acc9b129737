"""A word out of a list, as an option or an argument; a mistyped one is answered with the nearest."""

from __future__ import annotations

import click

from nilometer.core.errors import did_you_mean


class Choice(click.Choice[str]):
    """`click.Choice` of words, which names the nearest word to one that is none of them."""

    def get_invalid_choice_message(self, value: str, ctx: click.Context | None) -> str:
        """Return what is wrong with `value`, and what was probably meant."""
        return super().get_invalid_choice_message(value, ctx).removesuffix(".") + did_you_mean(value, self.choices)
