"""Traces: spans, their ids, what one asks for, and what a list of traces shows. Without sockets and clocks."""
