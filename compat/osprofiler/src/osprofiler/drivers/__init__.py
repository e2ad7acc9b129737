"""Drivers: where traces are kept, by connection string."""
