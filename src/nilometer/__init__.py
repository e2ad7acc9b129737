"""Telemetry for services: one record, one pipe, one URL."""
