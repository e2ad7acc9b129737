"""The native kernel of Nilometer. What each thing does stands in the stub beside this file."""

from nilometer_native._native import BUILD, Kernel, Receiver, Router, Tap, __version__, render_lines, render_points

__all__ = ["BUILD", "Kernel", "Receiver", "Router", "Tap", "__version__", "render_lines", "render_points"]
