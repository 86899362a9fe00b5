"""Writing a site into a folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from .journal import exchange
from .model import (
    HANDLERS,
    SCHEMA,
    SITE_FILE,
    STATIC,
    TEMPLATES,
    Problem,
    Site,
    SiteError,
    is_within,
    name_problems,
)
from .reading import decode, encode, reason, walk
from .site_file import parse_site, schema_of
from .toml_text import dumps

_NEWER = "was written by a newer Loopscope (schema {}): it can be looked at, not saved"


def save(site: Site, folder: str | os.PathLike[str], known: Iterable[str] = ()) -> None:
    """Write *site* into *folder*: all files that changed, or none of them, even after a crash.

    Of the files that the folder is *known* to have, those that *site* has no more are removed;
    nothing else is. A ``site.toml`` that says the same already keeps its bytes. Saving into another
    folder brings the static files along, without replacing any that is there.

    Raises SiteError when a name leaves the folder, a text cannot be encoded, or the disk refuses;
    the folder is then as it was before.
    """
    root = Path(folder).absolute()
    if site.schema > SCHEMA:
        raise SiteError([Problem(SITE_FILE, 0, 0, _NEWER.format(site.schema))], root)
    problems = list(name_problems(site))
    if problems:
        raise SiteError(problems, root)
    changed: list[tuple[Path, bytes | None]] = [*_changed_files(site, root)]
    have = {f"{HANDLERS}/{name}" for name in site.handlers} | {SITE_FILE}
    have |= {f"{TEMPLATES}/{name}" for name in site.templates}
    real = root.resolve()
    changed += [(path, None) for path in _gone(real, known, have)]
    with disk_errors(root):
        if real != site.folder.resolve():
            copy_static(site.folder / STATIC, root / STATIC)
        exchange(real, changed)


def _gone(root: Path, known: Iterable[str], have: set[str]) -> Iterator[Path]:
    """Yield those of the *known* files that are not among those that the site still has."""
    folded = {name.casefold(): name for name in have}
    for name in known:
        path, other = root / name, folded.get(name.casefold())
        # Where a system does not tell upper from lower case, both names are of one file.
        if name not in have and (other is None or not _is_same(path, root / other)):
            yield path


def _is_same(path: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.samefile(other)
    return False


def digest(site: Site) -> str:
    """Return a hash of all that *site* would run: its routes, settings, handlers and templates."""
    state = hashlib.sha256()
    for name, text in texts(site):
        for part in (name, text):
            data = part.encode("utf-8", "surrogatepass")
            state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


def texts(site: Site) -> Iterator[tuple[str, str]]:
    """Yield every file of *site* as it is saved: ``site.toml`` last, as it names the others."""
    for folder, sources in ((HANDLERS, site.handlers), (TEMPLATES, site.templates)):
        yield from ((f"{folder}/{name}", text) for name, text in sorted(sources.items()))
    yield SITE_FILE, dumps(site)


def _changed_files(site: Site, root: Path) -> Iterator[tuple[Path, bytes]]:
    for name, text in texts(site):
        path = Path(os.path.realpath(root / name))
        if not is_within(path, root):
            text = "is a link that leaves the project folder"
            raise SiteError([Problem(name, 0, 0, text)], root)
        with disk_errors(root):
            old = path.read_bytes() if path.exists() else None
        if old is not None and _says_the_same(name, text, old, root):
            continue
        if name == SITE_FILE and old is not None:
            yield from _backup(path, old)
        yield path, encoded(name, text, root, old or b"")


def encoded(name: str, text: str, root: Path, old: bytes = b"") -> bytes:
    """Return *text* as the file *name* holds it whose content was *old*. Raises SiteError."""
    try:
        return encode(text, old)
    except UnicodeEncodeError as error:
        problem = Problem(name, 0, 0, "holds a lone surrogate, which is no character")
        raise SiteError([problem], root) from error


def _says_the_same(name: str, text: str, old: bytes, root: Path) -> bool:
    try:
        if decode(old) == text:
            return True
        return name == SITE_FILE and dumps(parse_site(decode(old), root)) == text
    except (UnicodeDecodeError, SiteError):
        return False


def _backup(path: Path, old: bytes) -> Iterator[tuple[Path, bytes]]:
    """Yield a copy of a ``site.toml`` that is about to be migrated, unless there is one."""
    try:
        text = decode(old)
        # It mostly stands before the routes.
        schema = _schema(text.partition("\n[[")[0])
        if schema != SCHEMA:
            schema = _schema(text) or SCHEMA
    except UnicodeDecodeError:
        return
    copy = path.with_name(f"{SITE_FILE}.schema-{schema}")
    if schema < SCHEMA and not copy.exists():
        yield copy, old


def _schema(text: str) -> int:
    """Return the schema of a ``site.toml``; 0 where it cannot be read."""
    try:
        return schema_of(tomllib.loads(text))
    except (ValueError, RecursionError):
        return 0


@contextlib.contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Make a SiteError of an OSError, with the file concerned."""
    try:
        yield
    except OSError as error:
        path = Path(error.filename or root)
        name = path.relative_to(root) if path.is_relative_to(root) else path
        problem = Problem(str(name), 0, 0, f"cannot be saved: {reason(error)}")
        raise SiteError([problem], root) from error


def copy_static(source: Path, target: Path) -> None:
    """Copy the files below *source* that *target* does not have. Raises OSError."""
    if not source.is_dir():
        return
    for name in walk(source):
        old, new = source / name, target / name
        if not new.exists() and old.is_file() and not old.is_symlink():
            exchange(target, [(new, old.read_bytes())])
            shutil.copystat(old, new)  # Its time is what Last-Modified says.
