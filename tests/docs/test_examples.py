"""The examples in the documents: commands parse, URLs are right, console sessions show what really happens."""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from nilometer.backends import registry
from nilometer.cli import check
from nilometer.cli.help import Taught
from nilometer.cli.program import program
from nilometer.core import settings as table
from nilometer.core import statsd_target
from nilometer.core import url as urls
from nilometer.core.errors import UrlError
from nilometer.emit.client import options as client
from nilometer.emit.notifier import options as driver
from nilometer.ingest import listener_urls
from nilometer.ingest.relay import targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.conftest import Block

URL = re.compile(r"(?<![\w+.-])([a-z][a-z0-9+]*)://[^\s`'\"|)<>,]*")
CUTS = {"|", ">", ">>", "<", "&&", ";"}
SAMPLE = {"generate-settings", "sudo"}


def commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each `nilometer` in lines of shell."""
    for line in text.splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|<>&;()")
        lexer.whitespace_split = True
        yield from _commands(list(lexer))


def _commands(words: list[str]) -> Iterator[list[str]]:
    for start, word in enumerate(words):
        if Path(word).name == "nilometer" and (start == 0 or words[start - 1] in CUTS | SAMPLE):
            rest = words[start + 1 :]
            end = next((index for index, other in enumerate(rest) if set(other) <= set("|<>&;()")), len(rest))
            yield rest[:end]


def parse(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> None:
    """Parse a command line as the command would, and run nothing. Raise click's errors."""
    context = command.make_context(command.name, list(arguments), parent=parent, resilient_parsing=False)
    if isinstance(command, click.Group):
        name, child, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert child is not None, name
        parse(child, rest, context)


def examples(command: click.Command) -> Iterator[str]:
    """Yield the examples of a command's help and of its subcommands'."""
    assert isinstance(command, Taught)
    yield from (example.line for example in command.examples)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from examples(child)


def check_commands(text: str) -> None:
    for arguments in commands(text):
        try:
            parse(program, arguments)
        except click.exceptions.Exit:
            assert arguments == ["--version"]


def test_commands_in_documents_parse(sh_block: Block) -> None:
    check_commands(sh_block.text)


@pytest.mark.parametrize("line", sorted(set(examples(program))))
def test_examples_of_the_help_parse(line: str) -> None:
    assert list(commands(line.replace("$(", " ( ").replace('"', ""))) or "eval" in line
    check_commands(line)


def test_a_wrong_example_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        check_commands("sudo nilometer config sho")
    with pytest.raises(click.UsageError):
        check_commands("echo x | .venv/bin/nilometer send --too udp://:1 > out")


def test_urls_in_documents_are_right(page: Path) -> None:
    known = {*registry.TABLE, *check.LISTENERS}
    for match in URL.finditer(page.read_text(encoding="utf-8").replace("…", "")):
        if match[1] in known and not match[0].endswith("://host:port"):
            check_url(match[0].rstrip(".:;" if "[" in match[0] else ".:;]"))


def check_url(text: str) -> None:
    url = urls.parse(text)
    if url.scheme in check.LISTENERS:
        if url.scheme in (targets.UDP, targets.TCP) and {"admin", "weight"} & dict(url.query).keys():
            targets.target(url)
        elif url.hosts or url.path:
            listener_urls.check(url, sending=url.scheme == listener_urls.TCP_TLS)
    elif url.scheme in statsd_target.SCHEMES and {"aggregate", "constant", "flush", "queue"} & dict(url.query).keys():
        client.read(text)
    else:
        url = driver.read(text, "").url if driver.NAMES & dict(url.query).keys() else url
        known(url)


def known(url: urls.Url) -> None:
    """Read a URL's options as one of its backends does. Raise what the last of them says."""
    *others, last = registry.modules(url.scheme)
    for module in others:
        with contextlib.suppress(UrlError):
            url.options(module.Options)
            return
    url.options(last.Options)


def test_ini_blocks_parse(ini_block: Block) -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read_string(ini_block.text)
    assert parser.sections()


def test_python_blocks_compile(python_block: Block) -> None:
    assert compile(python_block.text, str(python_block), "exec")


def test_patterns_for_carbon_compile_and_fit(root: Path) -> None:
    text = (root / "docs/howto/graphite.md").read_text(encoding="utf-8")
    rules = re.findall(r"^\[(\w+)\]\npattern = (.*)$", text, re.MULTILINE)
    chosen = {
        path: next(name for name, pattern in rules[1:] if re.search(pattern, path))
        for path in (
            "stats.timers.t.upper_90",
            "stats.timers.t.lower",
            "stats.counters.c.count",
            "stats.timers.t.sum_squares_90",
        )
    }
    assert list(chosen.values()) == ["upper", "lower", "count", "count"]
    assert re.search(dict(rules)["nilometer"], "stats.gauges.g")


def test_make_targets_exist(page: Path, root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= targets


def test_console_sessions_show_what_happens(console_block: Block, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NILOMETER_KERNEL": "reference",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),  # what is tested may not be what is installed
    }
    for typed, shown in session(console_block.text):
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {typed}"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        pattern = re.escape(shown).replace("…", ".*")
        assert re.fullmatch(pattern, done.stdout), f"$ {typed}\n{done.stdout}"


def session(text: str) -> Iterator[tuple[str, str]]:
    """Yield what is typed and what is shown; `…` stands for anything within a line."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        typed, _, shown = part.partition("\n")
        yield typed, shown


def test_settings_in_documents_are_good(toml_block: Block, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(toml_block.text, encoding="utf-8")
    assert table.load(file, {}).origins
