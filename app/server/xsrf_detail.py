"""A verdict as the recording keeps it: words for people, and what it was worked out from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .origin_check import Origin
from .xsrf import Verdict, origin_verdict, xsrf_verdict

_INPUTS = "inputs: "


def detail_of(verdict: Verdict, inputs: Mapping[str, Any]) -> str:
    """Return *verdict* in lines: the sentence, the repair, and of a refusal a line for each rung.

    The last line holds *inputs*, the arguments of `xsrf_verdict` or `origin_verdict`, as JSON.
    """
    lines = [str(verdict.sentence)]
    if verdict.repair.text:
        lines.append(str(verdict.repair))
    for rung in () if verdict.passed else verdict.rungs:
        lines.append(f"{rung.state}: {rung.name} — {rung.seen}".removesuffix(" — "))
    lines.append(_INPUTS + json.dumps(inputs))
    return "\n".join(lines)


def verdict_of(detail: str) -> Verdict | None:
    """Work out the verdict again that `detail_of` wrote; None when *detail* is none of it."""
    last = detail.rpartition("\n")[2]
    if not last.startswith(_INPUTS):
        return None
    try:
        inputs = json.loads(last.removeprefix(_INPUTS))
        if inputs.get("origin") is not None:
            inputs["origin"] = Origin(*inputs["origin"])
        return xsrf_verdict(**inputs) if "argument" in inputs else origin_verdict(**inputs)
    except (ValueError, TypeError, AttributeError):
        return None
