"""What an envelope may ask for: what is kept, what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from attrs import evolve

from mailsend import (
    DeliverBy,
    DeliverByMode,
    Envelope,
    EnvelopeOptions,
    InvalidAddress,
    InvalidMessage,
    Notify,
    Recipient,
    ReturnContent,
)

BOB, EVE = "bob@example.org", "eve@example.org"
RETURN, NOTIFY = DeliverByMode.RETURN, DeliverByMode.NOTIFY


@pytest.mark.parametrize(
    "settings",
    [
        {"notify": Notify.NEVER},
        {"notify": Notify.SUCCESS | Notify.FAILURE | Notify.DELAY},
        {"return_content": ReturnContent.FULL},
        {"envelope_id": "x"},
        {"envelope_id": "x" * 100},
        {"envelope_id": " " * 33 + "x"},
        {"envelope_id": "order 4711, +=~!"},
        {"priority": -9},
        {"priority": 0},
        {"priority": 9},
        {"deliver_by": DeliverBy(1, RETURN)},
        {"deliver_by": DeliverBy(999_999_999, RETURN, trace=True)},
        {"deliver_by": DeliverBy(0, NOTIFY)},
        {"deliver_by": DeliverBy(-999_999_999, NOTIFY)},
        {"hold_for": 1},
        {"hold_for": 999_999_999},
        {"hold_until": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)},
        {"require_tls": True, "dsn_if_offered": True},
    ],
)
def test_what_can_be_asked_for(settings: dict[str, Any]) -> None:
    options = EnvelopeOptions(**settings)
    for name, value in settings.items():
        assert getattr(options, name) == value
    assert options.asks_for_dsn is bool({"notify", "return_content", "envelope_id"} & set(settings))
    assert options != EnvelopeOptions()
    assert evolve(options) == options


def test_notifications_never_and_also_otherwise() -> None:
    for notify in (Notify.NEVER | Notify.SUCCESS, ~Notify.SUCCESS):
        with pytest.raises(InvalidMessage, match=r"Notify\.NEVER"):
            EnvelopeOptions(notify=notify)
        with pytest.raises(InvalidMessage, match=r"Notify\.NEVER"):
            Recipient(BOB, notify=notify)


@pytest.mark.parametrize("envelope_id", ["x" * 101, "+" * 34, " " * 34, "x" * 98 + "="])
def test_an_envelope_id_is_measured_as_it_is_sent(envelope_id: str) -> None:
    with pytest.raises(InvalidMessage, match=r"envelope_id has 10\d characters as xtext"):
        EnvelopeOptions(envelope_id=envelope_id)


@pytest.mark.parametrize("seconds", [0, -1, 10**9, 1.5, True, "60", None])
def test_a_time_that_is_returned_at_has_to_be_ahead(seconds: Any) -> None:
    with pytest.raises(InvalidMessage, match="seconds"):
        DeliverBy(seconds, RETURN)


@pytest.mark.parametrize("seconds", [10**9, -(10**9), 1.5, False, "60", None])
def test_a_time_that_is_notified_of_has_nine_digits(seconds: Any) -> None:
    with pytest.raises(InvalidMessage, match="seconds"):
        DeliverBy(seconds, NOTIFY)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2030-01-01T00:00:00+00:00", "2030-01-01T00:00:00+00:00"),
        ("2030-01-01T01:30:00+01:30", "2030-01-01T00:00:00+00:00"),
        ("2029-12-31T23:59:59.000001+00:00", "2030-01-01T00:00:00+00:00"),
        ("2029-12-31T19:00:00.999999-05:00", "2030-01-01T00:00:01+00:00"),
    ],
)
def test_a_message_is_not_released_early(given: str, kept: str) -> None:
    options = EnvelopeOptions(hold_until=dt.datetime.fromisoformat(given))
    assert options.hold_until is not None
    assert options.hold_until.isoformat() == kept
    assert options.hold_until.tzinfo is dt.UTC


@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(2030, 1, 1),  # noqa: DTZ001 - the mistake itself
        dt.datetime.max.replace(tzinfo=dt.UTC),
        dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-1)), microsecond=0),
        dt.date(2030, 1, 1),
        "2030-01-01T00:00:00Z",
        3600,
    ],
)
def test_a_moment_has_to_be_one(moment: Any) -> None:
    with pytest.raises(InvalidMessage, match="hold_until"):
        EnvelopeOptions(hold_until=moment)


def test_one_way_of_holding() -> None:
    with pytest.raises(InvalidMessage, match="hold_for and hold_until"):
        EnvelopeOptions(hold_for=60, hold_until=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))


def test_recipients_stand_as_addresses_and_ask_beside_them() -> None:
    eve = Recipient(EVE, notify=Notify.SUCCESS)
    envelope = Envelope("ada@example.org", [BOB, eve, Recipient("kim@example.org")])
    assert envelope.recipients == (BOB, EVE, "kim@example.org")
    assert envelope.requests == (eve,)
    assert envelope.asks_for_dsn
    assert not Envelope("ada@example.org", [BOB, Recipient(EVE)]).asks_for_dsn
    assert Envelope("ada@example.org", [BOB, Recipient(EVE)]) == Envelope(
        "ada@example.org", [BOB, EVE]
    )
    assert envelope != Envelope("ada@example.org", envelope.recipients)


def test_a_part_of_an_envelope_asks_for_the_same() -> None:
    options = EnvelopeOptions(priority=3)
    eve, kim = (Recipient(f"{n}@example.org", notify=Notify.DELAY) for n in ("eve", "kim"))
    envelope = Envelope("ada@example.org", [kim, BOB, eve], options)
    part = evolve(envelope, recipients=[EVE, BOB])
    assert part == Envelope("ada@example.org", [eve, BOB], options)
    assert part.requests == (eve,)


def test_a_mailbox_that_is_named_twice() -> None:
    success = Recipient("bob@EXAMPLE.org", notify=Notify.SUCCESS)
    ways: list[list[str | Recipient]] = [
        [BOB, success], [success, BOB], [success, Recipient(BOB), success],
    ]  # fmt: skip
    for recipients in ways:
        envelope = Envelope("ada@example.org", recipients)
        assert len(envelope.recipients) == 1
        assert envelope.requests == (success,)
    for other in (Recipient(BOB, notify=Notify.NEVER), Recipient(BOB, original=EVE)):
        with pytest.raises(InvalidMessage, match="named twice"):
            Envelope("ada@example.org", [success, other])


@pytest.mark.parametrize("notify", [Notify.SUCCESS, Notify.FAILURE, Notify.DELAY])
def test_nobody_is_notified_at_the_null_reverse_path(notify: Notify) -> None:
    with pytest.raises(InvalidMessage, match="null reverse path"):
        Envelope(None, [BOB], EnvelopeOptions(notify=notify))
    with pytest.raises(InvalidMessage, match="null reverse path"):
        Envelope(None, [EVE, Recipient(BOB, notify=notify)])


def test_what_the_null_reverse_path_may_ask_for() -> None:
    options = EnvelopeOptions(notify=Notify.NEVER, envelope_id="x", require_tls=True)
    assert Envelope(None, [Recipient(BOB, original=EVE)], options).asks_for_dsn


def test_a_bad_address_of_a_recipient() -> None:
    with pytest.raises(InvalidAddress, match="recipient 'b@x> NOTIFY=NEVER'"):
        Recipient("b@x> NOTIFY=NEVER")
    with pytest.raises(InvalidAddress, match="original recipient"):
        Recipient(BOB, original="b\r\n@x.org")


@pytest.mark.parametrize("options", [None, {}, Notify.SUCCESS, EnvelopeOptions])
def test_options_are_options(options: Any) -> None:
    with pytest.raises(InvalidMessage, match="EnvelopeOptions"):
        Envelope("ada@example.org", [BOB], options)
