"""Numbers as JavaScript reads and prints them, which is what statsd does with every value on its wires.

Source: ECMA-262, ``Number::toString`` (6.1.6.1.20) and ``StringToNumber`` (7.1.4.1.1).
"""
