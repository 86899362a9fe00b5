"""A project as data: a folder with ``site.toml``, ``handlers/``, ``templates/`` and ``static/``.

Loading and saving run nothing of the project: its Python and its templates are text here.
"""

from .checking import check, checking, compile_handler, remarks
from .merging import merged
from .model import (
    HANDLERS,
    MAX_FILES,
    MAX_SITE_FILE_BYTES,
    MAX_SOURCE_BYTES,
    SCHEMA,
    SITE_FILE,
    STATIC,
    TEMPLATES,
    GivenUp,
    Problem,
    Route,
    Site,
    SiteError,
)
from .reading import load
from .saving import digest, save, texts
from .toml_text import dumps

__all__ = [
    "HANDLERS",
    "MAX_FILES",
    "MAX_SITE_FILE_BYTES",
    "MAX_SOURCE_BYTES",
    "SCHEMA",
    "SITE_FILE",
    "STATIC",
    "TEMPLATES",
    "GivenUp",
    "Problem",
    "Route",
    "Site",
    "SiteError",
    "check",
    "checking",
    "compile_handler",
    "digest",
    "dumps",
    "load",
    "merged",
    "remarks",
    "save",
    "texts",
]
