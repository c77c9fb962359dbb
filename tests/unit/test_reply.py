"""Reply and EnhancedStatus as values."""

from __future__ import annotations

import pytest

from mailsend.reply import EnhancedStatus, MalformedReply, Reply


@pytest.mark.parametrize(
    ("octets", "code", "enhanced", "lines"),
    [
        (b"220 mx.example.test ESMTP Postfix\r\n", 220, None, ("mx.example.test ESMTP Postfix",)),
        (b"250 2.1.0 Ok\r\n", 250, "2.1.0", ("Ok",)),
        (b"354 End data with <CR><LF>.<CR><LF>\r\n", 354, None, None),
        (b"334 \r\n", 334, None, ("",)),
        (b"334   \r\n", 334, None, ("",)),
        (b"334 VXNlcm5hbWU6\r\n", 334, None, ("VXNlcm5hbWU6",)),
        (
            b"250- 44 byte chunk, total 64\r\n250 OK id=1xVQVN-000025-2T\r\n",
            250,
            None,
            ("44 byte chunk, total 64", "OK id=1xVQVN-000025-2T"),
        ),
        (
            (
                b"421-4.3.2 dovecot.example.test Lost connection to relay server:\r\n"
                b"421 4.3.2 Recipient address rejected: Service shutting down\r\n"
            ),
            421,
            "4.3.2",
            (
                "dovecot.example.test Lost connection to relay server:",
                "Recipient address rejected: Service shutting down",
            ),
        ),
        (
            (
                b"503-All RCPT commands were rejected with this error:\r\n"
                b"503-503 sender not yet given\r\n"
                b"503 valid RCPT command must precede DATA\r\n"
            ),
            503,
            None,
            (
                "All RCPT commands were rejected with this error:",
                "503 sender not yet given",
                "valid RCPT command must precede DATA",
            ),
        ),
        (b"524 5.2.4 Mailing list expansion problem: <x@y>\r\n", 524, "5.2.4", None),
        (b"535 5.7.139 Authentication unsuccessful\r\n", 535, "5.7.139", None),
        (b"550 5.7.1\r\n", 550, "5.7.1", ("",)),
        (b"550 Relaying denied (#5.7.1)\r\n", 550, None, ("Relaying denied (#5.7.1)",)),
        (b"250 2.0.0 6AN9cXT9000169 Message accepted for delivery\r\n", 250, "2.0.0", None),
        (
            b"250 2.0.0 OK  1700000000 d9443c01a7336-1c-42si1234567plb.123 - gsmtp\r\n",
            250,
            "2.0.0",
            None,
        ),
        (
            b"250 2.6.0 <a@b> [InternalId=1234567890, Hostname=X.PROD.OUTLOOK.COM] 1 bytes\r\n",
            250,
            "2.6.0",
            None,
        ),
        # What servers do although no RFC says so, and nothing is lost by it.
        (b"250 bare line feed\n", 250, None, ("bare line feed",)),
        (b"250\r\n", 250, None, ("",)),
        (b"250-one\n250\n", 250, None, ("one", "")),
        (b"250 1.2.3 no status of this class\r\n", 250, None, ("1.2.3 no status of this class",)),
        (b"250 2.0.0x no status\r\n", 250, None, ("2.0.0x no status",)),
        (b"250 2.1234.0 no status\r\n", 250, None, ("2.1234.0 no status",)),
        (b"250-5.7.1 a\r\n250 5.7.10 b\r\n", 250, "5.7.1", ("a", "5.7.10 b")),
        (b"550-5.7.1 a\r\n550 other words\r\n", 550, "5.7.1", ("a", "other words")),
        (b"550-5.7.1 a\r\n550 5.7.1\r\n", 550, "5.7.1", ("a", "")),
    ],
)
def test_reads_what_servers_send(
    octets: bytes, code: int, enhanced: str | None, lines: tuple[str, ...] | None
) -> None:
    reply = Reply.parse(octets)
    assert reply.code == code
    assert (str(reply.enhanced) if reply.enhanced else None) == enhanced
    if lines is not None:
        assert reply.lines == lines


def test_parse_takes_text_and_a_missing_last_line_end() -> None:
    assert Reply.parse("550 5.1.1 User unknown") == Reply.parse(b"550 5.1.1 User unknown\r\n")


@pytest.mark.parametrize(
    "octets", [b"", b"250-more follows", b"250 one\r\n250 two\r\n", b"nonsense"]
)
def test_parse_takes_exactly_one_reply(octets: bytes) -> None:
    with pytest.raises(MalformedReply):
        Reply.parse(octets)


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"250 a\0b", r"a\x00b"),
        (b"250 \x1b[31mred", r"\x1b[31mred"),
        (b"250 a\rb", r"a\rb"),
        (b"250 a\xffb", r"a\xffb"),
        (b"250 a\x7fb", r"a\x7fb"),
        ("250 a\u202eb".encode(), r"a\u202eb"),
        ("250 a\u2028b".encode(), r"a\u2028b"),
        ("250 a\x85b".encode(), r"a\x85b"),
        ("250 größer".encode(), "größer"),
    ],
)
def test_what_does_not_print_is_escaped(octets: bytes, shown: str) -> None:
    reply = Reply.parse(octets)
    assert reply.text == shown
    assert str(reply).isprintable()


@pytest.mark.parametrize(
    ("code", "positive", "intermediate", "transient", "permanent"),
    [
        (200, True, False, False, False),
        (250, True, False, False, False),
        (251, True, False, False, False),
        (252, True, False, False, False),
        (299, True, False, False, False),
        (300, False, True, False, False),
        (354, False, True, False, False),
        (400, False, False, True, False),
        (421, False, False, True, False),
        (499, False, False, True, False),
        (500, False, False, False, True),
        (521, False, False, False, True),
        (599, False, False, False, True),
    ],
)
def test_the_first_digit_decides(
    code: int, positive: bool, intermediate: bool, transient: bool, permanent: bool
) -> None:
    # The digit of the enhanced status never overrules the code.
    reply = Reply(code, EnhancedStatus(4 if code >= 500 else 5, 0, 0))
    assert reply.is_positive is positive
    assert reply.is_intermediate is intermediate
    assert reply.is_transient is transient
    assert reply.is_permanent is permanent


@pytest.mark.parametrize("code", [-1, 0, 199, 600, 1000])
def test_a_code_outside_200_to_599_is_refused(code: int) -> None:
    with pytest.raises(ValueError, match="200 to 599"):
        Reply(code)


def test_a_reply_has_a_line() -> None:
    assert Reply(250).lines == ("",)
    assert Reply(250, None, "one string").lines == ("one string",)
    with pytest.raises(ValueError, match="at least one line"):
        Reply(250, None, ())


def test_str_leaves_out_empty_lines() -> None:
    assert str(Reply(550, EnhancedStatus(5, 1, 1), ("one", "", "two"))) == "550 5.1.1 one two"
    assert str(Reply(250)) == "250"
    assert Reply(250, None, ("one", "two")).text == "one\ntwo"


@pytest.mark.parametrize("text", ["2.0.0", "4.7.1", "5.7.139", "5.999.999"])
def test_enhanced_status_reads_what_it_writes(text: str) -> None:
    assert str(EnhancedStatus.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5.7.1 ",
        "5",
        "5.7",
        "3.0.0",
        "1.0.0",
        "5.7.1.2",
        "5.1000.1",
        "5.7.x",
        "x5.7.1",
        "5.-1.0",
        "٥.7.1",
    ],
)
def test_enhanced_status_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError):
        EnhancedStatus.parse(text)


@pytest.mark.parametrize("numbers", [(3, 0, 0), (5, -1, 0), (5, 0, 1000), (5, 1000, 0), (0, 0, 0)])
def test_enhanced_status_knows_its_ranges(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError):
        EnhancedStatus(*numbers)
