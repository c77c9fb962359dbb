"""Mailing: its arguments, its rows, and what of a message differs."""

from __future__ import annotations

import builtins
import email
import inspect
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from pathlib import Path
from typing import Any

import attrs
import dkim_verifier
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from markupsafe import Markup
from octets_reader import read

import mailsend
from mailsend import (
    AddressRules,
    Attachment,
    CapabilityError,
    ConfigurationError,
    DkimSigner,
    EnvelopeOptions,
    ForwardedMessage,
    InvalidAddress,
    InvalidMessage,
    ListUnsubscribe,
    Mailbox,
    MailsendError,
    MemoryTransport,
    Notify,
    PrivateKey,
    Template,
    bulk,
    compose,
)
from mailsend.bulk import BadRow, Mailing, Row, Syntax

SENDER = "News <news@example.org>"
ADA = {"address": "ada@example.org", "name": "Ada"}


def mailing(**parts: Any) -> Mailing:
    return Mailing(**{"sender": SENDER, "syntax": "dollar", **parts})


def parsed(octets: bytes) -> Any:
    return email.message_from_bytes(octets, policy=policy.default)


def test_what_is_public() -> None:
    assert bulk.__all__ == ["BadRow", "Mailing", "Row", "Syntax"]
    assert all(getattr(bulk, name).__doc__ for name in bulk.__all__)
    assert not set(bulk.__all__) & set(mailsend.__all__)
    documented = inspect.getdoc(Mailing) or ""
    for one in attrs.fields(Mailing):
        assert one.name.startswith("_") or f"    {one.name}: " in documented


def test_a_message_is_made_for_one() -> None:
    made = mailing(subject="Hi $name", text="Dear $name").render(
        "Ada <ada@example.org>", {"name": "Ada"}, key=7
    )
    assert made.key == 7
    assert made.envelope.reverse_path == "news@example.org"
    assert made.envelope.recipients == ("ada@example.org",)
    there = parsed(made.content)
    assert there["To"] == "Ada <ada@example.org>"
    assert there["Subject"] == "Hi Ada"
    assert there.get_content() == "Dear Ada\r\n"


def test_every_message_has_its_own_id_and_the_time_it_was_made() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    one = mailing(text="t")
    made = [parsed(one.render(f"a{n}@example.org").content) for n in range(50)]
    assert len({there["Message-ID"] for there in made}) == 50
    assert all(there["Message-ID"].endswith("@example.org>") for there in made)
    assert all(before <= there["Date"].datetime <= datetime.now(UTC) for there in made)
    own = one.render("a@example.org", message_id="<1@x.org>").content
    assert parsed(own)["Message-ID"] == "<1@x.org>"
    with pytest.raises(InvalidMessage, match="message_id"):
        mailing(text="t").render("a@example.org", message_id="<1@x.org>\r\nX: 1")


@pytest.mark.parametrize(
    ("syntax", "place"), [("dollar", "${n}"), ("jinja", "{{ n }}"), (Syntax.VERBATIM, "{{ n }}")]
)
def test_syntaxes(syntax: str, place: str) -> None:
    one = mailing(syntax=syntax, subject=f"s{place}", text=f"t{place}\n", html=f"h{place}\n")
    there = parsed(one.render("a@example.org", {"n": "<&>"}).content)
    written = place if syntax is Syntax.VERBATIM else "<&>"
    assert there["Subject"] == "s" + written
    assert there.get_body(("plain",)).get_content() == f"t{written}\n".replace("\n", "\r\n")
    escaped = place if syntax is Syntax.VERBATIM else "&lt;&amp;&gt;"
    assert there.get_body(("html",)).get_content() == f"h{escaped}\r\n"


def test_what_says_itself_that_it_is_html_is_not_escaped() -> None:
    for syntax, place in (("dollar", "$n"), ("jinja", "{{ n }}")):
        one = mailing(syntax=syntax, html=place)
        assert (
            parsed(one.render("a@x.org", {"n": Markup("<b>")}).content).get_content() == "<b>\r\n"
        )


def test_dollars_stand_for_themselves_where_they_are_two() -> None:
    made = mailing(text="$$5 ${a}$$ $b_1").render("a@x.org", {"a": 1, "b_1": 2.5})
    assert parsed(made.content).get_content() == "$5 1$ 2.5\r\n"
    assert b"\r\n\r\n$5\r\n" in mailing(text="$$5").render("a@x.org").content


def test_a_template_of_files(tmp_path: Path) -> None:
    (tmp_path / "hi.subject.txt").write_text("Hi {{ name }}")
    (tmp_path / "hi.html").write_text("{% include 'foot.html' %}{{ name }}")
    (tmp_path / "foot.html").write_text("<hr>")
    one = mailing(template=Template.from_folder(tmp_path, "hi"), headers={"X-N": "$name"})
    there = parsed(one.render("a@x.org", {"name": "<A>"}).content)
    assert (there["Subject"], there["X-N"]) == ("Hi <A>", "<A>")
    assert there.get_content() == "<hr>&lt;A&gt;\r\n"
    with pytest.raises(InvalidMessage, match="text and template are both given"):
        mailing(template=one.template, text="x")


@pytest.mark.parametrize(
    ("syntax", "place", "what"),
    [
        ("dollar", "a\n$n", "the text of the mailing has $n, and that value is missing"),
        ("jinja", "a\n{{ n }}", "the template mailing, text, line 2: 'n' is undefined"),
    ],
)
def test_a_missing_value_names_row_and_field(syntax: str, place: str, what: str) -> None:
    one = mailing(syntax=syntax, text=place)
    with pytest.raises(InvalidMessage) as caught:
        list(one.messages([{**ADA, "n": 1}, ADA]))
    assert caught.value.what == f"row 2: {what}"
    assert caught.value.advice
    assert isinstance(caught.value.__cause__, InvalidMessage)
    assert caught.value.__cause__.what == what


@pytest.mark.parametrize("syntax", ["dollar", "jinja"])
def test_none_is_written_nowhere(syntax: str) -> None:
    place = "$n" if syntax == "dollar" else "{{ n }}"
    for parts in ({"text": place}, {"headers": {"X-N": place}}, {"subject": place}):
        with pytest.raises(InvalidMessage, match="None"):
            mailing(syntax=syntax, **parts).render("a@x.org", {"n": None})


def test_a_value_that_fails_is_refused() -> None:
    class Bad:
        def __str__(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(InvalidMessage, match=r"\$n in the text .* ZeroDivisionError"):
        mailing(text="$n").render("a@x.org", {"n": Bad()})


EVIL = [
    "a\r\nBcc: evil@evil.org",
    "a\nX-Evil: 1",
    "a\rX-Evil: 1",
    "a\0",
    "a\x0b",
    "a\u2028",
    "\x85",
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("syntax", ["dollar", "jinja"])
def test_no_value_ends_a_line(evil: str, syntax: str) -> None:
    place = "$n" if syntax == "dollar" else "{{ n }}"
    for parts in (
        {"subject": place},
        {"headers": {"X-N": place}},
        {"headers": {"Feedback-ID": place}},
        {"list_unsubscribe": f"https://example.org/{place}"},
    ):
        with pytest.raises(InvalidMessage):
            mailing(syntax=syntax, **parts).render("a@x.org", {"n": evil})
    with pytest.raises(InvalidMessage):
        list(mailing(text="t").messages([{"address": "a@x.org", "name": evil}]))
    with pytest.raises(InvalidMessage):
        list(mailing(text="t").messages([{"address": evil}]))


def test_a_row_is_one_receiver_whatever_stands_in_it() -> None:
    for address in ("a@x.org, b@x.org", "A <a@x.org>", "a@x.org\r\nCc: b@x.org", "", None, 5):
        with pytest.raises(InvalidMessage, match="row 1"):
            list(mailing(text="t").messages([{"address": address}]))
    rows = [
        Row("a@x.org", name="b@x.org, C <c@x.org>"),
        Row("a@x.org", name="=?utf-8?q?=2Cb=40x.org?="),
    ]
    for made, row in zip(mailing(text="t").messages(rows), rows, strict=True):
        assert made.envelope.recipients == ("a@x.org",)
        (address,) = parsed(made.content)["To"].addresses
        assert (address.addr_spec, address.display_name) == ("a@x.org", row.name)


def test_a_boundary_in_a_text_is_not_one() -> None:
    one = mailing(text="$n", html="<p>")
    first = one.render("a@x.org", {"n": "x"}).content
    boundary = parsed(first).get_boundary()
    evil = f"--{boundary}\nContent-Type: text/html\n\nevil\n--{boundary}--"
    second = one.render("a@x.org", {"n": evil}, message_id="<1@x.org>").content
    there = parsed(second)
    assert there.get_boundary() != boundary
    assert there["Message-ID"] == "<1@x.org>"
    plain, page = there.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == evil + "\n"
    assert page.get_content() == "<p>\r\n"


def test_the_encoding_is_chosen_for_each_text() -> None:
    one = mailing(text="$n")
    for value, encoding in (("a", "7bit"), ("é" + "a" * 50, "quoted-printable"), ("日本", "base64"),
                            ("x" * 999, "quoted-printable")):  # fmt: skip
        there = parsed(one.render("a@x.org", {"n": value}).content)
        assert there["Content-Transfer-Encoding"] == encoding
        assert there.get_content() == value + "\r\n"


def test_internationalised_addresses() -> None:
    one = mailing(subject="Grüße", text="t")
    made = one.render(Mailbox("jörg@bücher.example", "Jörg"))
    assert made.envelope.needs_smtputf8
    assert "Subject: Grüße\r\n".encode() in made.content
    assert 'To: "Jörg" <jörg@xn--bcher-kva.example>\r\n'.encode() in made.content
    plain = one.render("joerg@bücher.example")
    assert not plain.envelope.needs_smtputf8
    assert plain.content.isascii()
    own = mailing(sender="jörg@example.org", subject="Grüße", text="t").render("a@x.org")
    assert own.envelope.needs_smtputf8
    assert "Subject: Grüße\r\n".encode() in own.content


def test_rows() -> None:
    one = mailing(text="$n")
    rows: list[Any] = [
        {"email": "a@x.org", "n": 1, "id": 5, "called": "Ada"},
        Row("b@x.org", {"n": 2}, name="Bob", key="k"),
        Row("c@x.org", {"n": 3}),
        {"email": "d@x.org", "n": 4, "id": None, "called": ""},
    ]
    made = list(one.messages(rows, address="email", name="called", key="id"))
    assert [m.key for m in made] == [5, "k", None, None]
    assert [parsed(m.content)["To"] for m in made] == [
        "Ada <a@x.org>", "Bob <b@x.org>", "c@x.org", "d@x.org",
    ]  # fmt: skip
    assert parsed(next(one.messages([{**ADA, "n": 1}], name=None)).content)["To"] == ADA["address"]


def test_rows_are_taken_one_by_one() -> None:
    taken = []

    def rows() -> Iterator[dict[str, str]]:
        for number in range(10**9):
            taken.append(number)
            yield {"address": f"a{number}@x.org"}

    made = mailing(text="t").messages(rows())
    assert taken == []
    next(made)
    next(made)
    assert taken == [0, 1]


def test_bad_rows_are_told_and_the_next_one_follows() -> None:
    bad: list[BadRow] = []
    rows: list[Any] = [{"address": "a@x.org"}, {"address": "b"}, 5, {}, {"address": "c@x.org"},
                       {"address": "d@x.org", "name": 5}]  # fmt: skip
    made = list(mailing(text="t").messages(rows, on_error=bad.append))
    assert [m.envelope.recipients for m in made] == [("a@x.org",), ("c@x.org",)]
    assert [(b.number, b.row) for b in bad] == [(2, rows[1]), (3, 5), (4, {}), (6, rows[5])]
    assert isinstance(bad[0].error.__cause__, InvalidAddress)
    assert bad[1].error.what == "row 3: it has to be a mapping or a Row, not int"
    assert bad[2].error.what == "row 4: it has no 'address'"
    assert "display name" in bad[3].error.what

    def stop(row: BadRow) -> None:
        raise row.error

    with pytest.raises(InvalidMessage, match="row 2"):
        list(mailing(text="t").messages(rows, on_error=stop))


def test_what_the_rows_raise_is_theirs() -> None:
    def rows() -> Iterator[Row]:
        yield Row("a@x.org")
        raise InvalidMessage("a file broke off")

    with pytest.raises(InvalidMessage, match=r"^a file broke off"):
        list(mailing(text="t").messages(rows(), on_error=print))
    made = mailing(text="t").messages([Row("a@x.org"), Row("b@x.org")])
    next(made)
    with pytest.raises(InvalidMessage, match=r"^thrown"):
        made.throw(InvalidMessage("thrown"))  # type: ignore[attr-defined]  # a generator


@pytest.mark.parametrize("rows", [5, "a@x.org", {"address": "a@x.org"}])
def test_rows_that_are_none(rows: Any) -> None:
    with pytest.raises(ConfigurationError, match="rows"):
        mailing(text="t").messages(rows)
    with pytest.raises(ConfigurationError, match="on_error"):
        mailing(text="t").messages([], on_error=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"sender": "x"}, "sender"),
        ({"bounces_to": "x"}, "reverse path"),
        ({"syntax": "mako"}, "syntax has to be one of jinja, dollar, verbatim"),
        ({"subject": 5}, "subject of a mailing has to be a string"),
        ({"subject": "a\n$b"}, "subject of a mailing contains the character U\\+000A"),
        ({"text": "$ 5"}, "text of the mailing has a \\$ that begins no name"),
        ({"syntax": "jinja", "text": "{{ "}, "mailing, text, line 1"),
        ({"text": "a\0"}, "NUL"),
        ({"template": "x"}, "template has to be a Template"),
        ({"headers": 5}, "headers has to be a mapping"),
        ({"headers": {"Bcc": "$a"}}, "Bcc is not set through"),
        ({"headers": {"X A": "$a"}}, "no name of a header field"),
        ({"headers": {"X-A": "$a", "x-a": "b"}}, "X-A is given twice"),
        ({"headers": {"X-A": "$a", "x-a": "$b"}}, "x-a is given twice"),
        ({"headers": {"importance": "$a"}, "priority": "low"}, "importance is given twice"),
        ({"headers": {"List-Unsubscribe": "$a"}, "list_unsubscribe": "https://a/$b"}, "twice"),
        ({"headers": {"X-A": "a\nb"}}, "x-a of a mailing contains the character"),
        ({"list_unsubscribe": 5}, "list_unsubscribe has to be"),
        ({"list_unsubscribe": []}, "no URI"),
        ({"list_unsubscribe": "http://x.org"}, "https: and mailto:"),
        ({"list_unsubscribe": "mailto:a@x.org", "one_click": True}, "one_click needs exactly one"),
        ({"list_unsubscribe": None, "one_click": True}, "one_click goes with URIs"),
        ({"list_unsubscribe": "https://x/$a", "one_click": 1}, "one_click has to be a bool"),
        ({"attachments": "a.txt"}, "attachments has to be a list"),
        ({"attachments": ["there/is/none"]}, "cannot be read"),
        ({"inline": {"a": Attachment(b"", "x")}}, "without html"),
        ({"date": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
        ({"options": 5}, "options"),
    ],
)  # fmt: skip
def test_bad_arguments_are_told_before_the_first_message(parts: dict[str, Any], what: str) -> None:
    with pytest.raises((InvalidMessage, InvalidAddress), match=what):
        mailing(**parts)


def test_a_list_unsubscribe_of_each_receiver() -> None:
    one = mailing(
        syntax="jinja", text="t", one_click=True,
        list_unsubscribe=["https://example.org/u?t={{ t|urlencode }}", "mailto:u@example.org"],
    )  # fmt: skip
    there = parsed(one.render("a@x.org", {"t": "ä>"}).content)
    assert there["List-Unsubscribe"] == (
        "<https://example.org/u?t=%C3%A4%3E>, <mailto:u@example.org>"
    )
    assert there["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    same = mailing(text="t", list_unsubscribe=ListUnsubscribe("https://x.org/$a"))
    assert parsed(same.render("a@x.org").content)["List-Unsubscribe"] == "<https://x.org/$a>"


def test_envelopes() -> None:
    one = mailing(
        text="t", bounces_to="bounces@example.org", options=EnvelopeOptions(notify=Notify.NEVER)
    )
    envelope = one.render("a@x.org").envelope
    assert envelope.reverse_path == "bounces@example.org"
    assert envelope.options.notify is Notify.NEVER
    assert envelope == attrs.evolve(envelope)
    rare = AddressRules(address_literals=True)
    with pytest.raises(InvalidAddress, match="address literal"):
        mailing(text="t").render(Mailbox("a@[192.0.2.1]", rules=rare))
    made = mailing(text="t", rules=rare).render("a@[192.0.2.1]")
    assert made.envelope.recipients == ("a@[192.0.2.1]",)
    assert made.envelope.rules == rare


def test_attachments_and_images_are_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"first")
    one = mailing(html="<img src=cid:i>$n", inline={"i": file}, attachments=iter([file, file]))
    file.write_bytes(b"second")
    for number in range(2):
        there = parsed(one.render("a@x.org", {"n": number}).content)
        files = [p for p in there.walk() if p.get_filename()]
        assert [p.get_payload(decode=True) for p in files] == [b"first"] * 3


def test_forwarded_messages() -> None:
    octets = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa9\r\n"
    made = mailing(text="$n", attachments=[ForwardedMessage(octets)]).render("a@x.org", {"n": "é"})
    assert made.content.isascii()
    signed = (
        b'Content-Type: multipart/signed; boundary="b"; protocol="x/y"; micalg=z\r\n\r\n--b\r\n'
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"\xc3\xa9\r\n--b\r\nContent-Type: x/y\r\n\r\nsignature\r\n--b--\r\n"
    )
    made = mailing(text="$n", attachments=[ForwardedMessage(signed)]).render("a@x.org", {"n": "é"})
    assert signed in made.content
    with pytest.raises(CapabilityError):
        MemoryTransport(capabilities=mailsend.Capabilities.offering("SIZE")).send_raw(
            made.envelope, made.content
        )


def test_what_is_made_is_signed_as_usual() -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    transport = MemoryTransport()
    one = mailing(subject="Grüße, $name", text="$name", html="<p>$name")
    rows = [ADA, {"address": "j@x.org", "name": "Jörg"}]
    signer = DkimSigner("example.org", "s1", PrivateKey(pem))
    reports = list(transport.send_many(one.messages(rows, key="name"), signers=[signer]))
    assert [report.key for report in reports] == ["Ada", "Jörg"]
    for submission in transport.submissions:
        dkim_verifier.verify(submission.content, key.public_key())


def test_threads_share_one() -> None:
    one = mailing(subject="$n", text="$n")
    found: list[Any] = []

    def work(start: int) -> None:
        rows = [{"address": f"a{n}@x.org", "n": n} for n in range(start, start + 200)]
        found.extend((m.envelope.recipients[0], read(m.content)) for m in one.messages(rows))

    threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 800
    for address, there in found:
        number = address.removeprefix("a").removesuffix("@x.org")
        assert there.all("to") == [address]
        assert there.all("subject") == [number]
        assert there.body == number.encode() + b"\r\n"


def test_jinja_is_needed_for_its_places_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.startswith("mailsend.templates.environment")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("mailsend.templates.environment", raising=False)
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "jinja2":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    made = Mailing(sender=SENDER, subject=" Hi ", text="t").render("a@x.org")
    assert b"Subject: Hi\r\n" in made.content
    assert mailing(text="$a").render("a@x.org", {"a": 1}).content.endswith(b"\r\n\r\n1\r\n")
    with pytest.raises(ConfigurationError, match=r"mailsend\[templates\]"):
        Mailing(sender=SENDER, text="{{ a }}")


def test_nothing_else_is_raised_for_what_is_no_receiver() -> None:
    one = mailing(text="t")
    wrong: list[Any] = [5, None, b"a@x.org", [], "a@x.org,b@x.org"]
    for to in wrong:
        with pytest.raises(MailsendError):
            one.render(to)
    with pytest.raises(InvalidMessage, match="values has to be a mapping"):
        one.render("a@x.org", [("n", 1)])  # type: ignore[arg-type]


def test_it_is_what_compose_makes_without_places() -> None:
    parts: dict[str, Any] = {"sender": SENDER, "subject": "s", "text": "t", "reply_to": "r@x.org"}
    made = mailing(**parts, date=datetime(2026, 1, 1, tzinfo=UTC)).render("a@x.org")
    composed = compose(to="a@x.org", **parts)
    assert read(made.content).names == [name.lower() for name in composed]
    assert read(made.content).all("date") == ["Thu, 01 Jan 2026 00:00:00 +0000"]
