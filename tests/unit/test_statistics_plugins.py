"""The plugins that come along, over messages as Fedora's buses and OpenStack's services send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.core.record import Event
from nilometer.core.statistics.message import of_event
from nilometer.statistics.plugins import PLUGINS
from nilometer.statistics.tallying import tallied

if TYPE_CHECKING:
    from nilometer.core.statistics import Message, Tally

START = 1_767_571_200.0
FEDORA = "org.fedoraproject.prod."
BUILT = {
    "owner": "masher",
    "method": "livecd",
    "srpm": "fedora-live-x86_64",
    "new": "CLOSED",
    "info": {"request": ["a", "rawhide", {}]},
}


def message(number: int, topic: str, body: dict[str, Any] | None = None, **about: Any) -> Message:  # noqa: ANN401 what an event has
    context: dict[str, Any] = {name: about.pop(name) for name in ("users", "packages") if name in about}
    found = Event(f"m{number}", about.pop("time", START + number), topic, payload=body or {}, context=context, **about)
    return of_event(found, arrived=START + 100, archived=False, number=number)


def kept(*messages: Message) -> dict[str, Tally]:
    found = tallied([each for plugin in PLUGINS for each in plugin().statistics()], messages)
    assert found.failures == []
    return found.tallies


def sums(tally: Tally) -> dict[tuple[str | None, ...], float]:
    return {key: each.amount for (_, key), each in tally.sums.items()}


def test_idents_are_those_of_statscache() -> None:
    idents = {each.ident for plugin in PLUGINS for each in plugin().statistics()}
    assert len(idents) == sum(len(plugin.windows) for plugin in PLUGINS)
    assert idents >= {
        *(f"volume-{window}" for window in ("1s", "5s", "1m")),
        *(f"volume-by-category-{window}" for window in ("1s", "15s", "1m", "1h", "1d")),
        *(f"volume-by-{what}-{window}" for what in ("topic", "user", "package") for window in ("1s", "5s", "1m")),
        "number-of-contribution-to-pagure.io-1d",
        "number-of-contribution-per-user-to-pagure.io-1d",
        "number-of-contribution-per-project-to-pagure.io-1d",
        "release-engineering-event-logs",
        "popularity",
    }


def test_messages_are_counted_by_what_they_are_about() -> None:
    found = kept(
        message(1, f"{FEDORA}git.receive", users=["ralph", "ralph"], packages=["kernel"]),
        message(2, f"{FEDORA}bodhi.update.comment", {"agent": "ralph"}, users=["lmacken", "ralph"]),
        message(3, "too.short"),
        message(4, "VirtualTopic.eng.brew.task.closed", publisher="brew"),
    )
    assert sums(found["volume-1d"]) == {(): 4}
    assert sums(found["volume-by-category-1d"]) == {("git",): 1, ("bodhi",): 1, ("task",): 1}
    assert sums(found["volume-by-user-1d"]) == {("ralph",): 2, ("lmacken",): 1} == sums(found["popularity"])
    assert sums(found["volume-by-package-1d"]) == {("kernel",): 1}
    assert sums(found["volume-by-agent-1d"]) == {("ralph",): 1}
    assert sums(found["volume-by-application-1d"]) == {("brew",): 1}
    assert len(found["active-users-1d"].members) == 3


def test_contributions_count_by_forge_user_and_project_but_edited_comments_for_no_project() -> None:
    pagure = "io.pagure.prod.pagure."
    found = kept(
        message(1, f"{pagure}issue.new", {"project": {"name": "pagure"}}, users=["pingou"]),
        message(2, f"{pagure}pull-request.new", {"pullrequest": {"project": {"name": "fedocal"}}}, users=["pingou"]),
        message(3, f"{pagure}git.receive", {"repo": {"name": "pagure"}}, users=["ralph"]),
        message(4, f"{pagure}issue.comment.edited", {"project": {"name": "pagure"}}, users=["ralph"]),
        message(5, f"{FEDORA}git.receive", users=["ralph"]),
        message(6, f"{FEDORA}github.push", {"repository": {"full_name": "fedora-infra/bodhi"}}),
    )
    assert sums(found["number-of-contribution-to-pagure.io-1d"]) == {(): 4}
    assert sums(found["number-of-contribution-per-user-to-pagure.io-1d"]) == {("pingou",): 2, ("ralph",): 2}
    assert sums(found["number-of-contribution-per-project-to-pagure.io-1d"]) == {("pagure",): 2, ("fedocal",): 1}
    assert sums(found["number-of-contribution-per-project-to-github-1d"]) == {("fedora-infra/bodhi",): 1}


def log(*messages: Message) -> dict[tuple[str | None, ...], tuple[float, dict[str, Any]]]:
    latest = kept(*messages)["release-engineering-event-logs"].latest
    return {key: (each.time, json.loads(each.value)) for key, each in latest.items()}


def test_the_log_keeps_the_newest_event_of_each_category_and_constraint_whatever_comes_first() -> None:
    found = log(
        message(1, f"{FEDORA}compose.rawhide.complete", time=START + 200),
        message(2, f"{FEDORA}compose.rawhide.start", time=START + 100),
        message(3, f"{FEDORA}compose.branched.rsync.start", {"arch": "arm"}),
        message(4, f"{FEDORA}compose.28.complete"),
        message(5, f"{FEDORA}bodhi.updates.epel.sync", {"release": "7", "repo": "epel-testing"}),
        message(6, f"{FEDORA}bodhi.updates.fedora.sync", {"release": 7}),
    )
    assert found == {
        ("compose-rawhide_primary", "rawhide"): (START + 200, {"name": "Rawhide", "status": "complete"}),
        ("compose-branched_arm", "rsync"): (START + 3, {"name": "Rsync", "status": "start"}),
        ("updates-epel", "7-epel-testing"): (START + 5, {"name": "7-epel-testing", "status": "synced out"}),
    }


def test_the_log_tells_of_images_and_artifacts() -> None:
    image = {"image_name": "Fedora-Cloud-Base-rawhide-20140604.x86_64", "status": "completed", "extra": {"id": "ami-1"}}
    found = log(
        message(1, f"{FEDORA}fedimg.image.upload", {**image, "destination": "EC2 (eu-west-1)"}),
        message(2, f"{FEDORA}fedimg.image.test", {**image, "status": "started", "destination": "EC2 (eu-west-2)"}),
        message(
            3,
            f"{FEDORA}buildsys.task.state.change",
            {
                "owner": "masher",
                "method": "livecd",
                "srpm": "fedora-live-x86_64",
                "new": "CLOSED",
                "info": {"request": ["a", "rawhide", {}]},
            },
        ),
        message(4, f"{FEDORA}buildsys.task.state.change", {"owner": "ralph", "method": "livecd", "srpm": "x-y", "new": "OPEN"}),
    )
    assert set(found) == {
        ("ami-rawhide", "Fedora-Cloud-Base-rawhide-20140604.x86_64-eu-west-1"),
        ("artifact-livecd_x86_64", "fedora-live-x86_64 (rawhide)"),
    }


def test_usage_adds_up_by_project_and_type() -> None:
    period = {"audit_period_beginning": "2026-01-05T00:00:00Z", "audit_period_ending": "2026-01-05T02:00:00Z"}
    found = kept(
        message(1, "magnetodb.data.putitem", {"rows_impacted": 3}, tenant="acme"),
        message(2, "magnetodb.data.getitem", tenant="acme"),
        message(3, "magnetodb.table.usage", {**period, "disk_gb": 1.5}, tenant="acme"),
    )
    assert sums(found["usage-writes-1d"]) == {("acme", "magnetodb.data.putitem"): 3}
    assert sums(found["usage-reads-1d"]) == {("acme", "magnetodb.data.getitem"): 1}
    assert sums(found["usage-storage-1d"]) == {("acme", "magnetodb.table.usage"): 3.0}
    assert sum(sums(found["notifications-1d"]).values()) == 3


@pytest.mark.parametrize("amount", [1e16, 1e300, 1 << 70])
def test_usage_beyond_what_adds_up_stops_nothing(amount: float) -> None:
    ever = {"audit_period_beginning": "0001-01-01T00:00:00Z", "audit_period_ending": "9999-01-01T00:00:00Z"}
    found = kept(
        message(1, "magnetodb.data.putitem", {"rows_impacted": amount}, tenant="acme"),
        message(2, "magnetodb.data.getitem", {"rows_impacted": amount}, tenant="acme"),
        message(3, "magnetodb.table.usage", {**ever, "disk_gb": 1e15}, tenant="acme"),
    )
    assert not any(found[f"usage-{used}-1d"] for used in ("reads", "writes", "storage"))


@pytest.mark.parametrize(
    "body",
    [{}, {"agent": ["x"]}, {"repo": "x"}, {"project": ["x"]}, {"pullrequest": {"project": None}}, {"release": [], "repo": {}},
     {"image_name": "", "status": "completed"}, {"owner": "masher", "method": "livecd", "srpm": {}},
     {"owner": "masher", "method": "livecd", "srpm": "a-b", "info": {"request": [None, None]}}],
)  # fmt: skip
@pytest.mark.parametrize("topic", ["io.pagure.prod.pagure.git.receive", "org.fedoraproject.prod.bodhi.updates.fedora.sync",
                                   "org.fedoraproject.prod.fedimg.image.upload", "magnetodb.table.usage", "x"])  # fmt: skip
def test_no_body_stops_a_plugin(topic: str, body: dict[str, Any]) -> None:
    kept(message(1, topic, body))
