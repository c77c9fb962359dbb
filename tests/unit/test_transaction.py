"""The state machine of one message, serial and pipelined."""

from __future__ import annotations

import pytest

from mailsend.capabilities import Capabilities
from mailsend.cause import Cause
from mailsend.content import prepare
from mailsend.envelope import Envelope
from mailsend.errors import CapabilityError
from mailsend.reply import Reply
from mailsend.report import Outcome
from mailsend.stage import Stage
from mailsend.transaction import Command, Payload, Transaction, mail_parameters

CONTENT = prepare(b"Subject: x\r\n\r\n.body\r\n")
SERIAL = Capabilities.offering("8BITMIME")
PIPELINED = Capabilities.offering("PIPELINING")
BOTH = pytest.mark.parametrize("capabilities", [SERIAL, PIPELINED], ids=["serial", "pipelined"])


def begin(
    recipients: list[str], capabilities: Capabilities, *, reset: bool = False, parameters: str = ""
) -> Transaction:
    return Transaction(
        Envelope("ada@x.org", recipients), CONTENT, capabilities, parameters, reset=reset
    )


def drive(transaction: Transaction, answers: dict[str, str], final: str | None = None) -> list[str]:
    """Answer commands by their line; give back what was written, the content as ``<content>``."""
    written: list[str] = []
    while (step := transaction.next_step()) is not None:
        if isinstance(step, Payload):
            written.append("<content>" if step.data else "<nothing>")
            if final is None:
                break
            transaction.receive_final(Reply.parse(final))
            continue
        written.append("+".join(command.line.decode().strip() for command in step))
        for command in step:
            answer = answers.get(command.line.decode().strip())
            if answer is None:
                return written
            transaction.receive(command, Reply.parse(answer))
    return written


def outcomes(transaction: Transaction, *, uncertain: bool = False) -> dict[str, str]:
    report = transaction.report(uncertain=uncertain)
    return {
        o.address: f"{o.outcome.value} {o.reply.code}" if o.reply else o.outcome.value
        for o in report.outcomes
    }


MAIL = "MAIL FROM:<ada@x.org>"
B, C = "RCPT TO:<b@x.org>", "RCPT TO:<c@x.org>"
OK = {MAIL: "250 ok", B: "250 ok", C: "250 ok", "DATA": "354 go", "RSET": "250 ok"}


def test_serial_commands_go_one_by_one() -> None:
    transaction = begin(["b@x.org", "c@x.org"], SERIAL, reset=True, parameters=" SIZE=5")
    answers = {**OK, f"{MAIL} SIZE=5": "250 ok"}
    assert drive(transaction, answers, "250 Ok: queued as Q1") == [
        "RSET",
        f"{MAIL} SIZE=5",
        B,
        C,
        "DATA",
        "<content>",
    ]
    assert outcomes(transaction) == {"b@x.org": "accepted 250", "c@x.org": "accepted 250"}


def test_pipelined_commands_go_in_one_group() -> None:
    transaction = begin(["b@x.org", "c@x.org"], PIPELINED, reset=True)
    assert drive(transaction, OK, "250 ok") == [f"RSET+{MAIL}+{B}+{C}+DATA", "<content>"]
    assert outcomes(transaction) == {"b@x.org": "accepted 250", "c@x.org": "accepted 250"}
    assert transaction.deciding is None
    assert not transaction.is_open_on_the_server


@BOTH
def test_the_content_is_handed_over_as_it_is(capabilities: Capabilities) -> None:
    transaction = begin(["b@x.org"], capabilities)
    while not isinstance(step := transaction.next_step(), Payload):
        assert step is not None
        for command in step:
            transaction.receive(command, Reply.parse(OK[command.line.decode().strip()]))
    assert step.data == CONTENT.data


@BOTH
@pytest.mark.parametrize(
    ("recipient", "final"),
    [("250 ok", "250 ok"), ("251 will forward", "200 fine"), ("252 cannot verify", "299 x")],
)
def test_every_positive_code_is_a_yes(
    capabilities: Capabilities, recipient: str, final: str
) -> None:
    transaction = begin(["b@x.org"], capabilities)
    drive(transaction, {**OK, MAIL: "251 ok", B: recipient}, final)
    report = transaction.report()
    assert report.accepted == ("b@x.org",)
    assert report.reply == Reply.parse(final)


@BOTH
def test_some_refused(capabilities: Capabilities) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities)
    drive(transaction, {**OK, B: "550 5.1.1 unknown"}, "250 Ok: queued as Q1")
    assert outcomes(transaction) == {"b@x.org": "refused 550", "c@x.org": "accepted 250"}
    assert transaction.deciding is None
    assert transaction.report().queue_id == "Q1"
    assert not transaction.report().all_accepted


def test_all_refused_serial_asks_for_no_data() -> None:
    transaction = begin(["b@x.org", "c@x.org"], SERIAL)
    written = drive(transaction, {**OK, B: "550 5.1.1 unknown", C: "550 5.1.1 unknown"})
    assert written == [MAIL, B, C]
    assert outcomes(transaction) == {"b@x.org": "refused 550", "c@x.org": "refused 550"}
    assert transaction.is_open_on_the_server


@pytest.mark.parametrize("data", ["554 5.5.1 no valid recipients", "503 RCPT first", "502 no"])
def test_all_refused_pipelined_and_data_too(data: str) -> None:
    transaction = begin(["b@x.org", "c@x.org"], PIPELINED)
    answers = {**OK, B: "550 5.1.1 unknown", C: "552 5.2.2 full", "DATA": data}
    assert drive(transaction, answers) == [f"{MAIL}+{B}+{C}+DATA"]
    assert outcomes(transaction) == {"b@x.org": "refused 550", "c@x.org": "refused 552"}
    assert transaction.deciding == (Stage.RCPT, Reply.parse("550 5.1.1 unknown"))
    assert transaction.is_open_on_the_server


@pytest.mark.parametrize("final", ["250 ok", "554 no recipients"])
def test_all_refused_and_yet_354_gets_an_empty_content(final: str) -> None:
    transaction = begin(["b@x.org"], PIPELINED)
    written = drive(transaction, {**OK, B: "550 unknown"}, final)
    assert written == [f"{MAIL}+{B}+DATA", "<nothing>"]
    # Whatever the server says to an empty message: nobody was accepted.
    assert outcomes(transaction) == {"b@x.org": "refused 550"}
    assert transaction.deciding == (Stage.RCPT, Reply.parse("550 unknown"))
    assert transaction.report().reply == Reply.parse("550 unknown")
    assert transaction.report().queue_id is None
    assert not transaction.is_open_on_the_server


@BOTH
def test_a_transient_refusal_speaks_for_all(capabilities: Capabilities) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities)
    drive(transaction, {**OK, B: "550 unknown", C: "450 later", "DATA": "554 none"})
    assert transaction.deciding == (Stage.RCPT, Reply.parse("450 later"))


@BOTH
def test_a_refused_sender_outranks_what_follows(capabilities: Capabilities) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities)
    refusal = "550 5.7.1 Sender refused by policy"
    answers = {MAIL: refusal, B: "503 need MAIL", C: "503 need MAIL", "DATA": "503 need RCPT"}
    drive(transaction, answers)
    assert transaction.deciding == (Stage.MAIL, Reply.parse(refusal))
    report = transaction.report()
    assert report.not_sent == ("b@x.org", "c@x.org")
    assert report.refused == {}
    assert report.reply == Reply.parse(refusal)


def test_after_a_refused_sender_a_serial_client_asks_nothing_more() -> None:
    transaction = begin(["b@x.org"], SERIAL)
    assert drive(transaction, {MAIL: "450 later"}) == [MAIL]


def test_a_server_that_goes_on_after_a_refused_sender_gets_nothing() -> None:
    transaction = begin(["b@x.org"], PIPELINED)
    written = drive(transaction, {**OK, MAIL: "550 no"}, "250 ok")
    assert written == [f"{MAIL}+{B}+DATA", "<nothing>"]
    assert transaction.report().accepted == ()
    assert transaction.deciding == (Stage.MAIL, Reply.parse("550 no"))


@BOTH
@pytest.mark.parametrize("data", ["421 bye", "451 later", "550 no", "503 out of order"])
def test_data_refused(capabilities: Capabilities, data: str) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities)
    drive(transaction, {**OK, B: "550 unknown", "DATA": data})
    code = data[:3]
    assert outcomes(transaction) == {"b@x.org": "refused 550", "c@x.org": f"refused {code}"}
    assert transaction.deciding == (Stage.DATA, Reply.parse(data))
    assert transaction.report().reply == Reply.parse(data)
    assert transaction.is_open_on_the_server


@BOTH
@pytest.mark.parametrize("final", ["451 4.3.0 later", "550 5.7.1 content", "552 too big", "421 x"])
def test_the_content_refused(capabilities: Capabilities, final: str) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities)
    drive(transaction, {**OK, B: "450 later"}, final)
    code = final[:3]
    assert outcomes(transaction) == {"b@x.org": "refused 450", "c@x.org": f"refused {code}"}
    assert transaction.deciding == (Stage.END_OF_DATA, Reply.parse(final))
    assert not transaction.is_open_on_the_server


@BOTH
def test_lost_after_the_content(capabilities: Capabilities) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities)
    drive(transaction, {**OK, B: "550 unknown"})
    assert outcomes(transaction, uncertain=True) == {
        "b@x.org": "refused 550",
        "c@x.org": "uncertain",
    }
    assert outcomes(transaction) == {"b@x.org": "refused 550", "c@x.org": "not_sent"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, {"b@x.org": "not_sent", "c@x.org": "not_sent"}),
        ({MAIL: "250"}, {"b@x.org": "not_sent", "c@x.org": "not_sent"}),
        ({MAIL: "250", B: "250"}, {"b@x.org": "not_sent", "c@x.org": "not_sent"}),
        ({MAIL: "250", B: "550"}, {"b@x.org": "refused 550", "c@x.org": "not_sent"}),
    ],
)
@BOTH
def test_lost_before_the_content(
    capabilities: Capabilities, answers: dict[str, str], expected: dict[str, str]
) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities)
    drive(transaction, answers)
    assert outcomes(transaction) == expected
    last_words = Reply.parse("421 bye")
    assert transaction.report(reply=last_words).reply == last_words


def test_the_null_reverse_path_and_forms_on_the_wire() -> None:
    envelope = Envelope(None, ["b@bücher.example", "jörg@x.org"])
    transaction = Transaction(envelope, CONTENT, PIPELINED, " SMTPUTF8")
    step = transaction.next_step()
    assert isinstance(step, tuple)
    assert [command.line for command in step] == [
        b"MAIL FROM:<> SMTPUTF8\r\n",
        b"RCPT TO:<b@xn--bcher-kva.example>\r\n",
        "RCPT TO:<jörg@x.org>\r\n".encode(),
        b"DATA\r\n",
    ]
    assert step[1] == Command(
        Stage.RCPT, b"RCPT TO:<b@xn--bcher-kva.example>\r\n", "b@bücher.example"
    )


def test_a_recipient_named_twice_is_asked_for_once() -> None:
    transaction = begin(["b@x.org", "b@X.org"], SERIAL)
    assert drive(transaction, OK, "250 ok") == [MAIL, B, "DATA", "<content>"]
    assert [o.outcome for o in transaction.report().outcomes] == [Outcome.ACCEPTED]


PLAIN, EIGHT = prepare(b"a: b\r\n\r\nx\r\n"), prepare("a: b\r\n\r\nö\r\n".encode())
IN_HEADER = prepare("a: ö\r\n\r\nx\r\n".encode())
ASCII, EAI = Envelope(None, ["b@x.org"]), Envelope(None, ["jörg@x.org"])


@pytest.mark.parametrize(
    ("envelope", "content", "offered", "parameters"),
    [
        (ASCII, PLAIN, [], ""),
        (ASCII, PLAIN, ["8BITMIME", "SMTPUTF8"], ""),
        (ASCII, PLAIN, ["SIZE"], f" SIZE={PLAIN.size}"),
        (ASCII, PLAIN, ["SIZE 0"], f" SIZE={PLAIN.size}"),
        (ASCII, PLAIN, [f"SIZE {PLAIN.size}"], f" SIZE={PLAIN.size}"),
        (ASCII, EIGHT, ["8BITMIME"], " BODY=8BITMIME"),
        (EAI, PLAIN, ["SMTPUTF8"], " SMTPUTF8"),
        (ASCII, IN_HEADER, ["8BITMIME", "SMTPUTF8"], " BODY=8BITMIME SMTPUTF8"),
        (EAI, EIGHT, ["SIZE 100", "8BITMIME", "SMTPUTF8"],
         f" SIZE={EIGHT.size} BODY=8BITMIME SMTPUTF8"),
        (Envelope("ä@x.org", ["b@bücher.example"]), PLAIN, ["SMTPUTF8"], " SMTPUTF8"),
        (Envelope("a@x.org", ["b@bücher.example"]), PLAIN, [], ""),
    ],
)  # fmt: skip
def test_parameters_of_mail(
    envelope: Envelope, content: object, offered: list[str], parameters: str
) -> None:
    capabilities = Capabilities.offering(*offered)
    assert mail_parameters(envelope, content, capabilities, None) == parameters  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("envelope", "content", "offered", "most", "words", "cause"),
    [
        (ASCII, EIGHT, [], None, "8BITMIME", Cause.EXTENSION_MISSING),
        (EAI, PLAIN, ["8BITMIME"], None, "SMTPUTF8", Cause.EXTENSION_MISSING),
        (ASCII, IN_HEADER, ["8BITMIME"], None, "SMTPUTF8", Cause.EXTENSION_MISSING),
        (ASCII, PLAIN, [f"SIZE {PLAIN.size - 1}"], None, "octets", Cause.MESSAGE_TOO_LARGE),
        (ASCII, PLAIN, [], PLAIN.size - 1, "octets", Cause.MESSAGE_TOO_LARGE),
        (ASCII, PLAIN, ["SIZE 1000"], 5, "at most 5", Cause.MESSAGE_TOO_LARGE),
        (ASCII, PLAIN, ["SIZE 5"], 1000, "at most 5", Cause.MESSAGE_TOO_LARGE),
    ],
)
def test_what_a_server_lacks(
    envelope: Envelope,
    content: object,
    offered: list[str],
    most: int | None,
    words: str,
    cause: Cause,
) -> None:
    with pytest.raises(CapabilityError, match=words) as caught:
        mail_parameters(envelope, content, Capabilities.offering(*offered), most)  # type: ignore[arg-type]
    assert caught.value.cause is cause
    assert caught.value.safe_to_retry


@BOTH
def test_the_stage_is_that_of_the_next_reply(capabilities: Capabilities) -> None:
    transaction = begin(["b@x.org", "c@x.org"], capabilities, reset=True)
    seen: list[tuple[Stage, Stage]] = []
    while (step := transaction.next_step()) is not None and not isinstance(step, Payload):
        for command in step:
            seen.append((command.stage, transaction.stage))
            transaction.receive(command, Reply.parse(OK[command.line.decode().strip()]))
    seen.append((Stage.DATA, transaction.stage))  # the content, up to its end
    transaction.end_begun = True
    seen.append((Stage.END_OF_DATA, transaction.stage))
    transaction.receive_final(Reply(250))
    seen.append((Stage.END_OF_DATA, transaction.stage))
    assert seen == [
        (Stage.RSET, Stage.MAIL),
        (Stage.MAIL, Stage.MAIL),
        (Stage.RCPT, Stage.RCPT),
        (Stage.RCPT, Stage.RCPT),
        (Stage.DATA, Stage.DATA),
        (Stage.DATA, Stage.DATA),
        (Stage.END_OF_DATA, Stage.END_OF_DATA),
        (Stage.END_OF_DATA, Stage.END_OF_DATA),
    ]
