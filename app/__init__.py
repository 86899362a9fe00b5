"""Loopscope: an oscilloscope for Tornado."""

__version__ = "0.1.0"
