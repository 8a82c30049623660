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
ENOUGH = 60  # seconds of tests that one mutant gets
# Facts that an audience does not get: file, the words that leave them out, and the words that do not.
FACTS = [
    ("reviews/audience.py", "if count < threshold}", "if count < 0}"),
    ("reviews/audience.py", "hides = audience ==", "hides = not audience =="),
    ("reviews/audience.py", "_names(figures) if ours else {}", "_names(figures)"),
    ("reviews/audience.py", "len(figures.cohort.outside) if ours else None", "len(figures.cohort.outside)"),
    ("reviews/audience.py", "while hidden and shown and (", "while not hidden and ("),
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
        place = (path, name, min([function.lineno, *(each.lineno for each in function.decorator_list)]))
        changes = _scope_changes(function) if function.name == "for_user" else _use_changes(function)
        for what, node, new in changes:
            yield Mutant(f"{path} {name}: {what}", place, _with(tree, node, new))
    for fact_path, old, new in FACTS:
        if fact_path == path:
            assert text.count(old) == 1, f"{path} no longer reads {old}"
            line = text[: text.index(old)].count("\n") + 1
            within = [(f, n) for f, n in _functions(tree) if f.lineno <= line <= (f.end_lineno or 0)]
            function, name = within[-1]
            yield Mutant(f"{path} {name}: {new}", (path, name, function.lineno), ast.parse(text.replace(old, new)))


def _functions(tree: ast.AST, before: str = "") -> Iterator[tuple[ast.FunctionDef, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node, before + node.name
            yield from _functions(node, f"{before}{node.name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{before}{node.name}.")


Change = tuple[str, ast.AST, ast.AST]


def _scope_changes(function: ast.FunctionDef) -> Iterator[Change]:
    """`for_user`: everything for everyone; each branch open; each condition of a filter dropped."""
    rows = ast.Name("self", ast.Load())
    whole = copy.copy(function)
    whole.body = [ast.Return(rows)]
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


def _use_changes(function: ast.FunctionDef) -> Iterator[Change]:
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
        yield f"forgets scope {n}", call, asked


def _calls(function: ast.FunctionDef, name: str) -> list[ast.Call]:
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
        for each in gc.get_objects():
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
        new = _code(compile(mutant.tree, str(ROOT / path), "exec"), name, line)
        before = self.functions[mutant.place][0].__code__
        for function in self.functions[mutant.place]:
            function.__code__ = new
        yield
        for function in self.functions[mutant.place]:
            function.__code__ = before

    @contextmanager
    def watched(self, places: set[Place]) -> Iterator[set[Place]]:
        """Which of these places were run, or a door before them."""
        seen: set[Place] = set()
        watch = {f.__code__: p for p in places for f in self.functions.get(p, ())}
        doors = {f.__code__ for f in self.doors.values()}

        def called(frame, event, argument) -> None:
            if event == "call":
                if frame.f_code in watch:
                    seen.add(watch[frame.f_code])
                elif frame.f_code in doors:
                    seen.add(place_of(inspect.unwrap(frame.f_locals["view"]).__code__))

        sys.setprofile(called)
        try:
            yield seen
        finally:
            sys.setprofile(None)


def place_of(code: CodeType) -> Place:
    """Where a function's code was written."""
    return code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname, code.co_firstlineno


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
        self.mutants = [mutant for mutant in every if not named or mutant.name in named]
        assert not named or len(self.mutants) == len(named), sorted(set(named) - {each.name for each in self.mutants})
        self.record: dict = json.loads(record.read_text()) if record.exists() else {}
        self.items = {item.nodeid: item for item in session.items}
        self.unfit: list[str] = []  # tests that fail without a mutant

    def run(self) -> None:
        if "tests" not in self.record:
            self.record = {"tests": self.look_around(), "mutants": {}}
            self.save()
        for same_module in (True, False):  # the URL table first: what it stands on is made once and kept
            for mutant in self.mutants:
                if self.record["mutants"].get(mutant.name, "survived: table") == "survived: table":
                    caught = self.caught_by(mutant, same_module)
                    self.record["mutants"][mutant.name] = caught or ("survived: table" if same_module else "survived")
                    self.save()
                    print(f"{self.record['mutants'][mutant.name]:<70} {mutant.name}", flush=True)

    def look_around(self) -> dict[str, tuple[float, list[Place]]]:
        """Every test once, without a mutant: how long it takes and which of the functions it runs."""
        places, found = {mutant.place for mutant in self.mutants}, {}
        for item in self.items.values():
            began = time.perf_counter()
            with self.running.watched(places) as seen:
                failed = self.fails(item)
            if failed:
                self.unfit.append(item.nodeid)
            else:
                found[item.nodeid] = (time.perf_counter() - began, sorted(seen))
        assert not self.unfit, f"fail without a mutant: {self.unfit}"
        return found

    def caught_by(self, mutant: Mutant, table: bool) -> str:
        """The first test that fails with this fault, or nothing."""
        took = sorted(
            (seconds, name) for name, (seconds, places) in self.record["tests"].items()
            if ("test_url_table" in name) == table and list(mutant.place) in [list(place) for place in places]
        )  # fmt: skip
        left = float(ENOUGH)
        for seconds, name in took:
            if (left := left - seconds) > 0 and name in self.items:
                with self.running.changed(mutant):
                    if self.fails(self.items[name]):
                        return name
        return ""

    def fails(self, item: pytest.Item) -> bool:
        """Run it; what its module stands on stays."""
        beside = [each for each in self.items.values() if each is not item]
        near = next((each for each in beside if each.path == item.path), next(iter(beside), None))
        item.session._setupstate.teardown_exact(item)  # of what another module stood on
        item._initrequest()  # type: ignore[attr-defined]
        return any(report.failed for report in runtestprotocol(item, log=False, nextitem=near))

    def save(self) -> None:
        self.file.write_text(json.dumps(self.record, indent=1))
