"""With which secrets cookies were signed, and when: settings change while requests stay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from tornado.web import create_signed_value

from .signed_cookies import Keys


class KeyRing:
    """The keys of the applications that were served, each from its time on, in ns."""

    def __init__(self) -> None:
        self._since: list[tuple[int, Keys]] = []

    def note(self, at_ns: int, settings: Mapping[str, Any]) -> None:
        """Take note that an application with *settings* is served from *at_ns* on."""
        keys = Keys(settings.get("cookie_secret"), settings.get("key_version"))
        if not self._since or self._since[-1][1] != keys:
            self._since.append((at_ns, keys))

    def at(self, time_ns: int | None) -> Keys:
        """Return the keys at *time_ns*, or those of now."""
        if not self._since:
            return Keys(None)
        if time_ns is None:
            return self._since[-1][1]
        at = bisect_right(self._since, time_ns, key=lambda entry: entry[0])
        return self._since[max(0, at - 1)][1]

    def sign(self, name: str, value: bytes, version: int) -> str:
        """Return *value* signed for the cookie *name*, as ``set_signed_cookie`` would now.

        Raises ValueError where Tornado cannot sign.
        """
        keys = self.at(None)
        if keys.secret is None:
            raise ValueError("there is no cookie_secret")
        if isinstance(keys.secret, Mapping) and (version == 1 or keys.version is None):
            raise ValueError("several secrets need version 2 and the setting key_version")
        signed = create_signed_value(
            keys.secret,  # type: ignore[arg-type]
            name,
            value,
            version=version,
            key_version=keys.version,
        )
        return signed.decode("latin-1")
