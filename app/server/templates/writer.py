"""Writes the Python of a template as Tornado does, and notes the origin of each line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tornado.template import (
    _ApplyBlock,
    _ChunkList,
    _CodeWriter,
    _ControlBlock,
    _Expression,
    _IntermediateControlBlock,
    _Module,
    _NamedBlock,
    _Node,
    _Statement,
    _Text,
)

from .facts import APPLY, CONTROL, EXPRESSION, FRAME, MODULE, TEXT, CodeLine, Place
from .limit import looking


class _NotedChunks(_ChunkList):
    """Chunks that tell the writer which of them it is that writes."""

    def generate(self, writer: _CodeWriter) -> None:
        assert isinstance(writer, NotingWriter)
        for chunk in self.chunks:
            with writer.writing(chunk):
                chunk.generate(writer)


def note_chunks(node: _Node) -> None:
    """Let the chunks of a template tell a `NotingWriter` which of them writes."""
    if type(node) is _ChunkList:
        node.__class__ = _NotedChunks
    for child in node.each_child():
        note_chunks(child)


_ENDS = frozenset(("pass", "continue"))
"""What Tornado writes at the end of a block."""


class NotingWriter(_CodeWriter):
    """Writes what Tornado's own writes, and notes for each line where it comes from.

    What runs also looks how much has been written, where a block ends; see `limit`.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lines: list[CodeLine] = []
        self.chunks: dict[int, tuple[str, int]] = {}
        self._node: _Node | None = None
        self._blocks: list[Place] = []

    @contextmanager
    def writing(self, node: _Node) -> Iterator[None]:
        """What is written within is *node*'s."""
        outer, self._node = self._node, node
        first = len(self.lines)
        block = self.named_blocks[node.name] if isinstance(node, _NamedBlock) else None
        if block is not None:
            self._blocks.append((block.template.name, block.line))
        try:
            yield
        finally:
            self._node = outer
            if block is not None:
                self._blocks.pop()
        if isinstance(node, (_ApplyBlock, _Expression)):
            last = len(self.lines)
            for at in range(first, last - 1):
                if self.lines[at].sink == at + 1:
                    self.lines[at] = self.lines[at]._replace(sink=last)

    def write_line(self, line: str, line_number: int, indent: int | None = None) -> None:
        runs = looking(line) if line in _ENDS else line
        super().write_line(runs, line_number, indent)
        file = self.current_template.name if line_number else ""
        via = tuple((template.name, at) for template, at in reversed(self.include_stack))
        blocks = tuple(self._blocks)
        kind, escape = self._kind()
        if isinstance(self._node, _Text):
            node = self._node
            self.chunks[len(self.lines) + 1] = node.value, node.line - node.value.count("\n")
        text = "    " * (self._indent if indent is None else indent) + line
        for row, part in enumerate(text.split("\n")):
            first, last = line_number + row, line_number + row
            if kind is TEXT and isinstance(self._node, _Text):
                first, last = lines_of(self._node)
            number = len(self.lines) + 1
            line_ = CodeLine(part, kind, file, first, last, via, blocks, escape, number)
            self.lines.append(line_)

    def _kind(self) -> tuple[str, str]:
        node = self._node
        if isinstance(node, _Text):
            return TEXT, ""
        if isinstance(node, _Module):
            return MODULE, ""
        if isinstance(node, _Expression):
            return EXPRESSION, "" if node.raw else self.current_template.autoescape or ""
        if isinstance(node, _ApplyBlock):
            return APPLY, ""
        if isinstance(node, (_ControlBlock, _IntermediateControlBlock, _Statement)):
            return CONTROL, ""
        return FRAME, ""


def lines_of(node: _Text) -> tuple[int, int]:
    """Return the first and the last line of a text's ink; Tornado knows where the text ends."""
    start = node.line - node.value.count("\n")
    ink = node.value.strip()
    if not ink:
        return start, start
    first = start + node.value[: node.value.index(ink)].count("\n")
    return first, first + ink.count("\n")
