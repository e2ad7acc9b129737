"""What a test needs and this machine lacks."""

from __future__ import annotations


class Missing(RuntimeError):
    """A program that a test needs is not here: `name` is the set-up's word for it, the message says what to type."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name
