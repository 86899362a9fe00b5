"""A site as a plain Tornado program: ``app.py`` beside its handlers, templates and static files.

Nothing of the site is run for it. What the program does at its start is what `build_application`
does with the site.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .bit_by_bit import Work, finish
from .site import HANDLERS, STATIC, TEMPLATES, Problem, Route, Site, SiteError, checking
from .site.journal import exchange
from .site.saving import copy_static, disk_errors, encoded

PROGRAM = "app.py"
_MARK = "# Exported from Loopscope; it needs Tornado alone."
_CLASSES = ("default_handler_class", "static_handler_class", "log_function")
_MODULES = ("ui_modules", "ui_methods")
_LEFT_OUT = ("debug", "autoreload", "template_path", "static_path", "cookie_secret")


def export(site: Site, folder: str | os.PathLike[str]) -> None:
    """Write *site* into *folder* as a program that ``python3 app.py`` runs without Loopscope.

    The folder must be empty, missing, or an earlier export. Raises SiteError for any other, for a
    site that could not be served, and when the disk refuses; all files are written, or none.
    """
    finish(exporting(site, folder))


def exporting(site: Site, folder: str | os.PathLike[str]) -> Work[None]:
    """Do as `export` does, bit by bit; all is written in the last bit."""
    root = Path(folder).absolute()
    problems = yield from checking(site)
    if problems:
        raise SiteError(problems, site.folder)
    with disk_errors(root):
        if not _is_free(root):
            text = "is not empty: an export needs a folder of its own"
            raise SiteError([Problem(str(root), 0, 0, text)])
        root.mkdir(parents=True, exist_ok=True)
        files = {
            PROGRAM: program(site),
            "requirements.txt": "tornado>=6.6.1\n",
            f"{HANDLERS}/__init__.py": "",
        }
        files |= {f"{HANDLERS}/{name}": text for name, text in site.handlers.items()}
        files |= {f"{TEMPLATES}/{name}": text for name, text in site.templates.items()}
        for name in _folders(site):
            copy_static(site.folder / name, root / name)
        root = root.resolve()
        exchange(root, [(root / name, encoded(name, text, root)) for name, text in files.items()])


def _is_free(root: Path) -> bool:
    if not root.exists() or not any(root.iterdir()):
        return True
    earlier = root / PROGRAM
    return earlier.is_file() and _MARK in earlier.read_text("utf-8", "replace")


def _folders(site: Site) -> Iterator[str]:
    """Yield the folders of the project whose files are served as they are."""
    paths = [site.settings.get("static_path") or STATIC]
    paths += [route.kwargs.get("path") for route in site.routes]
    for path in paths:
        if isinstance(path, str) and path:
            folder = (site.folder / path).resolve()
            if folder != site.folder.resolve() and folder.is_relative_to(site.folder.resolve()):
                yield path


def program(site: Site) -> str:
    """Return the text of ``app.py`` for *site*."""
    code = _Code(site)
    first = code.rules([route for route in site.routes if route.enabled and not route.host])
    hosts = dict.fromkeys(route.host for route in site.routes if route.enabled and route.host)
    more = "".join(
        f"    application.add_handlers(\n        {_text(host)},\n        {rules},\n    )\n"
        for host in hosts
        for rules in [code.rules([r for r in site.routes if r.enabled and r.host == host], 8)]
    )
    settings = "".join(f"        {key}={text},\n" for key, text in code.settings())
    title = " ".join((site.name or site.folder.name).split()).replace("\\", "").replace('"', "'")
    return _PROGRAM.format(
        title=title,
        mark=_MARK,
        imports="".join(f"import {name}\n" for name in sorted(code.imports)),
        modules="".join(f"import {name}\n" for name in _handler_modules(site)),
        rules=first,
        settings=settings,
        more=more,
        server="".join(f", {key}={code.value(value)}" for key, value in site.server.items()),
    )


def _handler_modules(site: Site) -> list[str]:
    """Return all of the site's modules: each is run when the program starts."""
    stems = sorted(name.removesuffix(".py") for name in site.handlers)
    found = [f"{HANDLERS}.{stem}" for stem in stems if stem.isidentifier() and stem != "__init__"]
    return found or [HANDLERS]


class _Code:
    """Writes values of a site as Python and notes what must be imported for them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.imports = {"asyncio", "pathlib", "tornado.options", "tornado.web"}

    def rules(self, routes: list[Route], indent: int = 8) -> str:
        """Return the list of URLSpecs for *routes*."""
        if not routes:
            return "[]"
        pad = " " * indent
        return "\n".join(["[", *(f"{pad}    {self._rule(route)}," for route in routes), f"{pad}]"])

    def _rule(self, route: Route) -> str:
        parts = [_text(route.pattern), self._target(route.handler)]
        kwargs = dict(route.kwargs)
        if kwargs:
            path = kwargs.get("path")
            if isinstance(path, str) and self._is_static(route.handler):
                kwargs["path"] = _Path(path)
            parts.append(self.value(kwargs))
        if route.name:
            parts.append(f"name={route.name!r}")
        return f"tornado.web.URLSpec({', '.join(parts)})"

    def _target(self, dotted: str) -> str:
        """Return the expression for what *dotted* names: a class in some module."""
        package, module, *_ = dotted.split(".")
        if package != HANDLERS:
            self.imports.add(dotted.rpartition(".")[0])
        elif f"{module}.py" not in self._site.handlers:
            self.imports.add(HANDLERS)
        return dotted

    def _is_static(self, dotted: str, depth: int = 0) -> bool:
        """Tell whether *dotted* is Tornado's handler of files or a subclass, by its source."""
        name = dotted.rpartition(".")[2]
        if name == "StaticFileHandler" or depth > 9:
            return name == "StaticFileHandler"
        sources = "\n".join(self._site.handlers.values())
        bases = re.search(rf"^class[ \t]+{re.escape(name)}[ \t]*\(([^)]*)\)", sources, re.MULTILINE)
        each = bases[1].split(",") if bases else []
        return any(self._is_static(base.strip(), depth + 1) for base in each)

    def settings(self) -> Iterator[tuple[str, str]]:
        """Yield the keyword arguments of the Application."""
        site = self._site
        settings = dict(site.settings)
        yield "template_path", self.value(_Path(settings.get("template_path", TEMPLATES)))
        static = settings.get("static_path") or STATIC
        if "static_path" in settings or (site.folder / STATIC).is_dir():
            yield "static_path", self.value(_Path(static))
        yield "cookie_secret", self._secret(settings.get("cookie_secret"))
        if settings.get("debug"):
            # All that debug bundles but the restart of the process.
            for key, value in (
                ("compiled_template_cache", False),
                ("static_hash_cache", False),
                ("serve_traceback", True),
            ):
                settings.setdefault(key, value)
        for key, value in settings.items():
            if key not in _LEFT_OUT:
                yield key, self._setting(key, value)

    def _setting(self, key: str, value: Any) -> str:
        if key in _CLASSES and isinstance(value, str):
            return self._target(value)
        if key in _MODULES:
            return self._modules(value)
        if key == "autoescape" and not value:
            return "None"
        return self.value(value)

    def _modules(self, value: Any) -> str:
        if isinstance(value, str):
            if value.split(".")[0] == HANDLERS:
                return value
            self.imports.add("tornado.util")
            return f"tornado.util.import_object({value!r})"
        if isinstance(value, list):
            return f"[{', '.join(map(self._modules, value))}]"
        pairs = (f"{name!r}: {self._modules(each)}" for name, each in value.items())
        return f"{{{', '.join(pairs)}}}"

    def _secret(self, secret: Any) -> str:
        if secret is None:
            self.imports |= {"os", "secrets"}
            return 'os.environ.get("COOKIE_SECRET") or secrets.token_urlsafe(32)'
        if isinstance(secret, dict):
            return self.value({int(version): text for version, text in secret.items()})
        return self.value(secret)

    def value(self, value: Any) -> str:
        """Return *value*, as TOML knows it, in Python."""
        if isinstance(value, _Path):
            return f"str(HERE / {str(value.name)!r})"
        if isinstance(value, dict):
            pairs = (f"{key!r}: {self.value(each)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self.value, value))}]"
        if type(value).__module__ == "datetime":
            self.imports.add("datetime")
        return repr(value)


def _text(text: str) -> str:
    raw = "\\" in text and "'" not in text and text.isprintable() and text[-1] != "\\"
    return f"r'{text}'" if raw else repr(text)


class _Path:
    """A path below the program's folder."""

    def __init__(self, name: Any) -> None:
        self.name = name


_PROGRAM = '''\
"""{title}

    python3 app.py --port=8888
"""
{mark}

{imports}
{modules}
HERE = pathlib.Path(__file__).resolve().parent


def make_app():
    """Return the application."""
    application = tornado.web.Application(
        {rules},
{settings}    )
{more}    return application


async def main():
    """Serve until the process ends."""
    tornado.options.define("port", default=8888)
    tornado.options.define("address", default="127.0.0.1")
    tornado.options.parse_command_line()
    options = tornado.options.options
    make_app().listen(options.port, options.address{server})
    print(f"Serving at http://{{options.address}}:{{options.port}}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
'''
