"""The program: exit codes, one line for an error, commands loaded on first use, help that teaches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest

from nilometer.cli import help as teaching
from nilometer.cli import main, program, version
from nilometer.core.errors import ConfigError, NilometerError, StaleBuild, StoreError, Unavailable
from nilometer.ingest import _kernel

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = list(program.COMMANDS)


def failing(error: BaseException) -> Callable[[list[str]], int]:
    def invoke(arguments: list[str]) -> int:
        del arguments
        raise error

    return invoke


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("no such thing"), 2),
        (Unavailable("away"), 1),
        (StoreError("torn"), 1),
        (NilometerError("something"), 1),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: NilometerError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "invoke", failing(error))
    assert main.main([]) == code
    assert capsys.readouterr() == ("", f"nilometer: {error}\n")


@pytest.mark.parametrize(("arguments", "variable"), [(["--debug"], ""), ([], "1")])
def test_debugging_keeps_the_traceback(arguments: list[str], variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(main.DEBUG, variable)
    monkeypatch.setattr(program, "invoke", failing(Unavailable("away")))
    with pytest.raises(Unavailable):
        main.main(arguments)


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(program, "invoke", failing(KeyboardInterrupt()))
    assert main.main([]) == 130
    assert capsys.readouterr().err == ""


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "invoke", failing(ValueError("bug")))
    with pytest.raises(ValueError, match="bug"):
        main.main([])


def test_a_bare_install_says_what_to_type(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "nilometer.cli.program")
    monkeypatch.delattr("nilometer.cli.program")
    monkeypatch.delitem(sys.modules, "nilometer.cli.help")
    monkeypatch.delattr("nilometer.cli.help")
    monkeypatch.setitem(sys.modules, "click", None)
    assert main.main(["--help"]) == 2
    assert "pip install 'nilometer[server]'" in capsys.readouterr().err


def test_another_missing_module_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nilometer.cli.program", None)
    with pytest.raises(ModuleNotFoundError):
        main.main(["--help"])


def test_run_ends_the_process_with_the_exit_code() -> None:
    with pytest.raises(SystemExit) as ended:
        main.run(["--frob"])
    assert ended.value.code == 2


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_a_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["sned"]) == 2
    assert capsys.readouterr().err == (
        "nilometer: No such command 'sned'; did you mean 'send'?\nTry 'nilometer --help' for help.\n"
    )


def test_a_wrong_option_names_the_command_whose_help_explains(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["send", "--frob"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("nilometer: No such option '--frob'")
    assert error.endswith("Try 'nilometer send --help' for help.\n")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--help"]) == 0
    output = capsys.readouterr().out
    for name, place in program.COMMANDS.items():
        assert name in output
        assert place.summary in output


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_teaches(name: str) -> None:
    command = program.program.get_command(click.Context(program.program), name)
    assert isinstance(command, teaching.Taught)
    assert command.examples
    assert all("nilometer" in example.line for example in command.examples)
    assert (command.help or "").partition("\n")[0] == program.COMMANDS[name].summary


def test_a_result_that_is_a_number_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def seven() -> int:
        return 7

    monkeypatch.setattr(program, "program", seven)
    assert program.invoke([]) == 7


def test_abort_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def aborting() -> None:
        raise click.Abort

    monkeypatch.setattr(program, "program", aborting)
    with pytest.raises(KeyboardInterrupt):
        program.invoke([])


def test_version_names_the_kernel_and_every_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NILOMETER_KERNEL", "reference")
    assert main.main(["--version"]) == 0
    words = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert words == ["nilometer", "kernel", "python", "sqlite"]


def test_version_speaks_even_of_a_stale_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def stale() -> str:
        message = "stale; type: make native"
        raise StaleBuild(message)

    monkeypatch.setattr(_kernel, "describe", stale)
    assert "kernel     none: stale; type: make native" in version.text()
