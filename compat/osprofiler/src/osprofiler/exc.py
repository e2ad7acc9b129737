"""What the command says when it cannot go on."""


class CommandError(Exception):
    """Something that whoever called the command can mend; `message` says what."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message or type(self).__doc__ or ""
