"""One command and its reply at a time, while a session is being opened."""

from __future__ import annotations

from mailsend.cause import Cause
from mailsend.errors import ProtocolViolation, ServiceUnavailable
from mailsend.reply import Reply
from mailsend.smtp.wire import Wire
from mailsend.stage import Stage
from mailsend.timeouts import Deadline, Watch


class Exchange:
    """Asks and listens; a 421, or an answer to nothing, ends the session.

    Args:
        wire: the connection.
        watch: of the call that this is part of.
    """

    def __init__(self, wire: Wire, watch: Watch) -> None:
        self.wire = wire
        self.watch = watch

    def command(self, stage: Stage, line: str) -> Reply:
        """Send a command line, without its end, and read the reply.

        Raises:
            ServiceUnavailable: The server ends the session.
            SessionError: The connection failed, or the server is out of step.
        """
        self.require_silence(stage)
        self.wire.transcript.sent(line.encode())
        self.wire.write(f"{line}\r\n".encode(), self.watch.deadline(stage))
        return self.reply(self.watch.deadline(stage))

    def require_silence(self, stage: Stage) -> None:
        """Make sure that no reply is there that nothing was asked for. Does not wait.

        Raises:
            ServiceUnavailable: One is, and it is a refusal.
            SessionError: Another one is, or the connection has ended.
        """
        waiting = self.wire.unasked(stage)
        if waiting is None:
            return
        if waiting.code >= 400:
            raise self.wire.witness.refusal(
                ServiceUnavailable, "the server broke off before it was asked", stage, waiting
            )
        raise self.nonsense(stage, waiting)

    def reply(self, deadline: Deadline) -> Reply:
        """Read one reply.

        Raises:
            ServiceUnavailable: The server ends the session.
            SessionError: The connection failed.
        """
        reply = self.wire.read(deadline)
        if reply.code == 421:
            raise self.wire.witness.refusal(
                ServiceUnavailable, "the server ends the session", deadline.stage, reply
            )
        return reply

    def nonsense(self, stage: Stage, reply: Reply) -> ProtocolViolation:
        """The error for a reply whose code means nothing at this point."""
        cause = Cause.NOT_SMTP if stage is Stage.GREETING else Cause.OUT_OF_STEP
        return self.wire.witness.violation(
            f"{reply.code} is no answer at this point", stage, reply, cause=cause
        )
