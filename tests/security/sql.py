"""Where the program hands SQL to the database, and whether all of it stands in the source.

An expression is constant if nothing that is known only while the program runs is in it: literals,
what is put together from such, a choice between such, names that are only ever given such, and what
a function of ours returns from such. Whatever comes from outside goes in as `$1`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("vacancies", "providers", "web")
# Those of asyncpg that take SQL first.
TAKE_SQL = frozenset(
    {"execute", "executemany", "fetch", "fetchmany", "fetchrow", "fetchval", "prepare", "cursor"}
    | {"copy_from_query"}
)
_METHODS = frozenset({"join", "replace", "strip", "removesuffix", "removeprefix", "items"})
_DEEPEST = 20

Function = ast.FunctionDef | ast.AsyncFunctionDef
Bound = Mapping[str, bool]


class Call(NamedTuple):
    """A place at which SQL is handed over: `sql` is the expression, in the function `inside`."""

    module: Module
    line: int
    sql: ast.expr
    inside: Function | None


class Module:
    """One file of the program."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def functions(self) -> dict[str, Function]:
        return {each.name: each for each in self.tree.body if isinstance(each, Function)}

    @cached_property
    def imported(self) -> dict[str, tuple[str, str]]:
        """Name here → module and name there."""
        return {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and node.module is not None
            for alias in node.names
        }

    def calls(self) -> Iterator[Call]:
        yield from self._calls(self.tree, None)

    def _calls(self, node: ast.AST, inside: Function | None) -> Iterator[Call]:
        for child in ast.iter_child_nodes(node):
            if (
                isinstance(child, ast.Call)
                and isinstance(child.func, ast.Attribute)
                and child.func.attr in TAKE_SQL
                and child.args
            ):
                yield Call(self, child.lineno, child.args[0], inside)
            yield from self._calls(child, child if isinstance(child, Function) else inside)


class Program:
    """Files by their dotted names."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self.modules = modules

    def calls(self) -> Iterator[Call]:
        for module in self.modules.values():
            yield from module.calls()

    def is_constant(self, call: Call) -> bool:
        return self._is(call.sql, call.module, call.inside, {}, _DEEPEST)

    def _is(
        self, node: ast.expr, module: Module, inside: Function | None, bound: Bound, depth: int
    ) -> bool:
        """`bound` says of the parameters of `inside` whether they are constant in this call."""

        def are(nodes: list[ast.expr], bound: Bound = bound) -> bool:
            return all(self._is(each, module, inside, bound, depth - 1) for each in nodes)

        if depth == 0:
            return False
        match node:
            case ast.GeneratorExp(generators=[each]) | ast.ListComp(generators=[each]):
                items = dict.fromkeys(_names(each.target), True)
                return are([each.iter]) and are([node.elt], {**bound, **items})
            case ast.Attribute(value=ast.Name(id=name), attr="__struct_fields__" | "_fields"):
                # The names of the fields of a class of ours.
                return self._class(name, module)
            case ast.Attribute(value=ast.Name(id=name)):
                # Of something that is made once from constants, such as a time zone.
                return name not in bound and self._is_made_once(name, module)
            case ast.Call():
                return self._is_call(node, module, inside, bound, depth)
            case ast.Name(id=name):
                return self._is_name(name, module, inside, bound, depth)
        parts = _parts(node)
        return parts is not None and are(parts)

    def _is_call(
        self, node: ast.Call, module: Module, inside: Function | None, bound: Bound, depth: int
    ) -> bool:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        are = [self._is(each, module, inside, bound, depth - 1) for each in arguments]
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            return all(are) and self._is(node.func.value, module, inside, bound, depth - 1)
        if not isinstance(node.func, ast.Name):
            return False
        if node.func.id in ("range", "len"):
            return True  # numbers
        found = self._function(node.func.id, module)
        if found is None:
            return node.func.id == "tuple" and all(are)
        there, function = found
        names = [each.arg for each in function.args.args]
        given = dict(zip(names, are[: len(node.args)], strict=False))
        given |= {
            str(keyword.arg): is_one
            for keyword, is_one in zip(node.keywords, are[len(node.args) :], strict=True)
        }
        returned = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
        return bool(returned) and all(
            value is not None and self._is(value, there, function, given, depth - 1)
            for value in returned
        )

    def _function(self, name: str, module: Module) -> tuple[Module, Function] | None:
        if name in module.functions:
            return module, module.functions[name]
        source, original = module.imported.get(name, ("", ""))
        there = self.modules.get(source)
        return self._function(original, there) if there is not None else None

    def _is_name(
        self, name: str, module: Module, inside: Function | None, bound: Bound, depth: int
    ) -> bool:
        if name in bound:
            return bound[name]
        if inside is not None:
            if name in (parameters := _parameters(inside)):
                return self._is_literal(parameters[name], module)
            given = _given(inside, name)
            if given:
                return all(self._is(each, module, inside, bound, depth - 1) for each in given)
        given = _given(module.tree, name)
        if given:
            return all(self._is(each, module, None, {}, depth - 1) for each in given)
        source, original = module.imported.get(name, ("", ""))
        there = self.modules.get(source)
        return there is not None and self._is_name(original, there, None, {}, depth - 1)

    def _is_literal(self, annotation: ast.expr | None, module: Module) -> bool:
        """Whether a parameter can only be one of some words: mypy holds callers to its type."""
        match annotation:
            case ast.Subscript(value=ast.Name(id="Literal")):
                return True
            case ast.Name(id=name):
                source, original = module.imported.get(name, ("", name))
                there = self.modules.get(source, module)
                values = _given(there.tree, original)
                return bool(values) and all(self._is_literal(each, there) for each in values)
        return False

    def _class(self, name: str, module: Module) -> bool:
        source, original = module.imported.get(name, ("", name))
        there = self.modules.get(source, module)
        return any(isinstance(e, ast.ClassDef) and e.name == original for e in there.tree.body)

    def _is_made_once(self, name: str, module: Module) -> bool:
        source, original = module.imported.get(name, ("", name))
        there = self.modules.get(source, module)
        made = _given(there.tree, original)
        return bool(made) and all(
            isinstance(each, ast.Call) and all(isinstance(arg, ast.Constant) for arg in each.args)
            for each in made
        )


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """What has to be constant for `node` to be so; None if it never is."""
    match node:
        case ast.Constant():
            return []
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return parts
        case ast.FormattedValue(value=value) | ast.Starred(value=value):
            return [value]
        case ast.BinOp(left=left, op=ast.Mult()):
            return [left]  # a text, or none of it
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return [left, right]
        case ast.BoolOp(values=values) | ast.Dict(values=values):
            return values
        case ast.Subscript(value=table):
            # Which one is chosen may come from outside; what can be chosen may not.
            return [table]
    return None


def whole_program() -> Program:
    """All files of the three packages, by their dotted names."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return Program({_dotted(path): Module(path) for path in sorted(paths)})


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _parameters(function: Function) -> dict[str, ast.expr | None]:
    """Parameter → its type."""
    named = function.args
    every = [*named.posonlyargs, *named.args, *named.kwonlyargs, named.vararg, named.kwarg]
    return {each.arg: each.annotation for each in every if each is not None}


def _names(target: ast.expr) -> list[str]:
    return [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]


def _given(scope: ast.AST, name: str) -> list[ast.expr]:
    """All values that `name` is given in this scope; of a loop, what it goes through."""
    found: list[ast.expr] = []
    body = ast.walk(scope) if isinstance(scope, Function) else iter(getattr(scope, "body", []))
    for node in body:
        match node:
            case ast.Assign(targets=targets, value=value) if any(
                name in _names(each) for each in targets if not isinstance(each, ast.Subscript)
            ):
                found.append(value)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if (
                target == name
            ):
                found.append(value)
            case ast.AugAssign(target=ast.Name(id=target), value=value) if target == name:
                found.append(value)
            case ast.For(target=target, iter=iterated) if name in _names(target):
                found.append(iterated)
    return found
