"""A rule of the user's own application, as the window shows it."""

from __future__ import annotations

from typing import NamedTuple

from .ladder import Words


class AppRoute(NamedTuple):
    """A rule of an application, in the order in which they are tried.

    ``kind`` is one of handler, websocket, static, redirect, fallback, router, other. ``detail`` is
    what belongs to the kind: the folder of a static rule, the URL of a redirect. ``methods`` are
    those that the handler implements; ``groups`` the pattern's, by name or by number. ``file`` is
    empty where there is no source. ``shadowed`` is the earlier pattern that lets nothing through,
    ``fault`` says why every request that comes here fails.
    """

    host: str
    pattern: str
    handler: str
    module: str
    name: str
    kwargs: str
    kind: str
    detail: str
    methods: tuple[str, ...]
    groups: tuple[str, ...]
    file: str
    line: int
    shadowed: str
    fault: Words | None = None
