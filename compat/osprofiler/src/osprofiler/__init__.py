"""Stands in for the package osprofiler: the same modules, functions, options and headers, over Nilometer.

Installed in place of the original, services run on it unchanged. What it does otherwise, on purpose:

* Notifications leave through a bounded queue; a backend that is away, frozen or broken costs a request nothing.
* A span follows the code: tasks of asyncio, generators and threads each have their own place in the tree.
* Nothing here raises into the application, but for arguments that are wrong from the start.
"""

__version__ = "4.4.0"
"""The release whose behaviour it has."""
