"""Tables that are made: those that visitors use, and one that comes and goes."""

from __future__ import annotations

import time
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING

from tableservice.traffic.visits import PROJECTS, TABLE

if TYPE_CHECKING:
    from threading import Event

    from tableservice.traffic.client import Client

PAUSE = 0.1
"""Seconds between two looks at a table's state."""
LIFE, REST = 4.0, 11.0
"""Seconds for which a table is there, and until the next one."""
WORK = 20.0
"""Seconds that a task has."""


def make(client: Client, project: str, name: str, ended: Event) -> None:
    """Create a table unless it is there, and wait until it can be used; what fails is tried again."""
    end = time.monotonic() + WORK
    while time.monotonic() < end and not ended.wait(PAUSE):
        try:
            if _made(client, f"/v1/data/{project}/tables", name):
                return
        except (OSError, HTTPException):
            client.close()


def _made(client: Client, path: str, name: str) -> bool:
    """Do what is to be done next for a table, and say whether it can be used."""
    found = client.ask("GET", f"{path}/{name}")
    status = found.json["table"]["table_status"] if found.status == HTTPStatus.OK else ""
    if status == "CREATE_FAILURE":
        client.ask("DELETE", f"{path}/{name}")
    elif not status:
        client.ask("POST", path, {**TABLE, "table_name": name})
    return status == "ACTIVE"


def prepare(client: Client, ended: Event) -> None:
    """Make the tables that visitors use."""
    for project in PROJECTS:
        make(client, project, str(TABLE["table_name"]), ended)


def come_and_go(client: Client, ended: Event) -> None:
    """Create a table and delete it again, now and then, until the end."""
    number = 0
    while not ended.is_set():
        number += 1
        project = list(PROJECTS)[number % len(PROJECTS)]
        try:
            make(client, project, f"report-{number}", ended)
            ended.wait(LIFE)
            client.ask("DELETE", f"/v1/data/{project}/tables/report-{number}")
        except (OSError, HTTPException):
            client.close()
        ended.wait(REST)
