"""The StatsD server: listeners, aggregation, flushes."""
