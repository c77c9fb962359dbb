"""The contract of transports as a test that anybody's transport can be put to."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from functools import partial

from mailsend.composition.compose import compose
from mailsend.content import prepare
from mailsend.envelope import Envelope, Submission
from mailsend.envelope_options import EnvelopeOptions, Notify
from mailsend.errors import CapabilityError, InvalidMessage, MailsendError
from mailsend.report import DeliveryReport
from mailsend.transport import Transport

Received = Callable[[], Sequence[tuple[Envelope, bytes]]]

_SENDER = "ada@example.org"
_CONTENT = b"From: ada@example.org\r\nSubject: x\r\n\r\n.one dot\r\n..two dots\r\n.\r\nend\r\n"


def check_transport(factory: Callable[[], Transport], received: Received | None = None) -> None:
    """Hold a transport against the contract of :class:`~mailsend.Transport`.

    Args:
        factory: makes a new, unopened transport. What it sends to has to accept every recipient
            at example.org.
        received: everything that arrived so far, over all transports that the factory made:
            envelope and canonical content, in order; for an embedded server
            ``lambda: [(m.envelope, m.content) for m in server.messages]``. Without it, what
            arrives is not compared.

    Raises:
        AssertionError: The contract is not kept; the text says where.
    """
    for check in (
        _opens_and_closes,
        _reports_every_recipient,
        _delivers_the_octets,
        _hides_blind_recipients,
        _refuses_what_cannot_be_sent,
        _drops_nothing_that_is_asked_for,
        _sends_many_lazily_in_order,
        _serves_threads,
    ):
        check(factory, received)


def _must(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(f"the transport breaks its contract: {promise}")


def _message(subject: str, *, bcc: Sequence[str] = ()) -> EmailMessage:
    return compose(
        sender=_SENDER, to=["bob@example.org"], bcc=bcc, subject=subject, text=f"This is {subject}."
    )


def _count(received: Received | None) -> int:
    return len(received()) if received is not None else 0


def _opens_and_closes(factory: Callable[[], Transport], _: Received | None) -> None:
    transport = factory()
    transport.close()
    with transport as entered:
        _must(entered is transport, "entering gives the transport itself")
        transport.open()
        _must(transport.capabilities is not None, "an open transport has capabilities")
    transport.close()
    report = transport.send(_message("sent after closing"))
    _must(report.all_accepted, "a closed transport opens itself again to send")
    transport.close()


def _reports_every_recipient(factory: Callable[[], Transport], _: Received | None) -> None:
    recipients = ["bob@example.org", "eve@example.org", "bob@EXAMPLE.org"]
    with factory() as transport:
        report = transport.send_raw(Envelope(_SENDER, recipients), _CONTENT)
    _must(isinstance(report, DeliveryReport), "send_raw gives a DeliveryReport")
    _must(
        report.accepted == ("bob@example.org", "eve@example.org"),
        "every recipient is reported once, in the envelope's order",
    )
    _must(not (report.refused or report.uncertain or report.not_sent), "and in one way only")
    _must(pickle.loads(pickle.dumps(report)) == report, "reports can be pickled")  # noqa: S301


def _delivers_the_octets(factory: Callable[[], Transport], received: Received | None) -> None:
    before = _count(received)
    with factory() as transport:
        transport.send_raw(Envelope(_SENDER, ["bob@example.org"]), _CONTENT)
        transport.send_raw(Envelope(None, ["bob@example.org"]), b"Subject: x\n\nbare\rline ends")
    if received is None:
        return
    arrived = list(received())[before:]
    _must(len(arrived) == 2, "each message arrives once")
    _must(arrived[0] == (Envelope(_SENDER, ["bob@example.org"]), _CONTENT), "octet by octet")
    _must(
        arrived[1][1] == b"Subject: x\r\n\r\nbare\r\nline ends\r\n",
        f"every line, the last one too, ends with CRLF, not {arrived[1][1]!r}",
    )
    _must(arrived[1][0].reverse_path is None, "the null reverse path stays null")


def _hides_blind_recipients(factory: Callable[[], Transport], received: Received | None) -> None:
    before = _count(received)
    message = _message("a secret copy", bcc=["eve@example.org"])
    with factory() as transport:
        report = transport.send(message)
    _must("eve@example.org" in report.accepted, "Bcc recipients get the message")
    _must(message["Bcc"] is not None, "the caller's message is not changed")
    if received is not None:
        content = list(received())[before][1]
        _must(b"eve@example.org" not in content, "and nobody sees them in it")


def _refuses_what_cannot_be_sent(
    factory: Callable[[], Transport], received: Received | None
) -> None:
    before = _count(received)
    nobody = EmailMessage()
    nobody["From"] = _SENDER
    with factory() as transport:
        promise = "a message without recipients is refused"
        _must(_is_invalid(partial(transport.send, nobody)), promise)
        nul = partial(transport.send_raw, Envelope(_SENDER, ["bob@example.org"]), b"a\0b")
        _must(_is_invalid(nul), "NUL octets are refused")
        report = transport.send(_message("sent after a refusal"))
    _must(report.all_accepted, "the transport is usable after an invalid message")
    if received is not None:
        _must(len(received()) == before + 1, "nothing of an invalid message arrives")


def _is_invalid(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except InvalidMessage:
        return True
    return False


def _drops_nothing_that_is_asked_for(
    factory: Callable[[], Transport], received: Received | None
) -> None:
    before = _count(received)
    asked = {
        "DSN": EnvelopeOptions(notify=Notify.SUCCESS),
        "REQUIRETLS": EnvelopeOptions(require_tls=True),
        "MT-PRIORITY": EnvelopeOptions(priority=1),
    }
    with factory() as transport:
        for keyword, options in asked.items():
            if keyword in transport.capabilities:
                continue
            try:
                transport.send_raw(Envelope(_SENDER, ["bob@example.org"], options), _CONTENT)
            except CapabilityError:
                continue
            raise AssertionError(f"the transport drops what it cannot do, such as {keyword}")
    if received is not None:
        _must(len(received()) == before, "nothing arrives that asks for what cannot be done")


def _sends_many_lazily_in_order(
    factory: Callable[[], Transport], received: Received | None
) -> None:
    before = _count(received)
    taken: list[int] = []
    envelope = Envelope(_SENDER, ["bob@example.org"])

    def source() -> Iterator[EmailMessage | Submission]:
        for number in range(5):
            taken.append(number)
            if number == 2:
                yield EmailMessage()  # from nobody, to nobody
            else:
                yield Submission(envelope, b"Subject: %d\r\n\r\nx\r\n" % number, key=number)

    with factory() as transport:
        reports = transport.send_many(source())
        _must(not taken, "send_many takes nothing before it is asked")
        first = next(reports)
        _must(len(taken) <= 2, "send_many takes messages as it needs them")
        rest = list(reports)
    _must([first.key, *(r.key for r in rest)] == [0, 1, None, 3, 4], "reports come in order")
    _must(isinstance(rest[1].error, MailsendError), "a message's failure is in its report")
    _must(all(r.error is None for r in (first, rest[0], *rest[2:])), "and in no other")
    if received is not None:
        subjects = [content for _, content in list(received())[before:]]
        expected = [prepare(b"Subject: %d\n\nx\n" % n).data for n in (0, 1, 3, 4)]
        _must(subjects == expected, "and all others arrive, once, in order")


def _serves_threads(factory: Callable[[], Transport], received: Received | None) -> None:
    before = _count(received)
    wrong: list[object] = []

    def work(transport: Transport, name: str) -> None:
        for number in range(10):
            address = f"{name}{number}@example.org"
            try:
                content = f"Subject: {address}\r\n\r\nx\r\n".encode()
                report = transport.send_raw(Envelope(_SENDER, [address]), content)
                if report.accepted != (address,):
                    wrong.append(report)
            except Exception as error:  # noqa: BLE001 - reported below
                wrong.append(error)

    with factory() as transport:
        threads = [
            threading.Thread(target=work, args=(transport, name)) for name in ("a", "b", "c")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    _must(not wrong, f"threads get the reports of their own messages: {wrong[:1]}")
    if received is not None:
        for envelope, content in list(received())[before:]:
            _must(
                envelope.recipients[0].encode() in content,
                "messages of different threads are not mixed",
            )
