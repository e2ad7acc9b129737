"""The command ``osprofiler``."""
