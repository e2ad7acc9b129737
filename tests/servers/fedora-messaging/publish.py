"""Publish as services of Fedora do: ``publish.py CONFIG``, in fedora-messaging's environment.

Reads lines of JSON, ``[topic, body, headers]``, publishes each once the one before is confirmed, and prints its id.
"""

from __future__ import annotations

import json
import sys

from fedora_messaging import api, config, message  # type: ignore[import-not-found]  # it lies in an environment of its own


def main() -> None:
    """Publish every line of the input."""
    config.conf.load_config(sys.argv[1])
    for line in sys.stdin:
        topic, body, headers = json.loads(line)
        sent = message.Message(topic=topic, body=body, headers=headers)
        api.publish(sent)
        print(sent.id, flush=True)


if __name__ == "__main__":
    main()
