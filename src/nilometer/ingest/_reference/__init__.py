"""The reference kernel: the contract of `nilometer.ingest.kernel` in readable Python.

It is the oracle that the native kernel is tested against, and what runs where no native kernel can be built.
"""

from nilometer.ingest._reference.kernel import ReferenceKernel

__all__ = ["ReferenceKernel"]
