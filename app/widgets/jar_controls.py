"""What the window can ask of the clients' cookies."""

from __future__ import annotations

from app.server.cookie_log import CookieNotes
from app.server.jar import Cookie, Withheld
from app.server.signed_cookies import Keys


class JarControls:
    """The clients' cookie jars, and the keys of the server that signs cookies."""

    def clear(self, client: str) -> None:
        """Forget a client's cookies."""
        raise NotImplementedError

    def put(self, client: str, cookie: Cookie, instead_of: Cookie | None = None) -> None:
        """Put a cookie into a client's jar as it is, in place of another if that is given."""
        raise NotImplementedError

    def remove(self, client: str, cookie: Cookie) -> None:
        """Forget one of a client's cookies."""
        raise NotImplementedError

    def withheld(self, client: str, url: str, method: str = "GET") -> list[Withheld]:
        """Which cookies a client's request would leave out, and why; *url* as in `Shot`."""
        raise NotImplementedError

    def notes(self, request_id: int) -> CookieNotes | None:
        """What a client withheld and refused with a recorded request, if it did."""
        raise NotImplementedError

    def keys(self, time_ns: int | None = None) -> Keys:
        """With which keys cookies were signed at a time on the recorder's clock, or are now."""
        raise NotImplementedError

    def sign(self, name: str, value: bytes, version: int) -> str:
        """Sign a value as the server would. Raises ValueError where it cannot."""
        raise NotImplementedError
