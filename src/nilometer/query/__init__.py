"""Graphite's language over any store of series: targets, times, paths, functions, answers."""
