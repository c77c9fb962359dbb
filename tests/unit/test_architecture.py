"""The layers, held against the real imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import mailsend

ROOT: Final = Path(mailsend.__file__).parent
FILES: Final = {
    ".".join(("mailsend", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}

LAYERS: Final = (
    # 0: values, no I/O
    {"reply", "stage", "cause", "capabilities", "errors", "domain", "address", "envelope",
     "envelope_options", "report", "xtext"},
    # 1: rules, pure decisions
    {
        "interpretation", "rules", "meanings", "failures", "hosts", "providers", "findings",
        "transaction", "envelope_parameters", "scrub", "timeouts", "endpoint", "options",
        "secret", "secret_reference", "patience", "credentials", "tokens", "oauth", "logins",
        "sasl", "profile", "user_files", "transcript", "content", "message", "composition",
        "signing", "markup", "css", "templates",
    },
    # 2: one session
    {"smtp"},
    # 3: submission
    {"transport", "bulk"},
    # 4: services
    {"testing", "discovery", "preview"},
    # 5: surfaces
    {"cli", "__main__"},
)  # fmt: skip

MAY_IMPORT_LAZILY: Final = {("mailsend.cli", "mailsend"), ("mailsend.cli.demo", "mailsend.testing")}
MOST_LINES: Final = 450
LONGER: Final[dict[str, str]] = {}  # module: the reason


def layer_of(module: str) -> int:
    if module == "mailsend":
        return 4  # the public face: it re-exports what is below the services
    top = module.split(".")[1]
    return next(number for number, names in enumerate(LAYERS) if top in names)


def type_checking_only(tree: ast.AST) -> set[ast.AST]:
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }


def imports_of(module: str, *, typing_too: bool = True) -> Iterator[str]:
    """Full names of what a module imports anywhere in it, functions included."""
    path = FILES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set() if typing_too else type_checking_only(tree)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
                base = f"{parent}.{base}".rstrip(".")
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in FILES else base


def own_imports_of(module: str, *, typing_too: bool = True) -> set[str]:
    found = imports_of(module, typing_too=typing_too)
    return {name for name in found if name.split(".")[0] == "mailsend"} - {module}


MODULES: Final = sorted(FILES)


def test_every_module_has_a_layer() -> None:
    assert {module.split(".")[1] for module in MODULES if "." in module} == set().union(*LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module: str) -> None:
    for name in own_imports_of(module):
        assert name in FILES, name
        if (module, name) not in MAY_IMPORT_LAZILY:
            assert layer_of(name) <= layer_of(module), name
    # Within the library nobody goes through the public face.
    if module != "mailsend" and not module.startswith("mailsend.cli"):
        assert "mailsend" not in own_imports_of(module)


@pytest.mark.parametrize("package", ["smtp", "transport", "bulk", "testing", "cli"])
def test_only_same_or_higher_layers_know_a_package(package: str) -> None:
    number = layer_of(f"mailsend.{package}")
    for module in MODULES:
        for name in own_imports_of(module):
            if name.split(".")[1:2] == [package]:
                assert layer_of(module) >= number or (module, name) in MAY_IMPORT_LAZILY


def test_no_cycle() -> None:
    graph = {module: own_imports_of(module, typing_too=False) for module in MODULES}
    # A package's own modules run before the package is complete; its name stands for the rest.
    for module in MODULES:
        package = module.rpartition(".")[0]
        graph[module].discard(package)
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for name in sorted(graph[module]):
                visit(name, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_imports_for_types_alone_are_marked_as_such() -> None:
    # errors and report name each other's types: the only pair that does. The public face imports
    # some names when they are asked for.
    for module in MODULES:
        extra = own_imports_of(module) - own_imports_of(module, typing_too=False)
        known = {"mailsend", "mailsend.errors", "mailsend.findings", "mailsend.report"}
        assert not extra or module in known, module


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("smtplib", {"mailsend.smtp.wire"}),
        ("socket", {"mailsend.smtp.wire", "mailsend.smtp.dial", "mailsend.testing.*"}),
        ("selectors", {"mailsend.smtp.wire", "mailsend.smtp.dial", "mailsend.testing.*"}),
        ("subprocess", {"mailsend.secret_reference"}),
        ("keyring", {"mailsend.secret_reference", "mailsend.oauth.store"}),
        ("msal", {"mailsend.oauth.microsoft"}),
        ("google", {"mailsend.oauth.google"}),
        ("oauthlib", {"mailsend.oauth.google_sign_in"}),
        ("requests", {"mailsend.oauth.https"}),
        ("asyncio", {"mailsend.testing.*"}),
        ("certifi", {"mailsend.smtp.tls"}),
        ("email_validator", {"mailsend.domain"}),
        ("dns", {"mailsend.discovery"}),
        ("dkim", {"mailsend.signing.dkim"}),
        ("cryptography", {"mailsend.signing.dkim", "mailsend.testing.authority"}),
        ("trustme", {"mailsend.testing.authority"}),
        ("jinja2", {"mailsend.templates.*"}),
        ("markupsafe", {"mailsend.templates.environment"}),
        ("css_inline", {"mailsend.css"}),
        ("webbrowser", {"mailsend.preview.*", "mailsend.cli.preview", "mailsend.cli.login"}),
        ("idna", set()),
        ("inscriptis", {"mailsend.composition.html_text"}),
        ("random", set()),
    ],
)
def test_who_imports_what(library: str, allowed: set[str]) -> None:
    for module in MODULES:
        if library in {name.split(".")[0] for name in imports_of(module)}:
            package = module.rpartition(".")[0] + ".*"
            assert module in allowed or package in allowed, module


@pytest.mark.parametrize("module", [m for m in MODULES if "." in m and layer_of(m) == 0])
def test_values_do_no_input_or_output(module: str) -> None:
    tops = {name.split(".")[0] for name in imports_of(module)}
    assert not tops & {"os", "io", "pathlib", "socket", "ssl", "time", "logging", "threading"}


def test_smtplib_is_used_for_its_plumbing_only() -> None:
    forbidden = {"sendmail", "send_message", "login", "set_debuglevel", "auth", "mail", "rcpt"}
    tree = ast.parse(FILES["mailsend.smtp.wire"].read_text(encoding="utf-8"))
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & forbidden


def test_no_name_that_says_nothing() -> None:
    for module in MODULES:
        assert not {"utils", "util", "helpers", "common", "base", "manager", "misc"} & set(
            module.split(".")
        )


@pytest.mark.parametrize("module", MODULES)
def test_files_can_be_read_in_one_go(module: str) -> None:
    count = FILES[module].read_text(encoding="utf-8").count("\n")
    assert count <= MOST_LINES or module in LONGER


def test_the_list_of_longer_files_is_not_longer_than_needed() -> None:
    for module in LONGER:
        assert FILES[module].read_text(encoding="utf-8").count("\n") > MOST_LINES
