"""compose(): the header fields that its arguments make."""

# ruff: noqa: E501 - a table is read by its rows
from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta, timezone
from email import policy
from email.message import EmailMessage
from email.utils import formataddr
from typing import Any

import pytest

from mailsend import (
    AutoSubmitted,
    InvalidAddress,
    InvalidMessage,
    ListUnsubscribe,
    Mailbox,
    Priority,
    compose,
)
from mailsend.message import envelope_of, parse, render


def make(**parts: Any) -> EmailMessage:
    return compose(**{"sender": "ada@x.org", "to": "bob@x.org", **parts})


def sent(message: EmailMessage) -> EmailMessage:
    octets = render(parse(message), eight_bit=False, utf8=False)
    there = email.message_from_bytes(octets, policy=policy.default)
    assert isinstance(there, EmailMessage)
    return there


@pytest.mark.parametrize(
    ("sender", "authors", "from_", "sender_field"),
    [
        ("ada@x.org", (), ["ada@x.org"], None),
        ("ada@x.org", "ada@x.org", ["ada@x.org"], None),
        ("ada@x.org", ["Ada <ada@X.ORG>"], ["ada@X.ORG"], None),
        ("ada@x.org", "bob@x.org", ["bob@x.org"], "ada@x.org"),
        ("ada@x.org", ["ada@x.org", "bob@x.org"], ["ada@x.org", "bob@x.org"], "ada@x.org"),
        ("ada@x.org", [Mailbox("bob@x.org", "B, C")], ["bob@x.org"], "ada@x.org"),
    ],
)
def test_authors(sender: str, authors: Any, from_: list[str], sender_field: str | None) -> None:
    message = make(sender=sender, authors=authors)
    there = sent(message)
    assert [a.addr_spec for a in there["From"].addresses] == from_
    assert there["Sender"] == sender_field
    # Who sends is the reverse path, whoever wrote it.
    assert envelope_of(parse(message)).reverse_path == (sender_field or from_[0])


def test_names_are_not_encoded_by_the_caller() -> None:
    encoded = formataddr(("Jörg", "b@x.org"))
    with pytest.raises(InvalidMessage, match="encoded word"):
        make(to=encoded)
    (address,) = sent(make(to='"=?utf-8?b?SsO2cmc=?=" <b@x.org>'))["To"].addresses
    assert address.display_name == "=?utf-8?b?SsO2cmc=?="


def test_mailboxes_need_no_quotes() -> None:
    there = sent(make(to=Mailbox("b@x.org", 'Lovelace, "Ada" <x@y>'), cc=[Mailbox("c@x.org")]))
    assert there["To"].addresses[0].display_name == 'Lovelace, "Ada" <x@y>'
    assert there["To"].addresses[0].addr_spec == "b@x.org"
    assert there["Cc"] == "c@x.org"


@pytest.mark.parametrize("priority", [Priority.HIGH, "high", Priority.NORMAL, Priority.LOW, "low"])
def test_priority(priority: Priority | str) -> None:
    there = sent(make(priority=priority))
    assert there["Importance"] == str(priority)
    assert there["X-Priority"] == {"high": "1", "normal": "3", "low": "5"}[str(priority)]
    assert make()["Importance"] is None
    assert make()["X-Priority"] is None


@pytest.mark.parametrize("value", [*AutoSubmitted, "auto-replied"])
def test_auto_submitted(value: AutoSubmitted | str) -> None:
    assert sent(make(auto_submitted=value))["Auto-Submitted"] == str(value)
    assert make()["Auto-Submitted"] is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("<1@x.org>", "<1@x.org>"),
        ("<1@x.org> <2@x.org>", "<1@x.org> <2@x.org>"),
        (["<1@x.org>", "<2@x.org>"], "<1@x.org> <2@x.org>"),
        (["<a..b$%@[192.0.2.1]>"], "<a..b$%@[192.0.2.1]>"),
        ((), None),
        ("", None),
    ],
)
def test_threads(given: Any, field: str | None) -> None:
    there = sent(make(in_reply_to=given, references=given))
    assert there["In-Reply-To"] == field
    assert there["References"] == field


def test_an_own_message_id_and_date() -> None:
    date = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    there = sent(make(message_id="<a.b@[192.0.2.1]>", date=date))
    assert there["Message-ID"] == "<a.b@[192.0.2.1]>"
    assert there["Date"].datetime == date
    assert there["Date"] == "Wed, 04 Mar 2026 05:06:07 -0330"


@pytest.mark.parametrize(
    ("value", "field", "post"),
    [
        (ListUnsubscribe("https://x.org/u?a=1&b=2"), "<https://x.org/u?a=1&b=2>", None),
        (ListUnsubscribe(["mailto:u@x.org?subject=off", "https://x.org/u"]),
         "<mailto:u@x.org?subject=off>, <https://x.org/u>", None),
        (ListUnsubscribe(["https://x.org/u", "mailto:u@x.org"], one_click=True),
         "<https://x.org/u>, <mailto:u@x.org>", "List-Unsubscribe=One-Click"),
        (ListUnsubscribe("https://x.org/" + "u" * 800, one_click=True),
         "<https://x.org/" + "u" * 800 + ">", "List-Unsubscribe=One-Click"),
    ],
)  # fmt: skip
def test_list_unsubscribe(value: ListUnsubscribe, field: str, post: str | None) -> None:
    there = sent(make(list_unsubscribe=value))
    assert there["List-Unsubscribe"] == field
    assert there["List-Unsubscribe-Post"] == post


@pytest.mark.parametrize(
    "uris",
    ["", [], "http://x.org/u", "x.org/u", "https:", "https://", "https:///u", "https://[x/u", "mailto:", "mailto:x",
     "mailto:a@x.org,b@x.org", "mailto:a%0Ab@x.org", "mailto:?subject=x", "https://x.org/a b", "https://x.org/ü",
     "https://x.org/<", "https://x.org/>, <https://evil.org/", "https://x.org/%zz", "https://x.org/" + "u" * 900,
     "javascript:x", "HTTP://x.org", "<https://x.org/u>", "https://x.org/u\r\nBcc: e@evil.org", 5, None, b"https://x.org",
     [5], [None], ["https://x.org/u", ""]],
)  # fmt: skip
def test_what_leads_off_no_list(uris: Any) -> None:
    with pytest.raises(InvalidMessage, match=r"list_unsubscribe"):
        ListUnsubscribe(uris)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a@x.org, b@x.org", b"a@x.org, b@x.org"),
        ("Ada <a@x.org>", b"Ada <a@x.org>"),
        ("J\u00f6rg <a@b\u00fccher.example>", b"=?utf-8?b?SsO2cmc=?= <a@xn--bcher-kva.example>"),
    ],
)
@pytest.mark.parametrize("name", ["Disposition-Notification-To", "Errors-To"])
def test_no_address_in_a_further_field_is_encoded(name: str, value: str, written: bytes) -> None:
    octets = render(parse(make(headers={name: value})), eight_bit=False, utf8=False)
    assert name.encode() + b": " + written + b"\r\n" in octets


@pytest.mark.parametrize(
    "uris",
    [
        "mailto:u@x.org",
        ["https://x.org/1", "https://x.org/2"],
        ["https://x.org/1", "HTTPS://x.org/2"],
    ],
)
def test_one_click_needs_one_https_uri(uris: Any) -> None:
    with pytest.raises(InvalidMessage, match="one_click needs exactly one"):
        ListUnsubscribe(uris, one_click=True)
    with pytest.raises(InvalidMessage, match="one_click has to be a bool"):
        ListUnsubscribe(uris, one_click=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        *(({"message_id": bad}, "message_id") for bad in
          ["", "x", "<x>", "<@x>", "<x@>", "<a b@x.org>", "<a@x.org> <b@x.org>", "<a..b@x.org>", "<a@b@c>", "<ü@x.org>",
           "a@x.org", "<a@x.org>\n", "<=?utf-8?q?a?=@x.org>" + "x", "<" + "a" * 1000 + "@x.org>", 5, b"<a@x.org>"]),
        *(({name: bad}, name) for name in ("in_reply_to", "references") for bad in
          ["x", "<x>", "<a@x.org>,<b@x.org>", "<a@x.org><b@x.org>", "<a@x.org>  <b@x.org>", " <a@x.org>", "<a b@x.org>",
           "<ü@x.org>", "<a@x.org>\r\nBcc: e@evil.org", "<a@x.org>\0", "<=?utf-8?q?a?=@x.org>", 5, b"<a@x.org>", [5],
           [None], ["<a@x.org>", ""]]),
        ({"in_reply_to": "<" + "a" * 1000 + "@x.org>"}, "In-Reply-To"),
        *(({"date": bad}, "date") for bad in
          [datetime(2026, 1, 1), "2026-01-01", 5, datetime(1899, 1, 1, tzinfo=UTC),  # noqa: DTZ001
           datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=30)))]),
        *(({"priority": bad}, "priority") for bad in ["", "urgent", "HIGH", 1, 5, b"high", True, ["high"]]),
        *(({"auto_submitted": bad}, "auto_submitted") for bad in ["", "yes", True, "auto-generated; x=1", 5]),
        *(({"list_unsubscribe": bad}, "list_unsubscribe") for bad in ["https://x.org/u", 5, ["https://x.org"], {}]),
        *(({"authors": bad}, "authors") for bad in [5, b"a@x.org", [5], {"a@x.org": "A"}, [b"a@x.org"]]),
        *(({name: {"b@x.org": "Bob"}}, name) for name in ("to", "cc", "bcc", "reply_to")),
        *(({"headers": {name: "x"}}, name) for name in ["Return-Path", "Content-ID", "X" * 77]),
        *(({"headers": {name: bad}}, name) for name in ("References", "In-Reply-To") for bad in ["", "x", "ü", "<a@b>\n"]),
        *(({"headers": {name: bad}}, name) for name in ("List-Unsubscribe", "Auto-Submitted", "X-Priority", "List-Post")
          for bad in ["", "ü", "=?utf-8?q?x?=", " x", "x" * 1000]),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "x-a"),
        ({"headers": {"Importance": "high"}, "priority": "low"}, "Importance"),
        ({"headers": {"References": "<a@x>"}, "references": "<a@x>"}, "References"),
        ({"headers": {"List-Unsubscribe": "<https://x>"}, "list_unsubscribe": ListUnsubscribe("https://x")}, "List-Unsubscribe"),
    ],
)  # fmt: skip
def test_bad_values_are_named(arguments: dict[str, Any], word: str) -> None:
    with pytest.raises((InvalidMessage, InvalidAddress)) as caught:
        make(**arguments)
    assert word in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("address", "name"),
    [("x", ""), ("a@x.org", "a\nb"), ("a@x.org", "x" * 999), ("a@x.org", 5), (5, "")],
)
def test_mailboxes_that_are_none(address: Any, name: Any) -> None:
    with pytest.raises((InvalidMessage, InvalidAddress), match=r"mailbox|address"):
        Mailbox(address, name)


def test_a_mailbox_is_shown_as_it_is_written() -> None:
    assert str(Mailbox("a@x.org")) == "a@x.org"
    assert str(Mailbox("a@x.org", "Ada")) == "Ada <a@x.org>"
    assert str(Mailbox("a@x.org", 'L, "A"')) == '"L, \\"A\\"" <a@x.org>'
    assert Mailbox.parse('"L, \\"A\\"" <a@x.org>') == Mailbox("a@x.org", 'L, "A"')
    assert hash(Mailbox("a@x.org", "A")) == hash(Mailbox.parse("A <a@x.org>"))
