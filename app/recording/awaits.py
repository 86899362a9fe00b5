"""Awaits that stand in sequence in a coroutine's source though none needs what another gave.

The rule is conservative; where anything is unclear, the awaits are taken to depend on each other:

* They are statements right after one another, each with one ``await``, outside of loops and with.
* Either each gives a value (``x = await …``, ``return await …``), or each is a bare ``await`` of
  code that is known to do nothing but wait. None uses a name that another one sets.
* Each awaits a call that begins there: what is given to it are plain values, no local objects,
  which may be tasks that run already.
* No two touch the same object: they neither call its methods, set its attributes nor pass it on.
  Code, plain values and HTTP clients, which are made for it, may be shared. Functions of the same
  file are read through; of others it is known what they are given.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from .reach import attr, is_a, is_kind

Chain = tuple[str, ...]
"""A dotted name, as a tuple of its parts."""
Locals = dict[str, list[ast.expr]]
"""The local names of a function, with what they are set to."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef

_CODE = (FunctionType, BuiltinFunctionType, ModuleType)
_PLAIN = (str, bytes, int, float, bool, complex, type(None))
_CLIENTS = (
    "tornado.httpclient.AsyncHTTPClient",
    "httpx.AsyncClient",
    "aiohttp.client.ClientSession",
)
_WAITS = {("asyncio.tasks", "sleep"), ("tornado.gen", "sleep")}
_VALUES = {"bool", "bytes", "dict", "float", "int", "len", "list", "range", "repr", "set"}
_VALUES |= {"sorted", "str", "sum", "tuple", "zip", "enumerate", "min", "max", "round", "abs"}
_UNKNOWN = object()
_ARGUMENTS = {
    f"get_{where}argument{many}" for where in ("", "query_", "body_") for many in ("", "s")
}
_GIVEN = {"request", "path_args", "path_kwargs", "current_user"}
"""What a handler is given and reads."""


@dataclass
class Statement:
    """A statement with one await in it."""

    first: int
    last: int
    bare: bool
    """Whether nothing is done with what the await gives."""
    sets: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    touches: set[Chain] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    """The names of the functions that it calls, as far as they are known."""
    unknown: bool = False
    """Whether it calls what cannot be read."""
    unclear: bool = False
    """Whether it has to do with local objects: they may be what was begun before."""

    def needs(self, earlier: Statement) -> bool:
        """Return whether this may depend on an earlier statement."""
        shared = earlier.sets & (self.uses | self.sets)
        return bool(shared) or any(
            one[: len(other)] == other[: len(one)]
            for one in earlier.touches
            for other in self.touches
        )


def sequences(tree: ast.Module, first_line: int, names: dict[str, Any]) -> list[list[Statement]]:
    """Return the groups of independent awaits in the coroutine function that starts at a line.

    *names* are the globals of its module.
    """
    for cls, function in _functions(tree):
        starts = [function.lineno, *(each.lineno for each in function.decorator_list)]
        if min(starts) == first_line and isinstance(function, ast.AsyncFunctionDef):
            return list(_Reader(tree, cls, function, names).groups())
    return []


def _functions(tree: ast.Module) -> Iterator[tuple[ast.ClassDef | None, _Function]]:
    """Yield the functions of a module and its classes, each with its class."""
    left: list[tuple[ast.ClassDef | None, ast.AST]] = [(None, tree)]
    while left:
        cls, node = left.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _Function):
                yield cls, child
            left.append((child if isinstance(child, ast.ClassDef) else cls, child))


class _Reader:
    """Reads one coroutine function, and what it calls in the same file."""

    def __init__(
        self,
        tree: ast.Module,
        cls: ast.ClassDef | None,
        function: ast.AsyncFunctionDef,
        names: dict[str, Any],
    ) -> None:
        self._names = names
        self._function = function
        own = cls.body if cls else []
        self._methods = {each.name: each for each in own if isinstance(each, _Function)}
        self._module = {each.name: each for each in tree.body if isinstance(each, _Function)}
        arguments = [each.arg for each in function.args.posonlyargs + function.args.args]
        self._self = arguments[0] if cls and arguments else ""
        self._locals = _assigned(function)

    def groups(self) -> Iterator[list[Statement]]:
        """Yield the groups of two and more."""
        for block in _blocks(self._function.body):
            group: list[Statement] = []
            for node in [*block, None]:
                found = self._statement(node) if node else None
                if found and group and self._belongs(found, group):
                    group.append(found)
                    continue
                if len(group) > 1:
                    yield group
                group = [found] if found else []

    @staticmethod
    def _belongs(found: Statement, group: list[Statement]) -> bool:
        if found.bare != group[0].bare or any(found.needs(each) for each in group):
            return False
        return not (found.bare and any(each.unknown for each in [found, *group]))

    def _statement(self, node: ast.stmt) -> Statement | None:
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr)):
            return None
        inside = list(ast.walk(node))
        awaits = [each for each in inside if isinstance(each, ast.Await)]
        if len(awaits) != 1 or not isinstance(awaits[0].value, ast.Call):
            return None
        if any(isinstance(each, (ast.Yield, ast.NamedExpr, ast.Lambda)) for each in inside):
            return None
        if any(getattr(each, "is_async", 0) for each in inside):
            return None
        bare = isinstance(node, ast.Expr)
        found = Statement(node.lineno, node.end_lineno or node.lineno, bare)
        for each in inside:
            if isinstance(each, ast.Name):
                (found.uses if isinstance(each.ctx, ast.Load) else found.sets).add(each.id)
        self._read(node, found, self._locals, set())
        return None if found.unclear else found

    def _read(self, node: ast.AST, found: Statement, local: Locals, seen: set[int]) -> None:
        """Note what a node and the functions that it calls touch."""
        parts = set[int]()  # Nodes that were dealt with as parts of others.
        for each in ast.walk(node):
            if id(each) in parts:
                continue
            if isinstance(each, ast.Call):
                parts |= set(map(id, _along(each.func)))
                self._call(each, found, local, seen)
            elif isinstance(each, (ast.Attribute, ast.Name)):
                parts |= set(map(id, _along(each)))
                stored = not isinstance(each.ctx, ast.Load)
                if not (stored and isinstance(each, ast.Name)):
                    self._touch(_chain(each), found, local, stored)

    def _call(self, node: ast.Call, found: Statement, local: Locals, seen: set[int]) -> None:
        chain = _chain(node.func)
        if not chain:
            inner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            self._read(inner, found, local, seen)
            found.unknown = True
            found.calls |= {node.func.attr} if isinstance(node.func, ast.Attribute) else set()
            return
        found.calls.add(chain[-1])
        if self._reads_argument(chain):
            return
        known = self._known(chain, local)
        if known is None:
            found.unknown |= not self._does_nothing(chain, local)
            whole = chain[0] in local and not self._is_own(chain)
            self._touch(chain if whole else chain[:-1], found, local, False)
            if chain == ("super",):
                found.touches.add((self._self,))
        elif id(known) not in seen:
            seen.add(id(known))
            if known.decorator_list:
                found.touches.add(chain)
            for child in known.body:
                self._read(child, found, _assigned(known), seen)

    def _known(self, chain: Chain, local: Locals) -> _Function | None:
        """Return the function of the same file that is called by a name."""
        if self._is_own(chain):
            return self._methods.get(chain[1]) if len(chain) == 2 else None
        return self._module.get(chain[0]) if len(chain) == 1 and chain[0] not in local else None

    def _does_nothing(self, chain: Chain, local: Locals) -> bool:
        """Return whether what is called by a name is known to do nothing but wait or compute."""
        if self._is_own(chain) or chain[0] in local:
            return False
        target = self._value(chain)
        if (attr(target, "__module__"), attr(target, "__name__")) in _WAITS:
            return True
        return chain[-1] in _VALUES and target is getattr(builtins, chain[-1])

    def _touch(self, chain: Chain, found: Statement, local: Locals, stored: bool) -> None:
        if not chain:
            return
        if self._is_own(chain):
            if stored or len(chain) == 1 or chain[1] not in _GIVEN:
                found.touches.add(chain)
        elif chain[0] in local:
            if local is self._locals and not all(map(self._is_plain, local[chain[0]])):
                found.unclear = True
        elif stored or not self._may_share(self._value(chain)):
            found.touches.add(chain)

    def _is_own(self, chain: Chain) -> bool:
        return bool(self._self) and chain[0] == self._self

    def _reads_argument(self, chain: Chain) -> bool:
        return len(chain) == 2 and self._is_own(chain) and chain[1] in _ARGUMENTS

    def _value(self, chain: Chain) -> Any:
        """Return what a dotted name stands for; its first part that is an object with a state."""
        value = self._names.get(chain[0], getattr(builtins, chain[0], _UNKNOWN))
        for name in chain[1:]:
            if not isinstance(value, (ModuleType, type)):
                break
            value = attr(value, name)
        return value

    @staticmethod
    def _may_share(value: Any) -> bool:
        return type(value) in (*_PLAIN, *_CODE) or isinstance(value, type) or is_a(value, *_CLIENTS)

    def _is_plain(self, node: ast.expr) -> bool:
        """Return whether an expression gives a plain value, or an HTTP client."""
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            return True
        if isinstance(node, ast.BinOp):
            return self._is_plain(node.left) and self._is_plain(node.right)
        if not isinstance(node, ast.Call):
            return False
        chain = _chain(node.func)
        if not chain or self._reads_argument(chain):
            return bool(chain)
        made = self._value(chain) if chain[0] not in self._locals else None
        return isinstance(made, type) and (made in _PLAIN or is_kind(made, *_CLIENTS))


def _blocks(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements that run in order, once: not those of loops and with."""
    yield body
    for node in body:
        if isinstance(node, ast.If):
            yield from _blocks(node.body)
            yield from _blocks(node.orelse)
        elif isinstance(node, ast.Try):
            yield from _blocks(node.body)


def _assigned(function: _Function) -> Locals:
    """Return the local names of a function, with the expressions that they are set to.

    Its arguments, which for a handler are texts, have none.
    """
    found: Locals = {}
    followed = set[int]()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            found.setdefault(node.arg, [])
        elif isinstance(node, _Function) and node is not function:
            found[node.name] = [ast.Name(node.name)]
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    followed.add(id(target))
                    found.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            # What is set in another way is not plain, as a name by itself is not.
            found.setdefault(node.id, []).extend([node] * (id(node) not in followed))
    return found


def _along(node: ast.AST) -> Iterable[ast.AST]:
    """Return the nodes of a dotted name."""
    while isinstance(node, ast.Attribute):
        yield node
        node = node.value
    if isinstance(node, ast.Name):
        yield node


def _chain(node: ast.AST) -> Chain:
    """Return a dotted name; empty for what is not one."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()
