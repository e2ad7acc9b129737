"""NATS JetStream: events to a stream, and messages from one.

Rules:

* An event is written once the stream has acknowledged it. All events of a batch are sent at once, then all are waited for.
* Its id is the header ``Nats-Msg-Id``: within the stream's window of duplicates a retry stores nothing twice.
* The subject is the template `subject` filled in. What a subject cannot hold (blanks, ``*``, ``>``, empty parts) becomes ``_``.
* Messages come from a durable pull consumer. They are acknowledged when settled; what is not settled comes again after
  `ack_wait`, or as soon as the source is closed.
* A connection that fails is dropped, and the next call makes a new one: the addresses are tried in turn.
* Over `nats+tls` nothing secret is sent before TLS stands; a server without TLS is `Unavailable`.

Source: https://docs.nats.io/reference/reference-protocols/nats_api_reference
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nilometer.backends._parts.event_format import HELP, NILOMETER, Format, format_of
from nilometer.backends._parts.http import shown
from nilometer.backends._parts.loop import Loop
from nilometer.backends._parts.nats_connection import CLOSING, PORT, Login, connect, hang_up
from nilometer.backends._parts.nats_subject import check_template, subject
from nilometer.backends._parts.refusals import Refusals
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.errors import Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.record import Message

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Mapping, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

    from nilometer.core.record import Event
    from nilometer.core.url import Url

SCHEMES = ("nats", "nats+tls")
URL_EXAMPLES = (
    "nats://localhost:4222?stream=EVENTS&create=true",
    "nats+tls://nilometer:secret@one.example,two.example?ca=/etc/nilometer/ca.pem",
    "nats://localhost?subject={prefix}.{tenant}.{type}&format=cloudevents",
)
EXTRA = "nats"
Result = TypeVar("Result")
ID, CONTENT_TYPE = "Nats-Msg-Id", "Content-Type"
STREAM = re.compile(r"[^\s.*>/\\\x00-\x1f\x7f]{1,255}")
OUTSTANDING = 10_000
"""Messages that a consumer hands out before the first of them is settled, at most."""
TOO_LARGE = 10054
"""JetStream's code for a message that a stream has no place for."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach NATS, and where events lie."""

    timeout: Duration = option(Duration(5), "longest time to connect, and for the answers to a batch")  # noqa: RUF009 declares a field
    prefix: str = option("nilometer", "first part of the subjects")
    subject: str = option(
        "{prefix}.{type}",
        "subject of an event; begins with `{prefix}`, and may have `{type}`, `{tenant}`, `{publisher}`, `{priority}`",
    )
    format: str = option(NILOMETER, HELP)
    stream: str = option("", "name of the stream; empty, the one that keeps the subjects")
    create: bool = option(default=False, text="make the stream `stream`, for all subjects of the prefix, when there is none")
    keep: Duration = option(Duration(7 * 86400), "how long a stream made by `create` keeps messages; 0: until it is full")  # noqa: RUF009 declares a field
    replicas: int = option(1, "on how many servers a stream made by `create` lies")
    consumer: str = option("nilometer", "name of the durable consumer that messages are received by")
    ack_wait: Duration = option(Duration(60), "when a message that is not settled comes again")  # noqa: RUF009 declares a field
    token: str = option("", "token to log in with, instead of user and password")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Nats:
    """Writes to, and receives from, one stream."""

    def __init__(self, url: Url, options: Options, form: Format, tls: ssl.SSLContext | None) -> None:
        self._url, self._options, self._format, self._tls = url, options, form, tls
        self._hosts = list(url.hosts)
        self._loop = Loop("nilometer-nats")
        self._refusals = Refusals(str(url))
        self._client: Client | None = None
        self._pull: JetStreamContext.PullSubscription | None = None
        self._open: set[str] = set()

    # -- writing -------------------------------------------------------------------------------------------------------

    def write_events(self, events: Sequence[Event]) -> None:
        """Store the events in the stream. Raise `Unavailable`, or `Rejected` when all are refused for good."""
        if events:
            self._refusals.add(self._run(self._publish(events), 2 * self._options.timeout), len(events))

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many events were refused since the last call, by stage and reason."""
        return self._refusals.taken()

    async def _publish(self, events: Sequence[Event]) -> list[str]:
        """Publish all, and return why some were refused for good."""
        stream = (await self._connected()).jetstream(timeout=self._options.timeout)
        written, refused = self._format.written(events)
        sent = [stream.publish(self._subject(event), body, headers=self._headers(event)) for event, body in written]
        for result in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(result, BaseException):
                refused.append(self._judged(result))
        return refused

    def _subject(self, event: Event) -> str:
        return subject(self._options.subject, self._options.prefix, event)

    def _headers(self, event: Event) -> dict[str, Any]:
        return {ID: event.id, CONTENT_TYPE: self._format.content_type}

    def _judged(self, error: BaseException) -> str:
        """Return why a message was refused for good; raise the error again when another attempt can help."""
        from nats.errors import MaxPayloadError  # noqa: PLC0415 a driver is imported where it is used
        from nats.js.errors import APIError, NoStreamResponseError  # noqa: PLC0415 see above

        if isinstance(error, NoStreamResponseError):
            message = (
                f"{self._url}: no stream keeps the subjects {self._options.prefix}.>; make one, or name it and add create=true"
            )
            raise Unavailable(message) from error
        if isinstance(error, MaxPayloadError) or (isinstance(error, APIError) and error.err_code == TOO_LARGE):
            return shown(error)
        raise error

    # -- receiving -----------------------------------------------------------------------------------------------------

    def receive(self, most: int, seconds: float) -> list[Message]:
        """Return up to `most` messages, waiting up to `seconds` for the first. Raise `Unavailable`."""
        return self._run(self._fetch(most, max(seconds, 0.01)), seconds + 2 * self._options.timeout)

    async def _fetch(self, most: int, seconds: float) -> list[Message]:
        pull = self._pull if self._pull is not None and self._alive() else await self._subscribed()
        self._pull = pull
        try:
            found = await pull.fetch(most, seconds)
        except TimeoutError:
            await pull.consumer_info()  # nothing came: is the other side still there?
            return []
        self._open.update(each.reply for each in found)
        return [_received(each) for each in found]

    async def _subscribed(self) -> JetStreamContext.PullSubscription:
        from nats.js.api import AckPolicy, ConsumerConfig  # noqa: PLC0415 a driver is imported where it is used
        from nats.js.errors import NotFoundError  # noqa: PLC0415 see above

        stream, options = (await self._connected()).jetstream(timeout=self._options.timeout), self._options
        config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=options.ack_wait, max_ack_pending=OUTSTANDING)
        try:
            return await stream.pull_subscribe(f"{options.prefix}.>", options.consumer, options.stream or None, config)
        except NotFoundError as error:
            message = f"{self._url}: no such stream; make one for {options.prefix}.>, or name it and add create=true"
            raise Unavailable(message) from error

    def settle(self, messages: Sequence[Message]) -> None:
        """Acknowledge the messages. Raise `Unavailable`: then they come again."""
        if messages:
            self._run(self._answer([message.mark for message in messages], b"+ACK"), 2 * self._options.timeout)

    async def _answer(self, marks: Sequence[str], answer: bytes) -> None:
        """Send the answer to each message, and see that the server has read them."""
        client = await self._connected()
        for mark in marks:
            await client.publish(mark, answer)
        await client.flush(self._options.timeout)  # type: ignore[arg-type] # seconds may have a fraction
        self._open.difference_update(marks)

    # -- the other side ------------------------------------------------------------------------------------------------

    def check(self) -> str:
        """Return the server's version, and what the stream holds. Raise `Unavailable`."""
        return self._run(self._checked(), 2 * self._options.timeout)

    async def _checked(self) -> str:
        client = await self._connected()
        stream = client.jetstream(timeout=self._options.timeout)
        number = client.connected_server_version
        version = f"NATS {number.major}.{number.minor}.{number.patch}"
        if not self._options.stream:
            return f"{version}, streams: {(await stream.account_info()).streams}"
        state = (await stream.stream_info(self._options.stream)).state
        return f"{version}, stream {self._options.stream}: {state.messages} messages"

    def _run(self, work: Coroutine[Any, Any, Result], timeout: float) -> Result:
        """Return what the work returns. Every fault of driver and network is `Unavailable`, and ends the connection."""
        from nats.errors import Error  # noqa: PLC0415 a driver is imported where it is used

        try:
            return self._loop.run(work, timeout)
        except (Error, OSError, ValueError, asyncio.CancelledError) as error:
            self._drop()
            said = f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else shown(error)
            message = f"{self._url}: {said or type(error).__name__}"
            raise Unavailable(message) from error

    def _alive(self) -> bool:
        return self._client is not None and self._client.is_connected

    async def _connected(self) -> Client:
        """Return the connection, a new one when none stands. Raise what the last address said when none answers."""
        if self._client is not None and self._alive():
            return self._client
        self._pull, self._client = None, None
        for number, host in enumerate(self._hosts):
            try:
                client = await connect(self._url, host, self._tls, Login(self._options.token, self._options.timeout))
                break
            except Exception:
                if number == len(self._hosts) - 1:
                    raise
        self._hosts = self._hosts[number:] + self._hosts[:number]
        self._client = client
        if self._options.create:
            await self._create(client)
        return client

    async def _create(self, client: Client) -> None:
        from nats.js.api import StreamConfig  # noqa: PLC0415 a driver is imported where it is used
        from nats.js.errors import NotFoundError  # noqa: PLC0415 see above

        stream, options = client.jetstream(timeout=self._options.timeout), self._options
        try:
            await stream.stream_info(options.stream)
        except NotFoundError:
            subjects = [f"{options.prefix}.>"]
            config = StreamConfig(options.stream, subjects=subjects, max_age=options.keep, num_replicas=options.replicas)
            await stream.add_stream(config)

    def _drop(self) -> None:
        client, self._client, self._pull = self._client, None, None
        self._open.clear()
        if client is not None:
            with contextlib.suppress(TimeoutError):
                self._loop.run(hang_up(client), 2 * CLOSING)

    def close(self) -> None:
        """Hand back what was received and not settled, and hang up. Closing twice does nothing."""
        if self._open and self._alive():
            with contextlib.suppress(Unavailable):  # then they come again after `ack_wait`
                self._run(self._answer(list(self._open), b"-NAK"), self._options.timeout)
        self._drop()
        self._loop.close()


def _received(message: Msg) -> Message:
    about, headers = message.metadata, message.headers or {}
    return Message(
        topic=message.subject,
        body=message.data,
        time=time.time(),
        id=headers.get(ID) or f"{about.stream}:{about.sequence.stream}",
        headers=headers,
        content_type=headers.get(CONTENT_TYPE, ""),
        redelivered=about.num_delivered > 1,
        mark=message.reply,
    )


def open(url: Url) -> Nats:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import nats  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "ack_wait", options.ack_wait, 0.001)
    at_least(url, "replicas", options.replicas, 1)
    form = format_of(url, options.format)
    tls = tls_context(url, options, wanted=url.scheme == "nats+tls", cure="write nats+tls://")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORT}")
    if any(host.port == 0 for host in url.hosts):
        raise refuse(url, f"nobody listens on port 0; name the port, or none for {PORT}")
    if url.path.strip("/"):
        raise refuse(url, f"takes no path, found {url.path!r}; a stream is named by stream=")
    if options.token and url.user is not None:
        raise refuse(url, "has both a user and a token; give one")
    _check_names(url, options)
    return Nats(url, options, form, tls)


def _check_names(url: Url, options: Options) -> None:
    for name, value in (("stream", options.stream), ("consumer", options.consumer)):
        if value and not STREAM.fullmatch(value):
            raise refuse(url, f"option {name}: {value!r} has blanks, dots or one of * > / \\")
    if options.create and not options.stream:
        raise refuse(url, "option create needs stream, the name of the stream to make")
    if not options.consumer:
        raise refuse(url, "option consumer is empty")
    check_template(url, options.prefix, options.subject)
