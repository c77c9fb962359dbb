"""A thousand personal messages, each received as it was asked for."""

from __future__ import annotations

from collections.abc import Callable

from octets_reader import addresses, decoded, parts, read

from mailsend import Attachment, SmtpProfile, open_transport
from mailsend.bulk import Mailing
from mailsend.testing import SmtpServer

COUNT = 1000


def test_each_receives_their_own(
    serve: Callable[..., SmtpServer], profile_for: Callable[..., SmtpProfile]
) -> None:
    server = serve("implicit_tls")
    mailing = Mailing(
        sender="News <news@example.org>",
        subject="Hi $name",
        text="Dear $name,\n.your number is $number.\n",
        html="<p>$name: $number</p>",
        attachments=[Attachment(b"terms", "terms.bin")],
        syntax="dollar",
    )
    names = ["Ada", "Jörg", "李", "O'Hara, Kim", "<b>"]
    rows = [
        {"address": f"a{number}@example.com", "name": names[number % 5], "number": number}
        for number in range(COUNT)
    ]
    with open_transport(profile_for(server)) as transport:
        reports = list(transport.send_many(mailing.messages(rows, key="number")))
    assert [report.key for report in reports] == list(range(COUNT))
    assert all(
        report.accepted == (row["address"],) for report, row in zip(reports, rows, strict=True)
    )
    assert len(server.messages) == COUNT
    for message, row in zip(server.messages, rows, strict=True):
        assert message.reverse_path == "news@example.org"
        assert message.recipients == (row["address"],)
        there = read(message.content)
        assert addresses(there.all("to")[0]) == [row["address"]]
        assert decoded(there.all("subject")[0]) == f"Hi {row['name']}"
        (kind,) = there.all("content-type")
        first, file = parts(there.body, kind.partition('boundary="')[2].rstrip('"'))
        assert b"dGVybXM=" in file
        assert b"base64" in file
        if row["name"] == "Ada":
            assert f"\r\n\r\nDear Ada,\r\n.your number is {row['number']}.\r\n".encode() in first
            assert f"\r\n\r\n<p>Ada: {row['number']}</p>\r\n".encode() in first
    assert len({read(m.content).all("message-id")[0] for m in server.messages}) == COUNT
