"""What is composed is what a parser reads that shares nothing with Python: Perl's Email::MIME.

Every argument of compose() is drawn, the message is written as for the wire, and all of it has to
come back, letter by letter and octet by octet, with no field, part or recipient beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailsend import compose
from mailsend.content import prepare
from mailsend.message import envelope_of, parse, render

from .requests_to_compose import RULES, contents_asked, headers_asked

if TYPE_CHECKING:
    from .reader import MessageReader
    from .requests_to_compose import Check

# One run is like the next: failures are found by reading, not by luck.
repeatable = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@settings(repeatable, max_examples=100)
@given(st.data(), st.booleans(), st.booleans())
def test_header_fields(
    reader: MessageReader, data: st.DataObject, eight_bit: bool, utf8: bool
) -> None:
    arguments, check = data.draw(headers_asked(utf8=utf8))
    message = compose(**arguments, text="t")
    parsed = parse(message, RULES)
    read = reader.read(prepare(render(parsed, eight_bit=eight_bit, utf8=utf8)).data)
    check(read)
    assert read.warnings == ()
    named = [address for name in ("to", "cc") for _, address in read.mailboxes.get(name, ())]
    blind = [mailbox.parts.on_the_wire for mailbox in arguments["bcc"]]
    assert set(envelope_of(parsed).recipients) == {*named, *blind}


@settings(repeatable, max_examples=100)
@given(contents_asked(), st.booleans())
def test_contents(
    reader: MessageReader, asked: tuple[dict[str, Any], Check], eight_bit: bool
) -> None:
    arguments, check = asked
    message = compose(sender="a@x.org", to="b@x.org", **arguments)
    read = reader.read(prepare(render(parse(message), eight_bit=eight_bit, utf8=False)).data)
    check(read)
    assert read.warnings == ()
