"""The project that is open: where it came from, what of it is saved, who else changes it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QFileSystemWatcher, QSettings, QTimer, Signal

from app import trust
from app.server.export import exporting
from app.server.site import SCHEMA, Problem, Site, SiteError, load, merged, save
from app.server.versions import files
from app.session.drafts import Drafting, Drafts
from app.session.long_work import AT_ONCE_S, LongWork, aside
from app.widgets.i18n import tr
from app.widgets.project_controls import Draft, FileChange, Found, ProjectControls

DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo"
"""The project that opens when none is named."""
_RECENT = "projects/recent"
_MOST_RECENT = 10
_MOST_WATCHED = 2_000
_SETTLE_MS = 150
"""A program that saves several files is given so long."""


class Projects(ProjectControls):
    """Keeps what the disk last said, to tell what was edited here from what was elsewhere.

    *serve* serves a site, or raises SiteError; *site* returns the one that is served. Files are
    read and written beside the window, as long *work*.
    """

    _seen = Signal(object)
    """What is on the disk was read again: a Future of its texts."""

    def __init__(
        self, serve: Callable[[Site], None], site: Callable[[], Site], work: LongWork
    ) -> None:
        super().__init__()
        self._serve = serve
        self._site = site
        self._work = work
        self._folder: Path | None = None
        self._disk: dict[str, str] = {}
        """The texts on the disk as they were last read or written, by file name."""
        self._others: set[str] = set()
        """Files that others put beside ours; saving leaves them alone."""
        self._trusted = False
        """Whether the user's trust in the open project is to be remembered."""
        self._drafts: Drafts | None = None
        self._drafting = Drafting()
        self._watcher = QFileSystemWatcher(self)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        for signal in (self._watcher.fileChanged, self._watcher.directoryChanged):
            signal.connect(lambda _: self._settle.start())
        self._settle.timeout.connect(self._look)
        self._seen.connect(self._saw)

    # -- Opening ---------------------------------------------------------------------------

    def read(self, folder: Path) -> Found:
        site = self._work.aside(_reading(folder), load, folder)
        demo = folder.resolve() == DEMO
        return Found(site, demo or trust.is_known(self._looked_at(site).mark))

    def _looked_at(self, site: Site) -> _Looked:
        return self._work.aside(_reading(site.folder), _look_at, site)

    def open(self, found: Found) -> None:
        site, looked = found.site, self._looked_at(found.site)
        self._serve(site)
        self._trusted = found.trusted
        if site.folder.resolve() != DEMO:
            self._trust(looked)
            self._remember_recent(site.folder)
        self._settle_in(looked)
        self.opened.emit()

    def _trust(self, looked: _Looked) -> None:
        if self._trusted:
            trust.remember_mark(looked.mark)

    def _settle_in(self, looked: _Looked) -> None:
        self._folder, self._disk = looked.site.folder, looked.texts
        self._others.clear()
        self.close()
        self._drafts = Drafts(looked.site.folder)
        self._watch(looked.site)

    @property
    def read_only(self) -> str:
        if self._site().folder.resolve() == DEMO:
            return tr("The demo stays as it is; File → Save as… makes a copy of your own.")
        return self.notice

    @property
    def notice(self) -> str:
        site, drafts = self._site(), self._drafts
        if site.schema > SCHEMA:
            return tr("A newer Loopscope wrote this project: it can be looked at, not saved.")
        if drafts is not None and not drafts.alone:
            return tr(
                "{name} is open in another Loopscope (process {pid}): it can be saved there, or "
                "here as a copy.",
                name=site.folder.name,
                pid=drafts.holder,
            )
        return ""

    def create(self, folder: Path, demo: bool) -> Found:
        try:
            if folder.exists() and any(folder.iterdir()):
                text = tr("is not empty: a new project needs a folder of its own")
                raise SiteError([Problem(str(folder), 0, 0, text)])
        except OSError as error:
            raise SiteError([Problem(str(folder), 0, 0, str(error))]) from error
        site = load(DEMO) if demo else Site(folder)
        save(replace(site, name=folder.name), folder)
        site = load(folder)
        trust.remember(site)
        return Found(site, True)

    def export(self, site: Site, folder: Path) -> None:
        what = tr("Exporting {name} …", name=site.folder.name)
        self._work.bit_by_bit(what, exporting(site, folder))

    def recent(self) -> list[Path]:
        value = QSettings().value(_RECENT, [], type=list)
        return [Path(str(entry)) for entry in value] if isinstance(value, list) else []

    def forget_recent(self) -> None:
        QSettings().remove(_RECENT)

    def _remember_recent(self, folder: Path) -> None:
        others = [each for each in self.recent() if each != folder]
        QSettings().setValue(_RECENT, [str(each) for each in (folder, *others)][:_MOST_RECENT])

    # -- Saving ----------------------------------------------------------------------------

    def save(self, folder: Path | None = None) -> None:
        """Write the served site into its folder, or into another and go on there.

        Raises OSError or SiteError; what is on the disk is then as it was.
        """
        site = self._site()
        elsewhere = folder is not None and folder.resolve() != site.folder.resolve()
        if not elsewhere:
            folder = site.folder
            if self.read_only:
                raise OSError(self.read_only)
            if self._changed():
                self.changed_on_disk.emit()
                raise OSError(tr("it was changed on the disk meanwhile: keep mine, or take theirs"))
        assert folder is not None
        what = tr("Saving {name} …", name=folder.name)
        known = () if elsewhere else tuple(self._disk.keys() - self._others)
        saved = self._work.aside(what, _saved, site, folder, known, may_stop=False)
        if elsewhere:
            self._serve(replace(site, folder=folder.absolute()))
            with contextlib.suppress(OSError):  # Nor does what is saved elsewhere.
                self._drafting.forget(self._drafts)
            self._remember_recent(folder.absolute())
        self._trust(saved)
        if elsewhere:
            self._settle_in(saved)
            self.moved.emit()
        self._disk = saved.texts
        self._watch(saved.site)
        with contextlib.suppress(OSError):  # What is saved needs no draft.
            self.keep_draft(self._site())

    # -- The disk ----------------------------------------------------------------------------

    def _watch(self, site: Site) -> None:
        names = _names(site)
        folders = {str((site.folder / name).parent) for name in names}
        folders |= {str(site.folder / name) for name in ("", "handlers", "templates")}
        paths = [*folders, *(str(site.folder / name) for name in names)]
        wanted = {path for path in paths[:_MOST_WATCHED] if os.path.exists(path)}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        if gone := list(watched - wanted):
            self._watcher.removePaths(gone)
        if new := list(wanted - watched):
            self._watcher.addPaths(new)

    @property
    def _is_open(self) -> bool:
        """Whether the project is served, and not an application in its place."""
        return self._site().folder == self._folder

    def _look(self) -> None:
        if not self._is_open:
            return
        if self._work.what:
            self._settle.start()
            return
        seen = aside(_texts_in, self._site().folder)
        with contextlib.suppress(TimeoutError):
            seen.exception(AT_ONCE_S)
            self._saw(seen)
            return
        seen.add_done_callback(self._tell)

    def _tell(self, seen: Future[dict[str, str]]) -> None:
        with contextlib.suppress(RuntimeError):  # The program has ended meanwhile.
            self._seen.emit(seen)

    def _saw(self, seen: Future[dict[str, str]]) -> None:
        if not self._is_open:
            return
        if self._work.what:  # What is on the disk may be on its way here.
            self._settle.start()
            return
        if seen.exception() is not None or self._differing(seen.result()):
            self.changed_on_disk.emit()
        self._watch(self._site())  # A file that was replaced is watched no more.

    def _theirs(self) -> dict[str, str]:
        folder = self._site().folder
        return self._work.aside(_reading(folder), _texts_in, folder)

    def _differing(self, theirs: dict[str, str]) -> list[str]:
        names = sorted(theirs.keys() | self._disk.keys())
        return [name for name in names if theirs.get(name) != self._disk.get(name)]

    def _changed(self) -> list[str]:
        return self._differing(self._theirs())

    def changes(self, mine: Site) -> list[FileChange]:
        theirs = self._theirs()
        ours = self._work.aside(_reading(mine.folder), files, mine)
        changed = self._differing(theirs)
        return [FileChange(name, theirs.get(name), ours.get(name)) for name in changed]

    def merged(self, texts: Mapping[str, str | None]) -> Site:
        site = self._site()
        return self._work.aside(_reading(site.folder), merged, site, texts)

    def keep(self, changes: Sequence[FileChange]) -> None:
        known = {change.name: change.theirs for change in changes}
        texts = {**self._disk, **known}
        self._disk = {name: text for name, text in texts.items() if text is not None}
        self._others |= self._disk.keys() & known.keys() - _names(self._site())
        self._settle.start()  # What changed meanwhile was not shown yet.

    def take(self, changes: Sequence[FileChange]) -> None:
        self._serve(self.merged({change.name: change.theirs for change in changes}))
        self.keep(changes)
        folder = self._site().folder
        theirs = self._looked_at(self._work.aside(_reading(folder), load, folder))
        if theirs.texts == self._disk:
            self._trust(theirs)

    # -- Drafts ------------------------------------------------------------------------------

    def keep_draft(self, site: Site) -> None:
        if self._drafts is not None and self._is_open:
            self._drafting.keep(self._drafts, site, self._disk)

    def forget_draft(self) -> None:
        self._drafting.forget(self._drafts)

    def draft(self) -> Draft | None:
        found = None if self._drafts is None else self._drafts.find()
        if found is None or all(self._disk.get(n) == text for n, text in found.files.items()):
            return None
        return found

    def close(self) -> None:
        """Let another process have the project."""
        if self._drafts is not None:
            self._drafting.end()
            self._drafts.release()


class _Looked(NamedTuple):
    """A site, and what of it takes long to find out."""

    site: Site
    texts: dict[str, str]
    mark: str
    """What its trust is remembered by."""


def _names(site: Site) -> list[str]:
    """Return the names of the files of *site*."""
    handlers = [f"handlers/{name}" for name in site.handlers]
    return ["site.toml", *handlers, *(f"templates/{name}" for name in site.templates)]


def _look_at(site: Site) -> _Looked:
    return _Looked(site, files(site), trust.fingerprint(site))


def _saved(site: Site, folder: Path, known: Sequence[str]) -> _Looked:
    """Save *site*; those of the *known* files that it has no more are removed."""
    save(site, folder, known)
    return _look_at(load(folder))


def _texts_in(folder: Path) -> dict[str, str]:
    return files(load(folder))


def _reading(folder: Path) -> str:
    return tr("Reading {name} …", name=folder.name)
