"""``nilometer send``: metrics from arguments or standard input to any listener.

Rules:

* Lines given as arguments are checked together: when one is bad, none is sent (exit code 2).
* Lines from standard input are checked one by one: the good ones are sent, the bad ones are named with their line number
  and counted (exit code 1).
* What could not be sent is counted and said. Without any LINE, an empty standard input is wrong use (exit code 2); who asks
  for it with ``-`` may have nothing to send.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from nilometer.cli import lines as outgoing
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE, FAILED
from nilometer.cli.peer import connect, reaching
from nilometer.core import url as urls
from nilometer.core.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.cli.peer import Peer
    from nilometer.core.url import Url

DEFAULT = "udp://127.0.0.1:8125"
SHAPE = "a line is name:value|type, such as page.views:1|c, load:0.7|g, request:23|ms or users:alice|s"
SHOWN = 10
"""How many bad lines of standard input are named; the rest is only counted."""
EVERY = 0.2
"""Seconds between two reports of progress on a terminal."""


@dataclass(slots=True)
class Sending:
    """One run: where lines go, and how many were sent and refused."""

    url: Url
    peer: Peer
    raw: bool
    terminal: bool
    read: int = 0
    sent: int = 0
    refused: int = 0
    packets: int = 0
    began: float = field(default_factory=time.monotonic)
    reported: float = 0.0

    def send(self, batch: Iterable[bytes]) -> None:
        """Send lines. Raise `Unavailable`, with the count of what had been sent before."""
        try:
            with reaching(self.url):
                for packet in outgoing.pack(batch, self.peer.limit):
                    self.peer.send(packet.data)
                    self.sent += packet.lines
                    self.packets += 1
        except Unavailable as error:
            message = f"{error} (lines sent before: {self.sent:,})"
            raise Unavailable(message) from error

    def good(self, batch: Iterable[bytes]) -> list[bytes]:
        """Return the lines of standard input that can be sent; name the others."""
        kept = []
        for line in batch:
            self.read += 1
            text = line if self.raw else line.removesuffix(b"\r")
            reason = "" if self.raw or not text else outgoing.fault(text, outgoing.dialect(self.url))
            if reason:
                self._refuse(text, reason)
            elif text:
                kept.append(text)
        return kept

    def _refuse(self, line: bytes, reason: str) -> None:
        self.refused += 1
        if self.refused <= SHOWN:
            _say(f"line {self.read}: {_shown(line)}: {reason}")

    def progress(self, *, final: bool = False) -> None:
        """Say on a terminal how far things are."""
        now = time.monotonic()
        if not self.terminal or (now - self.reported < EVERY and not final):
            return
        self.reported = now
        rate = self.sent / max(now - self.began, 0.001)
        end = "\n" if final else ""
        click.echo(f"\r{self.sent:,} lines sent to {self.url}, {rate:,.0f} a second{end}", nl=False, err=True)


def _say(message: str) -> None:
    click.echo(f"nilometer: {message}", err=True)


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 80 else text[:77] + "...")  # noqa: PLR2004 what fits a terminal's line


def _checked(arguments: Iterable[str], url: Url, *, raw: bool) -> list[bytes]:
    """Return the arguments as lines. Raise `ConfigError` naming every bad one."""
    lines = [line for argument in arguments for line in os.fsencode(argument).split(b"\n")]
    faults = [] if raw else [(line, outgoing.fault(line, outgoing.dialect(url))) for line in lines]
    bad = [f"{_shown(line)}: {reason}" for line, reason in faults if reason]
    if bad:
        message = f"nothing sent, for {'; '.join(bad)}\n  {SHAPE}\n  (--raw sends anything)"
        raise ConfigError(message)
    return lines


def _from_input(sending: Sending) -> None:
    for batch in outgoing.batches(sys.stdin.buffer):
        sending.send(sending.good(batch))
        sending.progress()


@click.command(
    cls=Command,
    examples=[
        Example(
            "Count a page view, set a gauge, time a request", "nilometer send 'page.views:1|c' 'load:0.7|g' 'request:23|ms'"
        ),
        Example("With a tag, to another machine", "nilometer send --to udp://metrics.example 'page.views:1|c|#site:shop'"),
        Example("A whole file, over TCP so that none is lost on the way", "nilometer send --to tcp://127.0.0.1 < lines.txt"),
    ],
    exits={0: "all sent", 1: "something was not sent", 2: "wrong use, nothing to send, or a bad line among the arguments"},
)
@click.option("--to", "to", default=DEFAULT, show_default=True, metavar="URL", help="A listener: udp, tcp, unix or unixgram.")
@click.option("--raw", is_flag=True, help="Send lines as they are, unchecked.")
@click.argument("lines", nargs=-1, metavar="[LINE]...")
def command(to: str, lines: tuple[str, ...], *, raw: bool) -> int:
    """Send metrics to a StatsD server.

    A LINE is name:value|type. Without any, or with -, lines are read from standard input and sent as they come. Lines are
    checked first, and packed into datagrams of at most 1432 bytes.
    """
    url = urls.parse(to)
    from_input = not lines or lines == ("-",)
    given = [] if from_input else _checked(lines, url, raw=raw)
    sending = Sending(url, connect(url), raw, terminal=sys.stderr.isatty())
    try:
        if from_input:
            _from_input(sending)
        else:
            sending.send(given)
    finally:
        with reaching(url):
            sending.peer.close()
        sending.progress(final=True)
    if not lines and not sending.read:
        message = f"nothing to send: no LINE was given, and standard input is empty; {SHAPE}"
        raise ConfigError(message)
    if sending.refused:
        _say(f"{sending.refused:,} bad lines were not sent; {SHAPE}")
    return FAILED if sending.refused else DONE
