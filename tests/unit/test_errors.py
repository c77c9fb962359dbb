"""The errors: their tree, their words, their facts, and how they travel."""

from __future__ import annotations

import builtins
import copy
import json
import pickle
from collections.abc import Callable

import pytest

from mailsend import errors
from mailsend.cause import Cause, Retry, Scope
from mailsend.errors import MailsendError
from mailsend.reply import EnhancedStatus, Reply
from mailsend.report import DeliveryReport, Outcome, RecipientOutcome
from mailsend.stage import Stage

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, MailsendError)
]
REPLY = Reply(550, EnhancedStatus(5, 7, 1), ("one", "two"))
REPORT = DeliveryReport((RecipientOutcome("a@x.org", Outcome.REFUSED, REPLY),), REPLY, key=object)


def full(kind: type[MailsendError]) -> MailsendError:
    error = kind(
        "it went wrong",
        stage=Stage.RCPT,
        reply=REPLY,
        cause=Cause.RELAY_DENIED,
        scope=Scope.SENDER,
        advice="do something",
        retry=Retry.HOURS,
        link="https://example.org/help",
        rule="relay-denied",
        also_failed=(errors.ConnectError("no way", endpoint="smtp.example.org:587"),),
        report=REPORT,
        endpoint="smtp.example.org:465",
        transcript=("C: MAIL FROM:<>", "S: 550 no"),
    )
    error.add_note("a note")
    return error


def as_data(error: MailsendError) -> dict[str, object]:
    """Everything that an error knows; errors within it do not compare by what they know."""
    return {**vars(error), "also_failed": [vars(other) for other in error.also_failed]}


@pytest.mark.parametrize(
    ("kind", "parents"),
    [
        (errors.ConfigurationError, (MailsendError, ValueError)),
        (errors.InvalidMessage, (MailsendError, ValueError)),
        (errors.InvalidAddress, (MailsendError, ValueError)),
        (errors.CapabilityError, (MailsendError,)),
        (errors.ConnectError, (errors.SessionError,)),
        (errors.TlsError, (errors.SessionError,)),
        (errors.SessionTimeout, (errors.SessionError, TimeoutError)),
        (errors.SessionLost, (errors.SessionError, builtins.ConnectionError)),
        (errors.ServiceUnavailable, (errors.SessionError,)),
        (errors.ProtocolViolation, (errors.SessionError,)),
        (errors.AuthenticationError, (errors.ReplyError,)),
        (errors.SenderRefused, (errors.ReplyError,)),
        (errors.RecipientsRefused, (errors.ReplyError,)),
        (errors.MessageRefused, (errors.ReplyError,)),
        (errors.DeliveryUncertain, (MailsendError,)),
    ],
)
def test_the_tree(kind: type[MailsendError], parents: tuple[type, ...]) -> None:
    assert issubclass(kind, MailsendError)
    for parent in parents:
        assert issubclass(kind, parent)


def test_what_an_uncertain_delivery_is_not() -> None:
    # Code that retries after a SessionError or a ReplyError must not retry this one.
    assert not issubclass(errors.DeliveryUncertain, (errors.SessionError, errors.ReplyError))


@pytest.mark.parametrize("kind", CLASSES)
def test_only_an_uncertain_delivery_is_unsafe_to_retry(kind: type[MailsendError]) -> None:
    assert kind("x").safe_to_retry is (kind is not errors.DeliveryUncertain)


@pytest.mark.parametrize("kind", CLASSES)
def test_facts_are_json_with_the_same_keys_whatever_is_known(kind: type[MailsendError]) -> None:
    known, bare = full(kind).facts(), kind("x").facts()
    assert json.loads(json.dumps(known)) == known
    assert json.loads(json.dumps(bare)) == bare
    assert known.keys() == bare.keys()
    assert known["error"] == kind.__name__
    assert known["code"] == 550
    assert known["enhanced"] == "5.7.1"
    assert known["stage"] == "rcpt"
    assert known["cause"] == "relay_denied"
    assert known["scope"] == "sender"
    assert (known["retry"], known["retryable"], bare["retryable"]) == (
        "hours", True, kind("x").retryable,
    )  # fmt: skip
    assert known["also_failed"] == [
        {"endpoint": "smtp.example.org:587", "what": "no way", "cause": "unknown"}
    ]
    assert bare["code"] is None


@pytest.mark.parametrize("kind", CLASSES)
def test_str_says_where_what_and_what_to_do(kind: type[MailsendError]) -> None:
    assert str(full(kind)) == (
        # What a setting is called stays as it is.
        ("it" if issubclass(kind, ValueError) else "It")
        + " went wrong (smtp.example.org:465 at RCPT). The server said: 550 5.7.1 one two. "
        "Other endpoints failed too: no way (smtp.example.org:587). "
        "do something. See https://example.org/help"
    )
    assert str(kind("What is that?")) == "What is that?"
    assert str(kind("X", endpoint="h:1")) == "X (h:1)."
    assert str(kind("X", stage=Stage.END_OF_DATA)) == "X (after the content)."


def by_pickle(protocol: int) -> Callable[[MailsendError], MailsendError]:
    def travel(error: MailsendError) -> MailsendError:
        there = pickle.loads(pickle.dumps(error, protocol))
        assert isinstance(there, MailsendError)
        return there

    return travel


WAYS = [copy.copy, copy.deepcopy, *map(by_pickle, range(pickle.HIGHEST_PROTOCOL + 1))]


@pytest.mark.parametrize("travel", WAYS)
@pytest.mark.parametrize("kind", CLASSES)
def test_errors_travel_whole(
    kind: type[MailsendError], travel: Callable[[MailsendError], MailsendError]
) -> None:
    error = full(kind)
    there = travel(error)
    assert type(there) is kind
    assert there is not error
    assert as_data(there) == as_data(error)
    assert there.__notes__ == ["a note"]
    assert str(there) == str(error)
    assert there.facts() == error.facts()
    # The original is as it was.
    assert as_data(error) == as_data(full(kind))


@pytest.mark.parametrize("travel", WAYS)
@pytest.mark.parametrize("kind", CLASSES)
def test_the_standard_arguments_travel_too(
    kind: type[MailsendError], travel: Callable[[MailsendError], MailsendError]
) -> None:
    error = kind("it went wrong")
    assert travel(error).args == error.args == ("it went wrong",)
    assert repr(travel(error)) == repr(error)


@pytest.mark.parametrize("travel", WAYS)
def test_a_chain_of_causes_travels(travel: Callable[[MailsendError], MailsendError]) -> None:
    inner = errors.SessionLost("lost", endpoint="h:25")
    inner.__cause__ = ConnectionResetError(104, "reset")
    outer = errors.DeliveryUncertain("uncertain")
    outer.__cause__ = inner
    there = travel(outer)
    assert isinstance(there.__cause__, errors.SessionLost)
    assert there.__cause__.endpoint == "h:25"
    assert isinstance(there.__cause__.__cause__, ConnectionResetError)
    assert there.__cause__.__cause__.errno == 104


class Stubborn(Exception):
    def __reduce__(self) -> str:
        raise TypeError("not this one")


def test_a_cause_that_cannot_travel_stays_behind() -> None:
    error = errors.ConnectError("no")
    error.__cause__ = Stubborn()
    there = pickle.loads(pickle.dumps(error))
    assert there.__cause__ is None
    assert as_data(there) == as_data(error)


def test_a_raised_error_travels_without_its_frames() -> None:
    with pytest.raises(errors.InvalidAddress) as caught:
        raise errors.InvalidAddress("x") from ValueError("y")
    there = pickle.loads(pickle.dumps(caught.value))
    assert there.__traceback__ is None
    assert repr(there.__cause__) == "ValueError('y')"


def test_travelling_hides_no_context() -> None:
    error = errors.InvalidAddress("x")
    assert copy.copy(error).__suppress_context__ is error.__suppress_context__ is False


@pytest.mark.parametrize(
    ("kind", "cause", "scope", "retryable"),
    [
        (errors.ConfigurationError, Cause.BAD_CONFIGURATION, Scope.ACCOUNT, False),
        (errors.InvalidMessage, Cause.INVALID_MESSAGE, Scope.MESSAGE, False),
        (errors.InvalidAddress, Cause.INVALID_ADDRESS, Scope.RECIPIENT, False),
        (errors.CapabilityError, Cause.EXTENSION_MISSING, Scope.MESSAGE, False),
        (errors.ConnectError, Cause.UNKNOWN, Scope.CONNECTION, True),
        (errors.TlsError, Cause.TLS_FAILED, Scope.CONNECTION, False),
        (errors.SessionTimeout, Cause.TIMED_OUT, Scope.CONNECTION, True),
        (errors.SessionLost, Cause.CONNECTION_LOST, Scope.CONNECTION, True),
        (errors.ServiceUnavailable, Cause.SERVICE_UNAVAILABLE, Scope.CONNECTION, True),
        (errors.ProtocolViolation, Cause.OUT_OF_STEP, Scope.CONNECTION, False),
        (errors.AuthenticationError, Cause.BAD_CREDENTIALS, Scope.ACCOUNT, False),
        (errors.SenderRefused, Cause.UNKNOWN, Scope.SENDER, False),
        (errors.RecipientsRefused, Cause.UNKNOWN, Scope.RECIPIENT, False),
        (errors.MessageRefused, Cause.UNKNOWN, Scope.MESSAGE, False),
        (errors.DeliveryUncertain, Cause.CONNECTION_LOST, Scope.MESSAGE, False),
    ],
)
def test_what_a_class_says_by_itself(
    kind: type[MailsendError], cause: Cause, scope: Scope, retryable: bool
) -> None:
    error = kind("x")
    assert (error.cause, error.scope, error.retryable) == (cause, scope, retryable)
    assert kind("x", retry=Retry.NEVER).retryable is False
    assert kind("x", retry=Retry.HOURS).retryable is True
