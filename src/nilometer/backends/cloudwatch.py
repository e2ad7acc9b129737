"""Amazon CloudWatch: flushes as metric data, in batches as full as the API takes them.

Rules:

* `metric_data` says what a series becomes. A request holds up to 1000 data and one megabyte, compressed with gzip.
* CloudWatch adds up what it is sent twice. So data that were taken are not sent again when the same flush is written again;
  only what was under way when a connection broke, or when this process ended, can count twice.
* Throttling, and what an operator can mend (credentials, rights), is `Unavailable`: the pipe waits, longer each time. The
  driver's own retries are off.
* A request that is refused for good goes again in halves until the data at fault are alone; they are logged with the first
  one's reason and counted. When no datum of a flush is taken, it is `Rejected`.

Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.http import shown
from nilometer.backends._parts.metric_data import REFUSED, Datum, Layout, batches
from nilometer.backends._parts.progress import Progress
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.options import at_least, no_login, one_of, option, refuse
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nilometer.core.record import Flush
    from nilometer.core.url import Url

SCHEMES = ("cloudwatch",)
URL_EXAMPLES = (
    "cloudwatch://Nilometer?region=eu-west-1",
    "cloudwatch://Web/Production?region=eu-west-1&timers=set&statistics=upper_*,median",
    "cloudwatch://Web?region=us-east-1&endpoint=http://localhost:4566&resolution=1s",
)
EXTRA = "cloudwatch"
LOG = logging.getLogger(__name__)
NAMESPACE = re.compile(r"(?!AWS/|:)[0-9A-Za-z.\-_/#: ]{1,255}")
MOST = 1000
SIZE = 1_000_000
"""Data and bytes in a request, at most."""
SPLITS = 100
"""Requests that a flush may take to find data at fault."""
VALUES, SET = "values", "set"
PASSING = frozenset({401, 403, 404, 408, 429})
"""Statuses below 500 that another attempt can end."""
MENDED = re.compile(
    "Throttl|LimitExceeded|TooMany|Expired|Token|Signature|AccessDenied|NotAuthorized|UnrecognizedClient|OptIn|Timeout"
)
"""Codes of errors that another attempt, or an operator, can end."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where CloudWatch is, and how series become its metrics."""

    region: str = option("", "AWS region; that of the environment or of the profile when empty")
    endpoint: str = option("", "URL of another endpoint, such as a VPC's; the region's when empty")
    profile: str = option("", "profile of AWS' configuration files; the usual chain of credentials when empty")
    timeout: Duration = option(Duration(10), "longest time to connect, and for an answer")  # noqa: RUF009 declares a field
    prefix: str = option("", "put before every name, as in `edge1.`")
    timers: str = option(VALUES, "`values`: values with counts, for percentiles in CloudWatch; `set`: statistic sets")
    statistics: str = option("", "patterns of timers' statistics to send besides, each a metric: `upper_*,median`")
    skip: str = option("", "patterns of series' names that are not sent: `nilometer.*,test.*`")
    resolution: Duration = option(Duration(60), "storage resolution, `1m` or `1s`")  # noqa: RUF009 declares a field
    batch: int = option(MOST, "most data in a request, up to 1000")
    gzip: bool = option(default=True, text="send requests compressed")


class CloudWatch:
    """Writes flushes to one namespace. `connect` makes the driver's client."""

    def __init__(self, connect: Callable[[], Any], url: str, namespace: str, layout: Layout, batch: int) -> None:
        self._connect, self._url, self._namespace = connect, url, namespace
        self._layout, self._batch = layout, batch
        self._client: Any = None
        self._progress = Progress()
        self._splits = 0
        self._refused: list[str] = []
        self._left_out: Counter[tuple[str, str]] = Counter()

    def write(self, flush: Flush) -> None:
        """Send the data that were not taken yet. Raise `Unavailable`, or `Rejected` when all were refused for good."""
        taken = self._progress.begin(flush)
        if taken is None:
            return
        left_out: Counter[tuple[str, str]] = Counter()
        numbered = list(enumerate(self._layout.data(flush, left_out)))
        if not taken:
            self._refused, self._splits = [], 0
        for batch in batches([each for each in numbered if each[0] not in taken], self._batch, SIZE):
            self._put(batch, taken)
        self._progress.end()
        if self._refused and len(self._refused) == len(numbered):
            message = f"{self._url}: all {len(numbered)} data were refused: {self._refused[0]}"
            raise Rejected(message)
        self._count(left_out)

    def _count(self, left_out: Counter[tuple[str, str]]) -> None:
        if self._refused:
            LOG.warning("%s: refused %d data, which are lost; the first: %s", self._url, len(self._refused), self._refused[0])
            left_out[REFUSED] += len(self._refused)
        self._left_out += left_out

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how much of written flushes was left out since the last call, by stage and reason."""
        left_out, self._left_out = self._left_out, Counter()
        return left_out

    def _put(self, batch: Sequence[tuple[int, Datum]], taken: set[int]) -> None:
        """Send one request, and add its data's numbers to `taken`; in halves when it is refused for good."""
        try:
            self._call("put_metric_data", Namespace=self._namespace, MetricData=[datum.fields for _, datum in batch])
        except Rejected as error:
            if len(batch) > 1 and self._splits < SPLITS:
                self._splits += 1
                half = len(batch) // 2
                self._put(batch[:half], taken)
                self._put(batch[half:], taken)
                return
            self._refused += [str(error)] * len(batch)
        taken.update(number for number, _ in batch)

    def _call(self, name: str, **parameters: Any) -> Any:  # noqa: ANN401 the driver is not typed
        """Call the API. Raise `Unavailable`, or `Rejected` for what no further attempt can end."""
        from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415 a driver is imported where it is used
            BotoCoreError,
            ClientError,
            ParamValidationError,
        )

        try:
            if self._client is None:
                self._client = self._connect()
            return getattr(self._client, name)(**parameters)
        except ClientError as error:
            raise self._fault(error.response) from error
        except ParamValidationError as error:
            message = f"{self._url}: {shown(error)}"
            raise Rejected(message) from error
        except (BotoCoreError, OSError, ValueError) as error:
            message = f"{self._url}: {shown(error)}"
            raise Unavailable(message) from error

    def _fault(self, response: Mapping[str, Any]) -> Unavailable | Rejected:
        """Return the error that an answer means."""
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        error = response.get("Error", {})
        code = str(error.get("Code", ""))
        message = f"{self._url}: {shown(code)} (status {status}): {shown(error.get('Message', ''))}"
        final = 400 <= status < 500 and status not in PASSING and not MENDED.search(code)  # noqa: PLR2004 HTTP's own bounds
        return Rejected(message) if final else Unavailable(message)

    def check(self) -> str:
        """Return what the namespace holds. Raise `Unavailable`."""
        try:
            answer = self._call("list_metrics", Namespace=self._namespace)
        except Rejected as error:
            raise Unavailable(str(error)) from error
        more = " or more" if answer.get("NextToken") else ""
        where = self._client.meta.region_name
        return f"CloudWatch in {where}, namespace {self._namespace}, metrics: {len(answer.get('Metrics', ()))}{more}"

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None


def open(url: Url) -> CloudWatch:  # noqa: A001 each backend has this name
    """Open ``cloudwatch://NAMESPACE``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    namespace = _namespace(url)
    one_of(url, "timers", options.timers, (VALUES, SET))
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "batch", options.batch, 1)
    if options.batch > MOST:
        raise refuse(url, f"option batch: {options.batch} is above {MOST}, the most that CloudWatch takes")
    if int(options.resolution * 1000) not in (1000, 60_000):
        raise refuse(url, f"option resolution: {options.resolution:g} is neither 1s nor 60s")
    statistics, skip = _patterns(options.statistics), _patterns(options.skip)
    layout = Layout(options.prefix, options.timers == VALUES, statistics, skip, int(options.resolution))
    return CloudWatch(_connector(url, options), str(url), namespace, layout, options.batch)


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (pattern.strip() for pattern in text.split(","))))


def _namespace(url: Url) -> str:
    """Return the namespace that the URL names. Raise `UrlError` for one that CloudWatch would refuse."""
    no_login(url)
    if len(url.hosts) > 1 or url.port is not None:
        raise refuse(url, "takes one namespace alone, as in cloudwatch://Nilometer")
    namespace = url.host + url.path.rstrip("/")
    if not NAMESPACE.fullmatch(namespace):
        raise refuse(url, f"{namespace!r} cannot be a namespace; write cloudwatch://Nilometer (AWS/… is Amazon's own)")
    return namespace


def _connector(url: Url, options: Options) -> Callable[[], Any]:
    """Return what makes a client. Raise `UrlError` when region or profile are unknown."""
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 a driver is imported where it is used
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 a driver is imported where it is used
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 a driver is imported where it is used

    for name in ("boto3", "botocore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they tell of credentials found, and requests whole
    try:
        session = boto3.Session(profile_name=options.profile or None, region_name=options.region or None)
        region = session.region_name
    except BotoCoreError as error:
        raise refuse(url, str(error)) from error
    if not region:
        raise refuse(url, "names no region, nor does the environment; add ?region=eu-west-1, say")
    settings = Config(
        connect_timeout=options.timeout,
        read_timeout=options.timeout,
        retries={"total_max_attempts": 1},
        disable_request_compression=not options.gzip,
    )
    return lambda: session.client("cloudwatch", endpoint_url=options.endpoint or None, config=settings)
