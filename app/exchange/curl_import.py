"""Reads cURL command lines, as people write them and as browsers copy them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote_to_bytes, urlsplit

from .bash_import import split_bash
from .cmd_import import is_cmd, split_cmd
from .command import CommandError, Word
from .curl_form import form_word, multipart, part
from .curl_options import LONG, SHORT, Option
from .request import TOKEN, ExchangeError, HttpRequest, Pair, canonical_url, without_dots

MAX_COMMAND = 16 << 20
"""Letters of a command that are read at most."""


_UNKNOWN = "the option {option} is not known here"
_FILE = "{word} would read a file: paste its content"
_FIELD = "{part} in a form field is not known here"
_GLOB = "{letter} stands for several URLs: give -g to take it as it is"


class Imported(NamedTuple):
    """The request that a command would send, and the options that have no place in it."""

    request: HttpRequest
    ignored: tuple[str, ...] = ()


def read(text: str) -> Imported:
    """Return the request that the cURL command *text* would send.

    Nothing is run and no file is read. Raises CommandError, which knows the place, for all that
    cannot be imported.
    """
    if len(text) > MAX_COMMAND:
        raise CommandError("the command is too long", text, MAX_COMMAND)
    words, piped = split_cmd(text) if is_cmd(text) else split_bash(text)
    if words and words[0].text in ("$", "%", ">"):
        words = words[1:]  # The prompt was copied too.
    if not words:
        raise CommandError("there is no command", text, 0)
    name = re.split(r"[/\\]", words[0].text)[-1].lower()
    if name not in ("curl", "curl.exe"):
        raise CommandError("the command does not begin with curl", text, words[0].at)
    reader = _Reader(text, piped)
    reader.read(words[1:])
    return Imported(reader.request(), tuple(dict.fromkeys(reader.ignored)))


@dataclass
class _Reader:
    """Collects what the options say; `request` puts it together as curl would."""

    text: str
    piped: bytes | None
    url: Word | None = None
    method: str = ""
    flags: set[str] = field(default_factory=set)
    headers: list[Pair] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    """Names of headers that curl is told not to send."""
    soft: list[Pair] = field(default_factory=list)
    """Headers from options of their own: -H of the same name comes before them."""
    data: bytes | None = None
    json: bool = False
    parts: list[bytes] = field(default_factory=list)
    query: list[bytes] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def error(self, template: str, at: int, **values: object) -> CommandError:
        """Return the error for a place in the command."""
        return CommandError(template, self.text, at, **values)

    # -- Options ---------------------------------------------------------------------------

    def read(self, words: list[Word]) -> None:
        """Read all words after ``curl``."""
        rest = iter(words)
        only_urls = False
        for word in rest:
            if only_urls or not word.text.startswith("-") or word.text == "-":
                self._url(word)
            elif word.text == "--":
                only_urls = True
            elif word.text.startswith("--"):
                self._long(word, rest)
            else:
                self._cluster(word, rest)

    def _cluster(self, word: Word, rest: Iterator[Word]) -> None:
        """Read short options that stand together: ``-sSLXPOST``."""
        for at, letter in enumerate(word.text[1:], 1):
            option = SHORT.get(letter)
            if option is None:
                raise self.error(_UNKNOWN, word.at, option=f"-{letter}")
            inline = Word(word.text[at + 1 :], word.at + at + 1) if word.text[at + 1 :] else None
            if self._option(option, f"-{letter}", word.at, inline, rest):
                return

    def _long(self, word: Word, rest: Iterator[Word]) -> None:
        name, equals, value = word.text[2:].partition("=")
        inline = Word(value, word.at + 3 + len(name)) if equals else None
        option = LONG.get(name)
        if option is None and (off := LONG.get(name.removeprefix("no-"))):
            option = Option(name, "ignored") if off.kind in ("flag", "ignored") else None
        if option is None:
            raise self.error(_UNKNOWN, word.at, option=f"--{name[:40]}")
        self._option(option, f"--{name}", word.at, inline, rest)

    def _option(
        self, option: Option, shown: str, at: int, inline: Word | None, rest: Iterator[Word]
    ) -> bool:
        """Read one option; return whether it took a value."""
        if option.kind == "refused":
            raise self.error(f"{{option}}: {option.reason}", at, option=shown)
        if option.kind == "flag":
            self.flags.add(option.name)
            return False
        if option.kind.startswith("ignored"):
            self.ignored.append(shown)
        if option.kind == "ignored":
            return False
        value = inline or next(rest, None)
        if value is None:
            raise self.error("{option} needs a value", at, option=shown)
        if option.kind == "value":
            getattr(self, "_" + option.name.replace("-", "_"))(value)
        return True

    def _url(self, word: Word) -> None:
        if self.url is not None:
            raise self.error("a second URL: only one request can be imported", word.at)
        self.url = word

    def _request(self, word: Word) -> None:
        if not TOKEN.fullmatch(word.text):
            raise self.error("{method} is no HTTP method", word.at, method=repr(word.text[:40]))
        self.method = word.text

    def _header(self, word: Word) -> None:
        if word.text.startswith("@"):
            raise self.error("-H @… would read headers from a file: write them out", word.at)
        name, colon, value = word.text.partition(":")
        if not colon and name.endswith(";"):
            name, value = name[:-1], ";"
        elif not colon:
            raise self.error("a header stands as Name: value", word.at)
        name, value = name.strip(), value.strip()
        if not TOKEN.fullmatch(name):
            raise self.error("{name} is no header name", word.at, name=repr(name[:40]))
        if re.search(r"[\r\n\0]", value):
            raise self.error("the value of {name} holds a line break or a NUL", word.at, name=name)
        if not value:
            self.removed.add(name.lower())
        elif name.lower() != "content-length":
            self.headers.append((name, value if colon else ""))

    def _cookie(self, word: Word) -> None:
        if "=" not in word.text:
            if word.text:
                raise self.error("-b with a file name would read a file of cookies", word.at)
            return
        value = word.text.strip()
        for at, (name, before) in enumerate(self.headers):
            if name == _COOKIE:
                self.headers[at] = (name, f"{before};{value}")
                return
        self.headers.append((_COOKIE, value))

    def _user_agent(self, word: Word) -> None:
        self._soft("User-Agent", word.text)

    def _referer(self, word: Word) -> None:
        self._soft("Referer", word.text.removesuffix(";auto"))

    def _user(self, word: Word) -> None:
        if ":" not in word.text:
            raise self.error(
                "-u without a password would ask for one: write user:password", word.at
            )
        self._soft("Authorization", f"Basic {_base64(_bytes(word.text))}")

    def _oauth2_bearer(self, word: Word) -> None:
        self._soft("Authorization", f"Bearer {word.text}")

    def _soft(self, name: str, value: str) -> None:
        self.soft = [pair for pair in self.soft if pair[0] != name]
        if value:
            self.soft.append((name, value))

    # -- Bodies ----------------------------------------------------------------------------

    def _data(self, word: Word) -> None:
        if word.text.startswith("@"):
            if word.text != "@-" or self.piped is None:
                raise self.error(_FILE, word.at, word=word.text[:40])
            self._append(self.piped)
        else:
            self._append(_bytes(word.text))

    _data_ascii = _data_binary = _data

    def _data_raw(self, word: Word) -> None:
        self._append(_bytes(word.text))

    def _json(self, word: Word) -> None:
        self.json = True
        before, self.data = self.data or b"", None
        self._data(word)
        self.data = before + (self.data or b"")

    def _data_urlencode(self, word: Word) -> None:
        self._append(self._encoded(word))

    def _url_query(self, word: Word) -> None:
        text = word.text
        self.query.append(_bytes(text[1:]) if text.startswith("+") else self._encoded(word))

    def _encoded(self, word: Word) -> bytes:
        """Return what --data-urlencode makes of ``content``, ``=content`` or ``name=content``."""
        match = re.match(r"([^=@]*)([=@])", word.text)
        if match is None:
            return _quoted(word.text)
        if match[2] == "@":
            raise self.error(_FILE, word.at, word=word.text[:40])
        name = _bytes(match[1])
        return name + (b"=" if name else b"") + _quoted(word.text[match.end() :])

    def _append(self, piece: bytes) -> None:
        self.data = self.data + b"&" + piece if self.data else piece

    def _form_string(self, word: Word) -> None:
        name, equals, value = word.text.partition("=")
        if not equals:
            raise self.error("a field stands as name=value", word.at)
        self.parts.append(part(name, value))

    def _form(self, word: Word) -> None:
        name, equals, value = word.text.partition("=")
        if not equals:
            raise self.error("a field stands as name=value", word.at)
        if value[:1] in ("@", "<"):
            raise self.error(_FILE, word.at, word=word.text[:40])
        content, rest = form_word(value)
        extra = {}
        while rest:
            key, equals, value = rest[1:].lstrip().partition("=")
            if not equals or key not in ("type", "filename"):
                raise self.error(_FIELD, word.at, part=repr(rest[:30]))
            # A type may have parameters of its own.
            found = re.match(r"[^;]*(?:;(?!\s*(?:filename|type|headers|encoder)=)[^;]*)*", value)
            assert found is not None
            extra[key], rest = (
                (found[0], value[found.end() :]) if key == "type" else form_word(value)
            )
        self.parts.append(part(name, content, extra.get("type", ""), extra.get("filename")))

    # -- Putting it together ---------------------------------------------------------------

    def request(self) -> HttpRequest:
        """Return the request as curl would send it."""
        if self.url is None:
            raise self.error("there is no URL", len(self.text))
        if self.parts and self.data is not None:
            raise self.error("-F and -d exclude each other", self.url.at)
        url, body = self._url_and_query(self.url), self.data or b""
        sends = self.parts or (self.data is not None and "get" not in self.flags)
        method = self.method or ("HEAD" if "head" in self.flags else "POST" if sends else "GET")
        if "get" in self.flags:
            body = b""
        headers = self._headers(url)
        if self.parts:
            body = self._multipart(headers)
        elif sends:
            kind = "application/json" if self.json else "application/x-www-form-urlencoded"
            self._default(headers, "Content-Type", kind)
            if self.json:
                self._default(headers, "Accept", "application/json")
        if "compressed" in self.flags:
            self._default(headers, "Accept-Encoding", "deflate, gzip")
        follows = bool(self.flags & {"location", "location-trusted"})
        clean = _without_user(url)
        return HttpRequest(method, clean, tuple(headers), body, follows)

    def _headers(self, url: str) -> list[Pair]:
        user = urlsplit(url).netloc.rpartition("@")[0]
        if user and not any(name == "Authorization" for name, _ in self.soft):
            name, _, password = user.partition(":")
            login = unquote_to_bytes(name) + b":" + unquote_to_bytes(password)
            self.soft.append(("Authorization", f"Basic {_base64(login)}"))
        given = {name.lower() for name, _ in self.headers if name is not _COOKIE}
        headers = [
            (str(name), value)
            for name, value in self.headers
            if not (name is _COOKIE and "cookie" in given | self.removed)
        ]
        left_out = given | self.removed
        return headers + [pair for pair in self.soft if pair[0].lower() not in left_out]

    def _default(self, headers: list[Pair], name: str, value: str) -> None:
        """Add a header that curl adds by itself, unless it is given or removed."""
        given = {known.lower() for known, _ in headers} | self.removed
        if name.lower() not in given:
            headers.append((name, value))

    def _multipart(self, headers: list[Pair]) -> bytes:
        boundary, body = multipart(self.parts)
        for at, (name, value) in enumerate(headers):
            if name.lower() == "content-type":
                headers[at] = (name, f"{value}; boundary={boundary}")
        self._default(headers, "Content-Type", f"multipart/form-data; boundary={boundary}")
        return body

    def _url_and_query(self, word: Word) -> str:
        url = word.text
        if "globoff" not in self.flags:
            self._refuse_globs(word)
            url = re.sub(r"\\([][{}])", r"\1", url)
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url):
            url = f"http://{url.lstrip('/')}"
        try:
            url = canonical_url(url)
        except ExchangeError as error:
            raise self.error(error.template, word.at, **error.values) from None
        if "path-as-is" not in self.flags:
            url = without_dots(url)
        query = [*self.query, *([self.data] if "get" in self.flags and self.data else [])]
        for piece in query:
            text = piece.decode("utf-8", "surrogateescape")
            url = canonical_url(f"{url}{'&' if '?' in url else '?'}{quote(text, safe=_QUERY)}")
        return url

    def _refuse_globs(self, word: Word) -> None:
        host = re.match(r"(?:\w+://)?(?:[^/@]*@)?\[[0-9A-Fa-f:.%]+\]", word.text)
        start = host.end() if host else 0
        found = re.compile(r"(?<!\\)[][{}]").search(word.text, start)
        if found:
            raise self.error(_GLOB, word.at, letter=found[0])


class _CookieName(str):
    """Tells the header that -b makes from one that -H gives."""

    __slots__ = ()


_COOKIE = _CookieName("Cookie")
_QUERY = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")
"""What stays as it is in a query that -G makes."""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _quoted(text: str) -> bytes:
    return quote_plus(_bytes(text), safe="-._~").encode("ascii")


def _without_user(url: str) -> str:
    return re.sub(r"(?<=://)[^/?@]*@", "", url)
