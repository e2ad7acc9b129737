"""What is secret in a payload: values by the words in their keys, and what stands in texts behind such a word.

Rules:

* A key is cut into words, at underscores, dashes, dots and capital letters: ``adminPass``, ``X-Auth-Token`` and ``db_password``
  are secret, ``key_schema``, ``author`` and ``bypass_cache`` are not.
* In texts, masked is the password of a URL, what follows ``password=`` and its like, and what follows ``Bearer``.
* More is masked rather than less.
"""

from __future__ import annotations

import re

MASK = "***"
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
WHOLE = frozenset({"token", "cookie", "jwt", "authorization"})
LAST = frozenset({"pass", "pwd", "pw", "auth", "otp", "tokens", "cookies"})
JOINED = re.compile(
    r"passw(?:or)?d|passphrase|passcode|pswd|secret|credential|apikey|privatekey|accesskey|signingkey|encryptionkey|authkey"
    r"|authtoken|sessionid|(?:admin|new|old|user|sys|db)pass$"
)
LOGIN = re.compile(r"(://[^/\s:@]{0,200}:)[^/\s@]{1,200}(?=@)")
PAIR = re.compile(
    r"""((?:passw(?:or)?d|passphrase|secret|token|api_?key|access_?key|private_?key)[\w-]{0,30}["']?\s{0,3}[:=]\s{0,3}["']?)"""
    r"""[^\s"',;&}]{1,1000}""",
    re.IGNORECASE,
)
SCHEME = re.compile(r"\b(bearer|basic) {1,3}[A-Za-z0-9._~+/=-]{8,1000}", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """Return whether a key's value is secret."""
    words = [word.lower() for word in WORD.findall(key)]
    return bool(words) and (not WHOLE.isdisjoint(words) or words[-1] in LAST or JOINED.search("".join(words)) is not None)


def masked(text: str) -> str:
    """Return a text without the secrets that can be told in it."""
    if ":" in text or "=" in text:
        text = PAIR.sub(rf"\1{MASK}", LOGIN.sub(rf"\1{MASK}", text))
    return SCHEME.sub(rf"\1 {MASK}", text) if " " in text else text
