"""Single files of a site in place of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .model import HANDLERS, Site
from .site_file import parse_site


def merged(site: Site, texts: Mapping[str, str | None]) -> Site:
    """Return *site* with the files of *texts* in place of its own; None takes one away.

    Raises SiteError for a ``site.toml`` that cannot be read.
    """
    for name, text in texts.items():
        folder, _, rest = name.partition("/")
        if not rest:
            if text is not None:
                toml = parse_site(text, site.folder)
                site = replace(toml, handlers=site.handlers, templates=site.templates)
        elif folder == HANDLERS:
            site = site.without_handler(rest) if text is None else site.with_handler(rest, text)
        else:
            site = site.without_template(rest) if text is None else site.with_template(rest, text)
    return site
