"""Faults planted into the access rules, one at a time, made from the sources: each must make some test fail.

A mutant is a function whose code is exchanged in the running process: a scope that lets everything through or loses one
of its conditions, a view that forgets the scope, a door open to every role, a choice among all rows, a fact that is no
longer left out. As a plugin (`pytest -p tests.mutants --mutants=FILE`) it tries each on the tests that run the changed
function, one after the other until one fails, and keeps in FILE which did: a second run goes on where the first ended.
"""

import ast
import copy
import gc
import importlib
import inspect
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parent.parent
APPS = ("careleavers", "pantry", "referrals", "reviews", "stockport_hubs")
ENOUGH = 60  # seconds of the processor, as watched, that one mutant gets on the URL table and again on the other tests
# Facts that an audience does not get: file, the words that leave them out, and the words that do not.
FACTS = [
    ("reviews/suppression.py", "if all(is_safe(", "if True or all(is_safe("),
    ("reviews/audience.py", "hides = audience !=", "hides = not audience !="),
    ("reviews/audience.py", "_names(figures) if ours else {}", "_names(figures)"),
    ("reviews/audience.py", "len(figures.outside) if ours else None", "len(figures.outside)"),
    ("reviews/audience.py", "if ours or (barrier.person is None and", "if ours or ("),
    ("referrals/facts.py", 'referral.pantry_needs_to_know if sharing else ""', "referral.pantry_needs_to_know"),
    ("referrals/facts.py", 'if row["is_closed"]:', "if False:"),
]
Place = tuple[str, str, int]  # file from the root, qualified name, first line


@dataclass(frozen=True)
class Mutant:
    """One fault: its name, where the function stands, and the whole file with the fault in it."""

    name: str
    place: Place
    tree: ast.Module | None  # None: the list of roles of a door, not code


# -- made from the sources ---------------------------------------------------------------------------------------------


def every_mutant() -> list[Mutant]:
    """All of them that are code, in a fixed order; `Running` knows the doors."""
    return [mutant for path in _files() for mutant in _of_file(path)]


def _files() -> list[str]:
    """Where access rules can stand, from the root."""
    paths = (path for app in APPS for path in sorted((ROOT / app).rglob("*.py")))
    elsewhere = {"migrations", "settings", "management", "child.py", "wsgi.py", "celery.py"}
    return [str(path.relative_to(ROOT)) for path in paths if not elsewhere & set(path.parts)]


def _of_file(path: str) -> Iterator[Mutant]:
    text = (ROOT / path).read_text()
    for function, name in _functions(tree := ast.parse(text)):
        place = (path, name, min([function.lineno, *(each.lineno for each in getattr(function, "decorator_list", ()))]))
        changes = _scope_changes(function) if name.endswith("for_user") else _use_changes(function)
        for what, node, new in changes:
            yield Mutant(f"{path} {name}: {what}", place, _with(tree, node, new))
    for fact_path, old, new in FACTS:
        if fact_path == path:
            assert text.count(old) == 1, f"{path} no longer reads {old}"
            line = text[: text.index(old)].count("\n") + 1
            within = [(f, n) for f, n in _functions(tree) if f.lineno <= line <= (f.end_lineno or 0)]
            function, name = within[-1]
            yield Mutant(f"{path} {name}: {new}", (path, name, function.lineno), ast.parse(text.replace(old, new)))


Function = ast.FunctionDef | ast.Lambda  # a lambda by itself only where it stands in no function


def _functions(tree: ast.AST, before: str = "") -> Iterator[tuple[Function, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node, before + node.name
            yield from _functions(node, f"{before}{node.name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{before}{node.name}.")
        elif isinstance(tree, ast.Module):
            yield from ((each, "<lambda>") for each in ast.walk(node) if isinstance(each, ast.Lambda))


Change = tuple[str, ast.AST, ast.AST]


def _scope_changes(function: Function) -> Iterator[Change]:
    """`for_user`: everything for everyone; each branch open; each condition of a filter dropped."""
    rows = ast.Name("self", ast.Load())
    whole = copy.copy(function)
    whole.body = [ast.Return(rows)]  # type: ignore[assignment]
    yield "everything for everyone", function, whole
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    for n, node in enumerate(returns, 1):
        if len(returns) > 1 and ast.unparse(node) != "return self":
            yield f"answer {n} is everything", node, ast.Return(rows)
    for n, call in enumerate(_calls(function, "filter"), 1):
        for k in range(len(call.args)) if len(call.args) + len(call.keywords) > 1 else ():
            yield f"filter {n} without condition {k + 1}", call, _without(call, "args", k)
        for k in range(len(call.keywords)) if len(call.args) + len(call.keywords) > 1 else ():
            yield f"filter {n} without {call.keywords[k].arg}", call, _without(call, "keywords", k)


def _use_changes(function: Function) -> Iterator[Change]:
    """Elsewhere: each scope forgotten, each choice of a form among all rows."""
    choices = [
        node for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
        and node.targets[0].attr == "queryset"
    ]  # fmt: skip
    for n, choice in enumerate(choices, 1):
        everything = copy.copy(choice)
        everything.value = ast.parse(f"({ast.unparse(choice.value)}).model._base_manager.all()", mode="eval").body
        yield f"choice {n} among all rows", choice, everything
    inside = {id(node) for choice in choices for node in ast.walk(choice)}
    for n, call in enumerate([c for c in _calls(function, "for_user") if id(c) not in inside], 1):
        asked = ast.Call(ast.Attribute(call.func.value, "all", ast.Load()), [], [])  # type: ignore[attr-defined]
        given = ast.Tuple([asked, *call.args], ast.Load())  # a closure must not lose a variable
        yield f"forgets scope {n}", call, ast.Subscript(given, ast.Constant(0), ast.Load())


def _calls(function: Function, name: str) -> list[ast.Call]:
    nested = {id(part) for each in ast.walk(function) if isinstance(each, ast.FunctionDef) and each is not function
              for part in ast.walk(each)}  # fmt: skip
    return [
        node for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
        and id(node) not in nested
    ]  # fmt: skip


def _without(call: ast.Call, part: str, k: int) -> ast.Call:
    less = copy.copy(call)
    setattr(less, part, [each for n, each in enumerate(getattr(call, part)) if n != k])
    return less


def _with(tree: ast.Module, old: ast.AST, new: ast.AST) -> ast.Module:
    class Exchange(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is old:
                return ast.copy_location(new, old)
            fields = {name: self._of(value) for name, value in ast.iter_fields(node)}
            return ast.copy_location(type(node)(**fields), node)

        def _of(self, value):
            if isinstance(value, list):
                return [self._of(each) for each in value]
            return self.visit(value) if isinstance(value, ast.AST) else value

    changed = Exchange().visit(tree)
    assert isinstance(changed, ast.Module)
    return ast.fix_missing_locations(changed)


# -- put into the running process --------------------------------------------------------------------------------------


class Running:
    """The project's functions in this process, by place."""

    def __init__(self) -> None:
        for path in _files():
            importlib.import_module(path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
        gc.unfreeze()
        self.functions: dict[Place, list[FunctionType]] = {}
        self.doors: dict[Place, FunctionType] = {}
        self.kept: list = []
        from stockport_hubs.core.kept import Kept

        for each in gc.get_objects():
            if isinstance(each, Kept):
                self.kept.append(each)
            if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(f"{ROOT}/"):
                self.functions.setdefault(place_of(each.__code__), []).append(each)
                if each.__code__.co_qualname == "roles.<locals>.decorate.<locals>.guarded":
                    self.doors[place_of(inspect.unwrap(each).__code__)] = each

    def open_doors(self) -> list[Mutant]:
        """Each door that is not open to every role anyway, opened."""
        from stockport_hubs.accounts.models import Role

        shut = [place for place, door in self.doors.items() if len(door.roles) < len(Role)]  # type: ignore[attr-defined]
        return [Mutant(f"{place[0]} {place[1]}: open to every role", place, None) for place in sorted(shut)]

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """With this fault inside."""
        if mutant.tree is None:
            from stockport_hubs.accounts.models import Role

            door = self.doors[mutant.place]
            cell = dict(zip(door.__code__.co_freevars, door.__closure__ or (), strict=True))["allowed"]
            before, cell.cell_contents = cell.cell_contents, tuple(Role)
            yield
            cell.cell_contents = before
            return
        path, name, line = mutant.place
        changed: dict[Place, list[CodeType]] = {}  # with what is written inside it
        for code in _nested(_code(compile(mutant.tree, str(ROOT / path), "exec"), name, line)):
            changed.setdefault(place_of(code), []).append(code)
        functions = [(f, f.__code__) for place in changed for f in self.functions.get(place, ())]
        for function, old in functions:
            if old not in changed[place_of(old)]:
                (function.__code__,) = changed[place_of(old)]
        yield
        for function, old in functions:
            function.__code__ = old

    def forget(self) -> None:
        """The SQL that was written before, with this fault or without."""
        for kept in self.kept:
            kept.texts.clear()

    @contextmanager
    def watched(self, places: set[Place]) -> Iterator[set[Place]]:
        """Which of these places were run, or a door before them."""
        seen: set[Place] = set()
        codes = [(f.__code__, place) for place in places for f in self.functions.get(place, ())]
        watch = {id(inner): place for code, place in codes for inner in _nested(code)}
        watch |= {id(code): place for code, place in codes}
        doors = {id(f.__code__) for f in self.doors.values()}

        def called(frame, event, argument) -> None:
            if event == "call":
                if id(frame.f_code) in watch:
                    seen.add(watch[id(frame.f_code)])
                elif id(frame.f_code) in doors:
                    seen.add(place_of(inspect.unwrap(frame.f_locals["view"]).__code__))

        sys.setprofile(called)
        try:
            yield seen
        finally:
            sys.setprofile(None)


def place_of(code: CodeType) -> Place:
    """Where a function's code was written."""
    return code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname, code.co_firstlineno


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _nested(each)


def _code(within: CodeType, name: str, line: int) -> CodeType:
    for each in within.co_consts:
        if isinstance(each, CodeType):
            if (each.co_qualname, each.co_firstlineno) == (name, line):
                return each
            if name.startswith(f"{each.co_qualname}."):
                return _code(each, name, line)
    raise LookupError(name)


# -- tried on the tests ------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutants")
    group.addoption("--mutants", default="", help="a file for what became of each")
    group.addoption("--mutants-named", default="", help="only these, by name, separated by |")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if not session.config.getoption("--mutants") or session.config.option.collectonly:
        return None
    named = [name for name in session.config.getoption("--mutants-named").split("|") if name]
    Trial(session, named, Path(session.config.getoption("--mutants"))).run()
    return True


class Trial:
    """Every mutant against the tests of this session."""

    def __init__(self, session: pytest.Session, named: list[str], record: Path) -> None:
        self.running, self.file = Running(), record
        every = [*every_mutant(), *self.running.open_doors()]
        assert len({mutant.name for mutant in every}) == len(every)
        self.mutants = [mutant for mutant in every if not named or mutant.name in named]
        assert not named or len(self.mutants) == len(named), sorted(set(named) - {each.name for each in self.mutants})
        self.record: dict = json.loads(record.read_text()) if record.exists() else {}
        self.items = {item.nodeid: item for item in session.items}

    def run(self) -> None:
        self.look_around()
        for same_module in (True, False):  # the URL table first: what it stands on is made once and kept
            if first := next((each for name, each in self.items.items() if "test_url_table" in name), None):
                assert not same_module or not self.fails(first)
            for mutant in self.mutants:
                if self.record["mutants"].get(mutant.name) == (None if same_module else "survived: table"):
                    caught = self.caught_by(mutant, same_module)
                    self.record["mutants"][mutant.name] = caught or ("survived: table" if same_module else "survived")
                    self.save()
                    print(f"{self.record['mutants'][mutant.name]:<70} {mutant.name}", flush=True)

    def look_around(self) -> None:
        """Every test once, without a mutant: how long it takes and which of the functions it runs. One that is about
        PostgreSQL may fail here; it then notices nothing."""
        places = {mutant.place for mutant in self.mutants}
        tests, _ = self.record.setdefault("tests", {}), self.record.setdefault("mutants", {})
        for item in [item for name, item in self.items.items() if name not in tests]:
            began = time.process_time()
            with self.running.watched(places) as seen:
                failed = self.fails(item)
            assert not failed or item.get_closest_marker("postgres"), f"fails without a mutant: {item.nodeid}"
            tests[item.nodeid] = (time.process_time() - began, [] if failed else sorted(seen))
            if len(tests) % 50 == 0:
                self.save()
                print(f"{len(tests)} of {len(self.items)} tests looked at", flush=True)
        self.save()

    def caught_by(self, mutant: Mutant, table: bool) -> str:
        """The first test that fails with this fault, or nothing: those first that are quick and about little else."""
        took = sorted(
            (seconds * len(places), seconds, name) for name, (seconds, places) in self.record["tests"].items()
            if ("test_url_table" in name) == table and list(mutant.place) in [list(place) for place in places]
        )  # fmt: skip
        left = float(ENOUGH)
        for _, seconds, name in took:
            if name in self.items and (left := left - seconds) > 0:
                with self.running.changed(mutant):
                    if self.fails(self.items[name]):
                        return name
        return ""

    def fails(self, item: pytest.Item) -> bool:
        """Run it; what its module stands on stays."""
        beside = [each for each in self.items.values() if each is not item]
        near = next((each for each in beside if each.path == item.path), next(iter(beside), None))
        item.session._setupstate.teardown_exact(item)  # of what another module stood on
        self.running.forget()
        item._initrequest()  # type: ignore[attr-defined]
        return any(report.failed for report in runtestprotocol(item, log=False, nextitem=near))

    def save(self) -> None:
        self.file.write_text(json.dumps(self.record, indent=1))
