"""Envelope and Submission."""

from __future__ import annotations

import pytest

from mailsend.address import parse_address
from mailsend.envelope import Envelope, Submission
from mailsend.envelope_options import EnvelopeOptions, Notify, Recipient
from mailsend.errors import InvalidAddress, InvalidMessage


def test_addresses_are_kept_in_order_and_as_given() -> None:
    envelope = Envelope("Ada@Example.org", ["bob@example.org", "eve@bücher.example"])
    assert envelope.reverse_path == "Ada@Example.org"
    assert envelope.recipients == ("bob@example.org", "eve@bücher.example")
    assert [a.on_the_wire for a in envelope.recipient_addresses] == [
        "bob@example.org",
        "eve@xn--bcher-kva.example",
    ]


def test_the_same_to_one_other() -> None:
    options = EnvelopeOptions(notify=Notify.FAILURE)
    asking = Recipient("bob@example.org", notify=Notify.SUCCESS)
    envelope = Envelope("a@example.org", [asking, "carol@example.org"], options)
    other = envelope.to_one(parse_address("Eve@bücher.example"))
    whole = Envelope("a@example.org", ["Eve@bücher.example"], options)
    assert other == whole
    assert hash(other) == hash(whole)
    assert repr(other) == repr(whole)
    assert other.sender_address == whole.sender_address
    assert other.recipient_addresses == whole.recipient_addresses
    assert envelope.recipients == ("bob@example.org", "carol@example.org")


def test_the_null_reverse_path_is_none_and_nothing_else() -> None:
    assert Envelope(None, ["bob@example.org"]).sender_address is None
    for text in ("", "<>", " "):
        with pytest.raises(InvalidAddress, match="reverse path"):
            Envelope(text, ["bob@example.org"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["b@x.org", "b@x.org"], ("b@x.org",)),
        (["b@x.org", "b@X.ORG", "b@x.Org"], ("b@x.org",)),
        (["b@X.ORG", "b@x.org"], ("b@X.ORG",)),
        (["b@x.org", "B@x.org"], ("b@x.org", "B@x.org")),
        (["b@bücher.example", "b@xn--bcher-kva.example"], ("b@bücher.example",)),
        (["c@x.org", "b@x.org", "c@x.org", "a@x.org"], ("c@x.org", "b@x.org", "a@x.org")),
    ],
)
def test_a_mailbox_named_twice_is_kept_once(given: list[str], kept: tuple[str, ...]) -> None:
    envelope = Envelope("a@x.org", given)
    assert envelope.recipients == kept
    assert tuple(a.text for a in envelope.recipient_addresses) == kept
    assert envelope == Envelope("a@x.org", kept)
    assert hash(envelope) == hash(Envelope("a@x.org", kept))


def test_any_iterable_of_recipients_will_do_but_no_single_string() -> None:
    assert Envelope(None, (f"u{i}@x.org" for i in range(3))).recipients == (
        "u0@x.org",
        "u1@x.org",
        "u2@x.org",
    )
    for one in ("bob@example.org", b"bob@example.org"):
        with pytest.raises(InvalidMessage, match="recipients"):
            Envelope(None, one)  # type: ignore[arg-type]


@pytest.mark.parametrize("recipients", [[], (), iter([])])
def test_somebody_has_to_receive_it(recipients: list[str]) -> None:
    with pytest.raises(InvalidMessage, match="no recipient"):
        Envelope("a@x.org", recipients)


def test_ten_thousand_recipients_are_no_matter() -> None:
    assert len(Envelope(None, [f"u{i}@x.org" for i in range(10_000)]).recipients) == 10_000


@pytest.mark.parametrize(
    ("sender", "recipients", "needs"),
    [
        ("a@x.org", ["b@x.org"], False),
        (None, ["b@x.org"], False),
        ("a@bücher.example", ["b@straße.example"], False),
        ("ä@x.org", ["b@x.org"], True),
        ("a@x.org", ["b@x.org", "ç@x.org"], True),
    ],
)
def test_only_local_parts_need_smtputf8(
    sender: str | None, recipients: list[str], needs: bool
) -> None:
    assert Envelope(sender, recipients).needs_smtputf8 is needs


def test_one_bad_recipient_refuses_the_envelope() -> None:
    with pytest.raises(InvalidAddress, match="recipient 'bad'"):
        Envelope("a@x.org", ["b@x.org", "bad", "c@x.org"])


def test_a_submission_shows_no_content() -> None:
    submission = Submission(Envelope(None, ["b@x.org"]), b"private\r\n", key="k")
    assert "private" not in repr(submission)
    assert submission.key == "k"
