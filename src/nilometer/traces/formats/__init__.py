"""Traces as text for people and programs: one file a format, each with a function from spans to text."""
