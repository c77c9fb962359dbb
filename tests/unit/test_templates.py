"""Templates: what they make, what they refuse, and what they cannot reach."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import builtins
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mailsend import ConfigurationError, InvalidMessage, Rendered, Template, compose
from mailsend.templates.sources import MAX_SOURCE


def made(values: Mapping[str, Any] | None = None, /, **parts: Any) -> Rendered:
    return Template.from_string(**parts).render(values)


def failure(values: Mapping[str, Any] | None = None, /, **parts: Any) -> str:
    with pytest.raises(InvalidMessage) as caught:
        made(values, **parts)
    return str(caught.value)


def test_all_parts_go_into_a_message() -> None:
    template = Template.from_string(
        subject="Hello {{ name }}", text="Dear {{ name }}\n", html="<p>{{ name }}</p>"
    )
    rendered = template.render({"name": "Ada & <Bob>"})
    assert rendered == Rendered(
        "Hello Ada & <Bob>", "Dear Ada & <Bob>\n", "<p>Ada &amp; &lt;Bob&gt;</p>"
    )
    message = compose(sender="a@example.org", to="b@example.org", **rendered)
    assert message["Subject"] == "Hello Ada & <Bob>"
    assert template.variables == {"name"}
    assert template.parts == ("subject", "text", "html")
    assert template.render({"name": "x"}, name="Bo").subject == "Hello Bo"


def test_a_part_that_is_not_there_is_left_out() -> None:
    rendered = made(text="x")
    assert (rendered.subject, rendered.html) == (None, None)
    assert dict(rendered) == {"text": "x"}
    with pytest.raises(KeyError):
        rendered["html"]


VALUES = ["<script>", "\"'", "&amp;", "</p>"]


@pytest.mark.parametrize("value", VALUES)
def test_values_are_escaped_in_html_alone(value: str) -> None:
    rendered = made(
        {"x": value}, subject="{{ x }}", text="{{ x }}", html='<p title="{{ x }}">{{ x }}</p>'
    )
    assert (rendered.subject, rendered.text) == (value, value)
    assert rendered.html is not None
    inner = rendered.html.removeprefix('<p title="').removesuffix("</p>")
    assert not set("<\"'") & set(inner.replace('">', "", 1))
    assert inner.count("&") == 2 * sum(c in "<>&\"'" for c in value)


def test_what_an_html_part_includes_is_escaped_too(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>{% include 'footer.txt' %}", "utf-8")
    (tmp_path / "a.txt").write_text("{% include 'footer.txt' %}", "utf-8")
    (tmp_path / "footer.txt").write_text("by {{ x }}", "utf-8")
    rendered = Template.from_folder(tmp_path, "a").render(x="<b>")
    assert (rendered.html, rendered.text) == ("<p>by &lt;b&gt;", "by <b>")


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("a\n{% if x %}\nb\n{% endif %}\nc\n", {"x": 1}, "a\nb\nc\n"),
        ("{% for x in xs %}\n- {{ x }}\n{% endfor %}\n", {"xs": [1, 2]}, "- 1\n- 2\n"),
        ("{{ x|default('you') }}{{ y or '' }}", {"y": None}, "you"),
        ("{{ 'a' ~ 1 ~ x }}{{ '%05.1f'|format(x) }}{{ '{:,}'.format(1234567) }}", {"x": 2}, "a12002.01,234,567"),
        ("{{ 3 * 4 }}{{ '=' * 5 }}{{ 2 ** 10 }}{{ '%s!' % x }}{{ [1] + [2] }}", {"x": "y"}, "12=====1024y![1, 2]"),
        ("{{ xs|join(', ') }}{{ ', '.join(xs) }}{{ x|replace('a', 'b') }}{{ x.replace('a', 'c') }}", {"xs": ["p", "q"], "x": "aa"}, "p, qp, qbbcc"),
        ("{{ x|center(5) }}|{{ x.ljust(3) }}|{{ x|indent(2, true) }}", {"x": "a"}, "  a  |a  |  a"),
        ("{{ xs|map('upper')|join }}{{ xs|batch(2)|list|length }}", {"xs": ["a", "b", "c"]}, "ABC2"),
        ("{{ x.items()|list }}{{ x.a }}", {"x": {"a": 1}}, "[('a', 1)]1"),
        ("{{ 12500000|default(0) }}{{ x|round|int }}", {"x": 1.6}, "125000002"),
    ],
)  # fmt: skip
def test_what_templates_are_used_for(source: str, values: dict[str, Any], expected: str) -> None:
    assert made(values, text=source).text == expected


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("a\n{{ nme }}", {"name": "x"}, "the template from_string, text, line 2: 'nme' is undefined"),
        ("{{ person.nme }}", {"person": {}}, "line 1: 'dict object' has no attribute 'nme'"),
        ("{% if nme %}{% endif %}", {}, "'nme' is undefined"),
        ("{% for x in nme %}{% endfor %}", {}, "'nme' is undefined"),
        ("\n\n{{ x }}", {"x": None}, "line 3: a value is None"),
        ("{% for x in xs %}\n{{ x }}{% endfor %}", {"xs": [1, None]}, "line 2: a value is None"),
        ("\n{{ x / 0 }}", {"x": 1}, "line 2: ZeroDivisionError"),
        ("{% include 'other' %}", {}, "there is no 'other' beside it"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", {}, "without an end"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_with_its_place(
    source: str, values: dict[str, Any], expected: str
) -> None:
    assert expected in failure(values, text=source)


@pytest.mark.parametrize(
    "source", ["\n{% if x %}", "\n{{ x", "\n{{ 1 + }}", "\n{% nonsense %}", "\n{{ x|nonsense }}"]
)
def test_what_is_no_template_is_refused_when_it_is_read(source: str) -> None:
    with pytest.raises(InvalidMessage, match=r"from_string, html, line 2: ") as caught:
        Template.from_string(html=source)
    assert caught.value.__cause__ is not None
    assert pickle.loads(pickle.dumps(caught.value)).what == caught.value.what


@pytest.mark.parametrize(
    "c",
    [
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\t",
        "\x1b",
        "\x85",
        "\u2028",
        "\u2029",
        "\u202e",
        "\x7f",
        "\ud800",
    ],
)
@pytest.mark.parametrize("value", ["a{}Bcc: eve@example.org", "{}a", "a{}"])
def test_a_subject_is_one_line(c: str, value: str) -> None:
    text = failure({"x": value.format(c), "y": "good"}, subject="Hi {{ y }} {{ x }}")
    assert f"U+{ord(c[0]):04X}, from the variable x." in text
    assert "one line" in text


@pytest.mark.parametrize("subject", ["a\nb", "a{{ '\\n' }}b", "{{ x }}\x00"])
def test_nor_does_the_template_itself_give_it_more(subject: str) -> None:
    assert "U+00" in failure({"x": 1}, subject=subject)
    assert made(subject="  a b\n").subject == "a b"


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ x|attr('_' ~ '_init__') }}",
    "{{ x.method.__func__ }}",
    "{{ x.method.__globals__ }}",
    "{{ x._secret }}",
    "{{ self.__init__ }}",
    "{{ range.__self__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__ }}",
    "{{ namespace.__init__ }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{x.__class__}'.format_map({'x': x}) }}",
    "{{ ('{0.__class__}'|attr('format'))(x) }}",
    "{{ ['{0._secret}']|map('attr', 'format')|first }}{{ ('{0._secret}'|attr('format'))(x) }}",
    "{{ xs.append(1) }}",
    "{{ xs.clear() }}",
    "{{ d.update(a=1) }}",
    "{{ d.__setitem__('a', 1) }}",
    "{{ config }}",
    "{{ __import__('os') }}",
    "{% import 'os' as os %}",
    "{% set xs.a = 1 %}",
    "{{ x.forbidden() }}",
]


class Innocent:
    _secret = "s3cret"

    def method(self) -> int:
        return 1

    def forbidden(self) -> str:
        return self._secret

    forbidden.unsafe_callable = True  # type: ignore[attr-defined]  # Jinja2 reads it


@pytest.mark.parametrize("source", ESCAPES)
@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_the_sandbox_holds(source: str, part: str) -> None:
    xs: list[int] = []
    values = {"x": Innocent(), "xs": xs, "d": {}}
    text = failure(values, **{part: source})
    assert "s3cret" not in text
    assert xs == []
    assert values["d"] == {}


def test_the_sandbox_can_be_lifted_by_name() -> None:
    source = "{{ ''.__class__.__name__ }}{{ x._secret }}"
    lifted = Template.from_string(text=source, allow_arbitrary_code=True)
    assert lifted.render(x=Innocent()).text == "strs3cret"
    assert "allow_arbitrary_code" in failure({"x": Innocent()}, text=source)
    with pytest.raises(InvalidMessage, match="undefined"):
        lifted.render()


LARGE = [
    "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
    "{% for a in range(90000) %}0123456789012345{% endfor %}",
    "{% set x %}{% for a in range(90000) %}0123456789012345{% endfor %}{% endset %}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    "{% set n = namespace(x='0123456789') %}" + "{% set n.x = n.x ~ n.x %}" * 40,
    "{% set n = namespace(x='0123456789') %}" + "{% set n.x = n.x + n.x %}" * 40,
    "{% set n = namespace(x=[1]) %}" + "{% set n.x = n.x + n.x %}" * 40,
    "{% set n = namespace(x='0123456789') %}" + "{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}" * 40,
    "{{ 'a' * 1000000000 }}",
    "{{ 1000000000 * [1] }}",
    "{{ 10 ** 1000000000 }}",
    "{{ (10 ** 2000) * (10 ** 2000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 1000000000) }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ ['a']|map('center', 1000000000)|list }}",
    "{{ 'a\nb'|indent(1000000000) }}",
    "{{ [1]|batch(1000000000, 1)|list }}",
    "{{ [1]|slice(1000000000)|list }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'.zfill(width) }}",
    "{{ '\t'.expandtabs(1000000000) }}",
    "{{ (1).to_bytes(1000000000, 'big') }}",
    "{% set x = 'a' * 50000 %}{{ x.replace('a', x) }}",
    "{% set x = 'a' * 50000 %}{{ x|replace('a', x) }}",
    "{% set x = 'a' * 50000 %}{{ x.join(x) }}",
    "{% set x = 'a' * 50000 %}{{ x|list|join(x) }}",
    "{{ 'aaa'.translate({97: 'b'}) }}",
    # A list that holds one text many times costs nothing until it is shown.
    "{{ ['a' * 50000] * 50000 }}",
    "{{ {'a': ('a' * 50000,) * 50000} }}",
    "{{ (['a' * 50000] * 50000) ~ '' }}",
    "{{ (['a' * 50000] * 50000)|string }}",
    "{{ (['a' * 50000] * 50000)|replace('b', '') }}",
    "{{ [['a' * 50000] * 50000]|join }}",
    "{{ '%s' % [['a' * 50000] * 50000] }}",
    "{{ '%s'|format(['a' * 50000] * 50000) }}",
    "{{ '{}'.format(['a' * 50000] * 50000) }}",
    # A value can be put into many places.
    "{{ ('{0}' * 30000).format('a' * 50000) }}",
    "{{ ('%(a)s' * 10000) % {'a': 'a' * 50000} }}",
    # Each is small enough, and all are not.
    "{{ (['a' * 50000] * 50000)|map('upper')|list|length }}",
    "{{ ('a' * 50000)|list|map('center', 50000)|list|length }}",
    "{{ ('a' * 50000)|map('replace', '', 'b' * 30000)|list|length }}",
]


@pytest.mark.parametrize("source", LARGE)
def test_what_a_template_makes_is_bounded(source: str) -> None:
    template = Template.from_string(text=source, max_characters=100_000)
    with pytest.raises(InvalidMessage, match="more than 100,000 characters"):
        template.render(width=10**9)


def test_what_is_put_into_a_text_can_be_long() -> None:
    rows = [{"name": f"{number:05}", "price": number} for number in range(2000)]
    source = (
        "{% for row in rows|sort(attribute='price')|selectattr('price') %}"
        "{{ '%-8s' % row.name }}{{ '%d, %s' % (row.price, row.name) }}{{ '{}'.format(row.name) }}"
        "{{ row.name ~ '!' }}{{ [row.price, none]|join('-') }}{{ {'a': 1} }}\n{% endfor %}"
        "{{ text|upper }}{{ rows|length }}"
    )
    template = Template.from_string(text=source, max_characters=300_000)
    made = template.render(rows=rows, text="a" * 99_000).text
    assert made is not None
    assert made.startswith("00001   1, 000010000100001!1-None{'a': 1}\n")
    assert made.endswith("A2000")


def test_the_bound_is_for_one_rendering() -> None:
    template = Template.from_string(text="{{ x }}", max_characters=100)
    for _ in range(5):
        assert template.render(x="a" * 80).text == "a" * 80
    with pytest.raises(InvalidMessage, match="more than 100"):
        template.render(x="a" * 101)
    with pytest.raises(ConfigurationError, match="max_characters"):
        Template.from_string(text="x", max_characters=0)


def test_a_bound_holds_without_the_sandbox_too() -> None:
    source = "{% for a in range(90000) %}0123456789012345{% endfor %}"
    template = Template.from_string(text=source, allow_arbitrary_code=True)
    with pytest.raises(InvalidMessage, match="more than 1,000,000 characters"):
        template.render()


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "welcome.subject.txt").write_text("Hi {{ name }}\n", "utf-8")
    (tmp_path / "welcome.txt").write_text("\ufeffGrüße {{ name }}\n", "utf-8")
    (tmp_path / "welcome.html").write_text(
        "{% extends 'parts/base.html' %}{% block b %}{{ name }}{% endblock %}", "utf-8"
    )
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "base.html").write_text("<p>{% block b %}{% endblock %}</p>", "utf-8")
    rendered = Template.from_folder(tmp_path, "welcome").render(name="<")
    assert rendered == Rendered("Hi <", "Grüße <\n", "<p>&lt;</p>")


@pytest.mark.parametrize(
    "name",
    ["../secret.txt", "/etc/passwd", "x/../../secret.txt", "..\\secret.txt", "", ".hidden", "a\0b"],
)
def test_nothing_outside_a_folder_is_included(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("s3cret", "utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / ".hidden").write_text("s3cret", "utf-8")
    (tmp_path / "in" / "x").mkdir()
    (tmp_path / "in" / "a.txt").write_text("{% include name %}", "utf-8")
    template = Template.from_folder(tmp_path / "in", "a")
    with pytest.raises(InvalidMessage, match="beside it"):
        template.render(name=name)


@pytest.mark.parametrize("name", ["", "../a", "x/a", "..", "a\0", "\\a"])
def test_what_cannot_name_a_template(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidMessage, match="cannot be the name"):
        Template.from_folder(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.html", "Subject: Hi {{ x }}\n\n<p>{{ x }}\n", Rendered("Hi <", None, "<p>&lt;\n")),
        ("a.txt", "subject:Hi\r\nDear {{ x }}\r\n", Rendered("Hi", "Dear <\n", None)),
        ("a.HTM", "<p>{{ x }}", Rendered(None, None, "<p>&lt;")),
        ("a.txt", "Dear\nSubject: x\n", Rendered(None, "Dear\nSubject: x\n", None)),
    ],
)  # fmt: skip
def test_one_file(tmp_path: Path, name: str, content: str, expected: Rendered) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert Template.from_file(tmp_path / name).render(x="<") == expected


def test_a_line_has_the_number_that_it_has_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Subject: x\n\none\n{{ nobody }}\n", "utf-8")
    with pytest.raises(InvalidMessage, match=r"a\.txt, line 4: 'nobody'"):
        Template.from_file(tmp_path / "a.txt").render()


def test_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shop_letters"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "bye.txt").write_text("Bye {{ x }}", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Template.from_package("shop_letters", "bye").render(x=1).text == "Bye 1"
    with pytest.raises(InvalidMessage, match=r"no template shop_letters:hi"):
        Template.from_package("shop_letters", "hi")
    with pytest.raises(ConfigurationError, match="no package"):
        Template.from_package("shop_letterz", "bye")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidMessage, match=r"no template .*b\.txt"):
        Template.from_file(tmp_path / "b.txt")
    (tmp_path / "c.txt").mkdir()
    with pytest.raises(InvalidMessage, match=r"c\.txt cannot be read: Is a directory"):
        Template.from_file(tmp_path / "c.txt")
    (tmp_path / "d.txt").write_bytes(b"a\xff")
    with pytest.raises(InvalidMessage, match=r"d\.txt is not UTF-8 at octet 1"):
        Template.from_file(tmp_path / "d.txt")
    (tmp_path / "e.txt").write_bytes(b"x" * (MAX_SOURCE + 1))
    with pytest.raises(InvalidMessage, match="more than 1,000,000 octets"):
        Template.from_file(tmp_path / "e.txt")
    (tmp_path / "f.md").write_text("# x", "utf-8")
    with pytest.raises(InvalidMessage, match="Markdown"):
        Template.from_file(tmp_path / "f.md")
    with pytest.raises(InvalidMessage, match="none of"):
        Template.from_folder(tmp_path, "nothing")


@pytest.mark.parametrize("values", [[1], "x", {1: 2}])
def test_values_are_a_mapping_of_names(values: Any) -> None:
    with pytest.raises(InvalidMessage, match="values"):
        Template.from_string(text="x").render(values)


def test_a_template_has_a_part() -> None:
    with pytest.raises(InvalidMessage, match="no part"):
        Template.from_string()
    with pytest.raises(InvalidMessage, match="string, not int"):
        Template.from_string(text=1)  # type: ignore[arg-type]


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.startswith("mailsend.templates.environment")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("mailsend.templates.environment", raising=False)
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "jinja2":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"mailsend\[templates\]"):
        Template.from_string(text="x")
