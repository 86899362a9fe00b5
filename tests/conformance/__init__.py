"""Conformance: CPython's asyncio tests and Tornado's own suite, run on TickLoop.

``python3 -m tests.conformance`` runs both and says what was left out, and why.
"""
