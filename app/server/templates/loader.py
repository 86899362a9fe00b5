"""Loads the templates of a site from memory; Tornado's, but for what they know of their lines."""

from __future__ import annotations

import copy
import logging
import posixpath
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any, cast

from tornado.template import BaseLoader, Template, _NamedBlock

from app.server.site import TEMPLATES, Site

from .directives import named_by, naming
from .errors import TemplateError, told
from .facts import CodeLine
from .limit import HEAVY, NAMES, let_go
from .writer import NotingWriter, note_chunks

OnRender = Callable[[str, dict[str, Any]], None]
"""Hears which template is rendered, and with which names."""


class SiteLoader(BaseLoader):
    """Loads the templates of a site from memory, under the names that the file system gives them.

    Raises TemplateError, with file, line and column, for all that is wrong with a template: also
    for Python that does not compile, a parent that is missing, and templates that extend each
    other. *rendered* is called each time one was rendered.
    """

    def __init__(self, site: Site, rendered: Callable[[], None] = lambda: None) -> None:
        options: dict[str, Any] = {}
        if "autoescape" in site.settings:
            options["autoescape"] = site.settings["autoescape"] or None
        whitespace = site.settings.get("template_whitespace")
        super().__init__(whitespace=whitespace, namespace=dict(NAMES), **options)
        self.texts = site.templates
        self.rendered = rendered
        self.on_render: OnRender | None = None
        """Who wants to know what is rendered; nobody, most of the time."""
        self._root = (site.folder / TEMPLATES).as_posix()
        self._made_with = (self._root, self.whitespace, self.autoescape)
        self._under_way: list[str] = []
        self._uses: dict[str, set[str]] = {}
        """By template, what it extends and includes, directly or not."""

    def take_over(self, other: SiteLoader) -> None:
        """Take what *other* compiled of texts that are the same here, also in what they use."""
        if other._made_with != self._made_with:
            return
        for name, template in list(other.templates.items()):
            uses = other._uses[name]
            if all(self.texts.get(each) == other.texts.get(each) for each in (name, *uses)):
                mine = copy.copy(template)
                mine.loader, mine.namespace = self, self.namespace
                self.templates[name], self._uses[name] = mine, uses

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the key of template *name*, relative to *parent_path*, as ``Loader`` finds it."""
        if parent_path and not name.startswith("/"):
            name = posixpath.join(posixpath.dirname(parent_path), name)
        name = posixpath.normpath(name)
        return name.removeprefix(self._root + "/")

    def load(self, name: str, parent_path: str | None = None) -> Template:
        key = self.resolve_path(name, parent_path)
        with self.lock:
            if key in self._under_way:
                start = self._under_way.index(key)
                cycle = " → ".join([*self._under_way[start:], key])
                raise self._error(f"templates include each other in a circle: {cycle}", name)
            if key not in self.texts:
                if not self._under_way:
                    raise FileNotFoundError(f"there is no template {name!r}")
                raise self._error(f"there is no template {name!r}", name)
            template = super().load(key)
            for outer in self._under_way:
                self._uses[outer] |= {key, *self._uses[key]}
            return template

    def _error(self, message: str, name: str) -> TemplateError:
        """Return an error at the directive of the template under way that names *name*."""
        parent = self._under_way[-1]
        return TemplateError(message, parent, *naming(self.texts[parent], name))

    def _create_template(self, name: str) -> Template:
        template = SiteTemplate.__new__(SiteTemplate)
        text = self.texts[name]
        self._under_way.append(name)
        self._uses[name] = set()
        try:
            with _quiet("tornado.application"):
                template.__init__(text, name=name, loader=self)  # type: ignore[misc]
        except TemplateError:
            raise
        except NotImplementedError as error:  # So says Tornado of an extends that it meets.
            raise self._misplaced(name) from error
        except Exception as error:
            raise told(error, name, self.texts, template.lines) from error
        finally:
            self._under_way.pop()
        return template

    def _misplaced(self, name: str) -> TemplateError:
        """Return an error at the ``{% extends %}`` of *name* that is not at its top level."""
        text = self.texts[name]
        named = sorted(named_by(name, text), reverse=True)  # The includes first.
        for how, target, _ in named:
            key = self.resolve_path(target, name)
            inner = named_by(key, self.texts.get(key, ""))
            if how == "extends":
                message = "{% extends %} must not stand within another directive"
                return TemplateError(message, name, *naming(text, target))
            if any(each[0] == "extends" for each in inner):
                message = f"{target!r} extends another template, so it cannot be included"
                return TemplateError(message, name, *naming(text, target))
        return TemplateError("{% extends %} is misplaced", name)


class SiteTemplate(Template):
    """A template that knows where each line of its generated Python comes from."""

    lines: tuple[CodeLine, ...] = ()
    chunks: dict[int, tuple[str, int]]
    """For lines of Python that write a text: that text as it stands, and the line it begins in."""

    def _generate_python(self, loader: BaseLoader | None) -> str:
        note_chunks(self.file)
        blocks: dict[str, _NamedBlock] = {}
        ancestors = self._get_ancestors(loader)
        ancestors.reverse()
        for ancestor in ancestors:
            ancestor.find_named_blocks(loader, blocks)
        writer = NotingWriter(StringIO(), blocks, loader, ancestors[0].template)
        ancestors[0].generate(writer)
        self.lines, self.chunks = tuple(writer.lines), writer.chunks
        return cast(StringIO, writer.file).getvalue()

    @property  # A loader that took this over keeps nothing of the one before alive.
    def loader(self) -> SiteLoader | None:
        """The loader that this is a template of, as long as somebody has it."""
        return self._loader()

    @loader.setter
    def loader(self, loader: BaseLoader | None) -> None:
        self._loader = weakref.ref(cast(SiteLoader, loader))

    def generate(self, **kwargs: Any) -> bytes:
        loader = self.loader
        if loader is not None and loader.on_render is not None:
            loader.on_render(self.name, kwargs)
        try:
            return super().generate(**kwargs)
        except HEAVY as error:
            let_go(error)
            raise
        finally:
            if loader is not None:
                # Template.generate() empties linecache before it runs the template.
                loader.rendered()


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Keep *logger* silent: the error is reported where the template is, not as generated code.

    Only in this thread: the server logs in another one.
    """
    thread = threading.get_ident()

    def refuse(record: logging.LogRecord) -> bool:
        return record.thread != thread

    target = logging.getLogger(logger)
    target.addFilter(refuse)
    try:
        yield
    finally:
        target.removeFilter(refuse)
