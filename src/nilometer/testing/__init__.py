"""Fixtures and contract suites for those who write backends.

`contract` needs pytest, and `streams` Hypothesis; nothing installs them with Nilometer, and no other module here needs them.
`servers`, `certificates`, `javascript`, and the native half of `kernels` raise `Missing` where what they need is not
installed.
"""
