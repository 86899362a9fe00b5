"""Random requests, and a server on a socket that keeps what it is sent, byte by byte."""

from __future__ import annotations

import random
import socket
import threading
from types import TracebackType

from app.exchange.request import HttpRequest, canonical_url

LETTERS = "ab =&;%^\"'\\`$!{}[]()<>|~#?*@-_/:,.+中é😀\t\x7f\u202e"
IN_URL = LETTERS.translate({ord(letter): None for letter in "#\t\x7f"})
NAMES = ("X-A", "X-B", "Cookie", "cookie", "Accept", "Content-Type", "Authorization", "Referer")


class Requests:
    """Makes random requests; the same seed gives the same ones."""

    def __init__(self, seed: int, origin: str = "http://127.0.0.1:8888") -> None:
        self._random = random.Random(seed)
        self._origin = origin

    def text(self, most: int, letters: str = LETTERS) -> str:
        """Return a text of up to *most* letters."""
        return "".join(self._random.choice(letters) for _ in range(self._random.randrange(most)))

    def body(self) -> bytes:
        """Return no body, random bytes, or lines of text."""
        return self._random.choice(
            (
                b"",
                self._random.randbytes(self._random.randrange(24)),
                self.text(24, LETTERS + "\r\n").encode(),
            )
        )

    def next(self) -> HttpRequest:
        """Return another request."""
        pick = self._random.choice
        path = self.text(12, IN_URL)
        query = f"?{self.text(12, IN_URL)}"
        names = self._random.sample(NAMES, self._random.randrange(5))
        return HttpRequest(
            pick(("GET", "POST", "PUT", "HEAD", "DELETE", "BREW")),
            canonical_url(f"{self._origin}/{path}{pick(('', query))}"),
            tuple((name, self.text(12, LETTERS.replace("\x7f", "")).strip()) for name in names),
            self.body(),
            pick((False, True)),
        )


class Wire:
    """Answers each request on a socket of its own with 200, and keeps the bytes that came."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        while len(body) < sum(lengths):
            body += connection.recv(65536)
        self.heads.append(head)
        self.bodies.append(body)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers of the latest request, names as they came, values as UTF-8."""
        lines = self.heads[-1].split(b"\r\n")[1:]
        parts = [line.decode("utf-8", "surrogateescape").partition(":") for line in lines]
        return [(name, value.strip()) for name, _, value in parts]
