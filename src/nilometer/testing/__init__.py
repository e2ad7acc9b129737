"""Fixtures and contract suites for those who write backends."""
