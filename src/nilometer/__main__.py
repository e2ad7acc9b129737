"""``python -m nilometer`` is the command ``nilometer``."""

from nilometer.cli.main import run

if __name__ == "__main__":
    run()
