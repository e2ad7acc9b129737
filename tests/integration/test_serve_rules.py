"""``nilometer serve`` with rules: SIGHUP brings other ones, a wrong file leaves the old ones, no window is lost."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

DROP = '[[rules]]\nprefix = "a"\naction = "drop"\n'
RENAME = '[rules]\nmapping = "{mapping}"\n'
MAPPING = "mappings: [{match: 'a', name: renamed, labels: {by: mapping}}]"


def reload(server: Serving, said: str) -> None:
    before = len(server.log)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: any(said in line for line in server.log[before:]), said)


def test_rules_are_reloaded_and_wrong_ones_are_not(tmp_path: Path) -> None:
    file, mapping = tmp_path / "n.toml", tmp_path / "mapping.yml"
    file.write_text(DROP)
    mapping.write_text(MAPPING)
    arguments = ("-c", str(file), "--listen=tcp://127.0.0.1:0", "--flush-interval=1h")
    server = Serving(*arguments, state=tmp_path / "state").ready()
    try:
        server.feed(b"a:1|c\nb:1|c\n")
        file.write_text(DROP + "[[rules]]\nregex = '('\n")
        reload(server, "n.toml:4: rules.list: rule 2: regex: '(' at character 2: a ')' is missing")
        server.feed(b"a:2|c\nb:2|c\n")
        file.write_text(RENAME.format(mapping=mapping))
        reload(server, "settings reloaded")
        server.feed(b"a:4|c\nb:4|c\n")
        mapping.write_text("mappings: [{match: 'a'}]")
        reload(server, "mapping.yml: mapping 1: name = '': it is missing")
        server.feed(b"a:8|c\nb:8|c\n")
        assert server.stop() == 0
    finally:
        server.kill()
    assert (server.total("renamed;by=mapping"), server.total("b"), server.total("a")) == (12, 15, 0)
    assert server.total("nilometer.lost.kernel.rule") == 2
