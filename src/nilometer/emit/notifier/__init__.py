"""What an application emits usage events with.

notifier   `Notifier`: what an application makes and calls
activity   an event when something begins, and one when it ends or fails
driver     one URL: its sink, its queue, its thread; fork and end
options    what a driver's URL says besides its backend's options
routing    which driver gets which events; switches: which go out at all
plain      payloads as JSON, bounded; secrets: what is masked in them
losses     what is dropped, by reason
"""

from nilometer.emit.notifier.activity import Activity
from nilometer.emit.notifier.notifier import Notifier

__all__ = ["Activity", "Notifier"]
