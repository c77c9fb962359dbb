"""MAIL, RCPT, DATA and BDAT: how a message comes in."""

from __future__ import annotations

import re
from typing import Final

from mailsend.endpoint import Security
from mailsend.testing.actions import Rule
from mailsend.testing.content import DataDecoder, violations
from mailsend.testing.journal import ReceivedMessage
from mailsend.testing.replies import Refused, Reply
from mailsend.testing.responder import Responder, Turn
from mailsend.testing.session import Session, Transaction
from mailsend.testing.syntax import Path, parse_path

_READ: Final = 65536
_BDAT: Final = re.compile(rb"BDAT ([0-9]{1,18})( LAST)?", re.IGNORECASE)
_NO_SENDER: Final = Path("")


class MailCommands:
    """The commands of a mail transaction. Each method reads no further than its command goes."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @property
    def _session(self) -> Session:
        return self._responder.session

    async def mail(self, line: bytes) -> None:
        path = _roughly(line)

        def judge() -> Reply:
            nonlocal path
            self._check_allowed()
            if self._session.transaction is not None:
                raise Refused(503, "5.5.1", "A mail transaction is going on")
            path = parse_path(line, self._session.offered)
            _check_ascii(path, path, 550)
            if 0 < self._session.size_limit < int(path.value("SIZE") or 0):
                raise Refused(552, "5.3.4", "Message too big for system")
            return Reply(250, "2.1.0", "Sender ok")

        turn = self._responder.turn("MAIL", judge, line)
        if turn.accepts:
            self._session.transaction = Transaction(path)
        await self._responder.answer(turn)

    def _check_allowed(self) -> None:
        settings, session = self._responder.settings, self._session
        if not session.client_name:
            raise Refused(503, "5.5.1", "Send EHLO first")
        if settings.security is Security.STARTTLS and self._responder.channel.tls_version is None:
            raise Refused(530, "5.7.0", "Must issue a STARTTLS command first")  # RFC 3207 §4
        if settings.authenticates and settings.require_auth and session.user is None:
            raise Refused(530, "5.7.0", "Authentication required")  # RFC 4954 §6

    async def rcpt(self, line: bytes) -> None:
        path = _roughly(line)

        def judge() -> Reply:
            nonlocal path
            transaction = self._session.transaction
            if transaction is None or transaction.chunks is not None:
                raise Refused(503, "5.5.1", "Send MAIL first")
            path = parse_path(line, self._session.offered)
            _check_ascii(path, transaction.sender, 553)
            return Reply(250, "2.1.5", "Recipient ok")

        turn = self._responder.turn("RCPT", judge, line)
        if turn.accepts:
            # The script may accept a recipient without a sender.
            transaction = self._session.transaction or Transaction(_NO_SENDER)
            transaction.recipients.append(path)
            self._session.transaction = transaction
        await self._responder.answer(turn)

    async def data(self, line: bytes) -> None:
        def judge() -> Reply:
            transaction = self._session.transaction
            if line[4:]:
                raise Refused(501, "5.5.4", "No argument allowed")
            if transaction is None:
                raise Refused(503, "5.5.1", "Send MAIL first")
            if transaction.chunks is not None or transaction.body_is("BINARYMIME"):
                raise Refused(503, "5.5.1", "Use BDAT")  # RFC 3030 §2, §3
            if not transaction.recipients:
                raise Refused(554, "5.5.1", "No valid recipients")  # RFC 5321 §3.3
            return Reply(354, "", "End data with <CR><LF>.<CR><LF>")

        turn = self._responder.turn("DATA", judge, line)
        await self._responder.answer(turn)
        if turn.code == 354:
            content = await self._read_content()
            await self._check_step("the content")
            await self._complete(content, self._responder.take("END_OF_DATA", content))

    async def _read_content(self) -> bytes:
        decoder = DataDecoder()
        content_script = _ContentScript(self._responder)
        while True:
            data = await content_script.read(_READ)
            if complete := decoder.feed(data):
                content, rest = complete
                self._responder.channel.put_back(rest)
                return content

    async def bdat(self, line: bytes) -> None:
        chunk = _BDAT.fullmatch(line)
        size, last = (int(chunk[1]), chunk[2] is not None) if chunk else (0, False)

        def judge() -> Reply:
            transaction = self._session.transaction
            if "CHUNKING" not in self._session.offered:
                self._responder.violated("BDAT is used but CHUNKING was not offered")
                raise Refused(500, "5.5.2", "Command not recognized")
            if chunk is None:
                raise Refused(501, "5.5.4", "Write BDAT chunk-size [LAST]")
            if transaction is None or transaction.failed:
                raise Refused(503, "5.5.1", "Send MAIL first")
            if not transaction.recipients:
                raise Refused(554, "5.5.1", "No valid recipients")
            return Reply(250, "2.0.0", f"{size} octets received")

        turn = self._responder.turn("BDAT", judge, line)
        understood = chunk is not None and "CHUNKING" in self._session.offered
        refused = turn.code >= 400
        data = b""
        if understood and (not refused or self._responder.settings.discard_refused_chunks):
            data = await self._read_chunk(size)
            await self._check_step("a chunk")
        transaction = self._session.transaction
        if transaction is None or refused:
            if transaction is not None:
                transaction.chunks = transaction.chunks or bytearray()
                transaction.failed = True
            await self._responder.answer(turn)
            return
        transaction.chunks = (transaction.chunks or bytearray()) + data
        if last:
            content = bytes(transaction.chunks)
            rule = turn.rule or self._responder.take("END_OF_DATA", content)
            await self._complete(content, rule)
        else:
            await self._responder.answer(turn)

    async def _read_chunk(self, size: int) -> bytes:
        content_script = _ContentScript(self._responder)
        data = bytearray()
        while len(data) < size:
            data += await content_script.read(min(_READ, size - len(data)))
        return bytes(data)

    async def _check_step(self, what: str) -> None:
        if not self._session.pipelining and self._responder.channel.has_input:
            await self._responder.out_of_step(f"{what} was followed before its reply was sent")

    async def _complete(self, content: bytes, rule: Rule | None) -> None:
        """End the transaction: store the message if that is what the answer means."""
        turn = self._responder.plan(rule, self._judge_content(content))
        transaction, self._session.transaction = self._session.transaction, None
        if transaction is not None and _stores(turn):
            self._responder.journal.stored(self._message(transaction, content, turn.code))
        await self._responder.answer(turn)

    def _judge_content(self, content: bytes) -> Reply:
        transaction = self._session.transaction or Transaction(_NO_SENDER)
        for text in violations(
            content,
            binary=transaction.body_is("BINARYMIME"),
            eight_bit=transaction.body_is("8BITMIME")
            or transaction.sender.value("SMTPUTF8") is not None,
        ):
            self._responder.violated(text)
        if 0 < self._session.size_limit < len(content):
            return Reply(552, "5.3.4", "Message too big for system")  # RFC 1870 §6.3
        if not transaction.recipients:
            return Reply(554, "5.5.1", "No valid recipients")  # RFC 2920 §3.2
        queue_id = f"{len(self._responder.journal.messages) + 1:08X}"
        return Reply(250, "2.0.0", f"Ok: queued as {queue_id}")

    def _message(
        self, transaction: Transaction, content: bytes, reply_code: int
    ) -> ReceivedMessage:
        return ReceivedMessage(
            reverse_path=transaction.sender.address,
            recipients=tuple(path.address for path in transaction.recipients),
            content=content,
            mail_parameters=transaction.sender.parameters,
            rcpt_parameters=tuple(path.parameters for path in transaction.recipients),
            authenticated_as=self._session.user,
            tls=self._responder.channel.tls_version,
            client_name=self._session.client_name,
            extended=self._session.extended,
            connection=self._responder.index,
            reply_code=reply_code,
        )


class _ContentScript:
    """Reads content, and acts after as many octets of it as the script says."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._rule = responder.take("CONTENT")
        self._count = 0

    async def read(self, limit: int) -> bytes:
        """At least one octet, and at most `limit`."""
        if self._rule is not None:
            if self._count < self._rule.after:
                limit = min(limit, self._rule.after - self._count)
            else:
                rule, self._rule = self._rule, None
                await self._responder.act(rule.actions, _nothing)
        data = await self._responder.channel.read_some(limit)
        self._count += len(data)
        return data


async def _nothing() -> None:
    """Normal, where nothing is normally answered."""


def _stores(turn: Turn) -> bool:
    if turn.rule is not None and turn.rule.store is not None:
        return turn.rule.store
    # Without an answer: what would have been answered.
    return (turn.code or turn.normal.code) < 400


def _check_ascii(path: Path, sender: Path, code: int) -> None:
    if not path.address.isascii() and sender.value("SMTPUTF8") is None:
        raise Refused(code, "5.6.7", "Address needs SMTPUTF8")  # RFC 6531 §3.5


def _roughly(line: bytes) -> Path:
    """The path of a command that only the script accepts."""
    return Path(line.partition(b":")[2].decode(errors="replace").strip(" <>"))
