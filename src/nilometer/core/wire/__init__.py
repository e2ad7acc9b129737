"""Codecs: bytes to records and records to bytes, without sockets or clocks."""
