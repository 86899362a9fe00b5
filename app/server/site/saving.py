"""Writing a site into a folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from .model import HANDLERS, SITE_FILE, STATIC, TEMPLATES, Problem, Site, SiteError, name_problems
from .reading import decode, encode, read_site_file, reason, site_from, walk
from .toml_text import dumps


def save(site: Site, folder: str | os.PathLike[str]) -> None:
    """Write *site* into *folder*: only the files that changed, each one whole or not at all.

    Nothing is deleted. A ``site.toml`` that says the same already keeps its bytes. Saving into
    another folder brings the static files along, without replacing any that is there.

    Raises SiteError when a name leaves the folder, a text cannot be encoded, or the disk refuses;
    the file concerned is then as it was before.
    """
    root = Path(folder).absolute()
    problems = list(name_problems(site))
    if problems:
        raise SiteError(problems, root)
    changed = list(_changed_files(site, root))
    for path, data in changed:
        with _disk_errors(path, root):
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace_file(path, data)
    if root.resolve() != site.folder.resolve():
        with _disk_errors(root / STATIC, root):
            _copy_static(site.folder / STATIC, root / STATIC)


def digest(site: Site) -> str:
    """Return a hash of all that *site* would run: its routes, settings, handlers and templates."""
    state = hashlib.sha256()
    for name, text in _texts(site):
        for part in (name, text):
            data = part.encode("utf-8", "surrogatepass")
            state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


def _texts(site: Site) -> Iterator[tuple[str, str]]:
    """Yield every file of *site* as it is saved: ``site.toml`` last, as it names the others."""
    for folder, sources in ((HANDLERS, site.handlers), (TEMPLATES, site.templates)):
        yield from ((f"{folder}/{name}", text) for name, text in sorted(sources.items()))
    yield SITE_FILE, dumps(site)


def _changed_files(site: Site, root: Path) -> Iterator[tuple[Path, bytes]]:
    for name, text in _texts(site):
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()):
            text = "is a link that leaves the project folder"
            raise SiteError([Problem(name, 0, 0, text)], root)
        with _disk_errors(path, root):
            old = path.read_bytes() if path.exists() else None
        if old is not None and _says_the_same(name, text, old, root):
            continue
        try:
            yield path, encode(text, old or b"")
        except UnicodeEncodeError as error:
            problem = Problem(name, 0, 0, "holds a lone surrogate, which is no character")
            raise SiteError([problem], root) from error


def _says_the_same(name: str, text: str, old: bytes, root: Path) -> bool:
    try:
        if decode(old) == text:
            return True
        return name == SITE_FILE and dumps(site_from(read_site_file(root), root)) == text
    except (UnicodeDecodeError, SiteError):
        return False


@contextlib.contextmanager
def _disk_errors(path: Path, root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = path.relative_to(root) if path.is_relative_to(root) else path
        problem = Problem(str(name), 0, 0, f"cannot be saved: {reason(error)}")
        raise SiteError([problem], root) from error


def _replace_file(path: Path, data: bytes) -> None:
    """Put *data* at *path* so that a crash leaves either the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        written = os.write(descriptor, rest)
        if written <= 0:
            raise OSError("the disk took only a part of the file")
        rest = rest[written:]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _copy_static(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    for name in walk(source):
        old, new = source / name, target / name
        if not new.exists() and old.is_file() and not old.is_symlink():
            new.parent.mkdir(parents=True, exist_ok=True)
            _replace_file(new, old.read_bytes())
