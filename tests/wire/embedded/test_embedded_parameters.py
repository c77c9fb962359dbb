"""What the embedded server says to parameters of extensions, well-formed or not."""

from __future__ import annotations

import ssl
from contextlib import closing
from smtplib import SMTP

import pytest

from mailsend.testing import DEFAULT_EXTENSIONS, SmtpServer

OFFERED = (
    *DEFAULT_EXTENSIONS, "DSN", "MT-PRIORITY STANAG4406", "DELIVERBY 60",
    "FUTURERELEASE 3600 2030-01-01T00:00:00Z",
)  # fmt: skip
XTEXT = "x" * 100

MAIL = [
    ("RET=FULL", 250), ("ret=hdrs", 250), ("RET=BODY", 501), ("RET", 501),
    ("RET=FULL RET=FULL", 501),
    ("ENVID=order+204711", 250), (f"ENVID={XTEXT}", 250), (f"ENVID={XTEXT}x", 501),
    ("ENVID=a+2b", 501), ("ENVID=+0D", 501), ("ENVID=+C3+A9", 501), ("ENVID=", 501), ("ENVID", 501),
    ("MT-PRIORITY=0", 250), ("MT-PRIORITY=-9", 250), ("MT-PRIORITY=9", 250),
    ("MT-PRIORITY=10", 501), ("MT-PRIORITY=-0", 501), ("MT-PRIORITY=+1", 501), ("MT-PRIORITY", 501),
    ("BY=60;R", 250), ("BY=60;RT", 250), ("by=60;nt", 250), ("BY=-1;N", 250), ("BY=+0;N", 250),
    ("BY=59;R", 555), ("BY=59;N", 250), ("BY=0;R", 501), ("BY=-1;R", 501), ("BY=60", 501),
    ("BY=60;X", 501), ("BY=1000000000;N", 501), ("BY=60;RR", 501), ("BY", 501),
    ("HOLDFOR=3600", 250), ("HOLDFOR=3601", 501), ("HOLDFOR=0", 501), ("HOLDFOR=1.5", 501),
    ("HOLDUNTIL=2030-01-01T00:00:00Z", 250), ("HOLDUNTIL=2029-12-31T19:00:00.5-05:00", 501),
    ("HOLDUNTIL=2029-12-31T18:59:59-05:00", 250), ("HOLDUNTIL=2030-01-01T00:00:01Z", 501),
    ("HOLDUNTIL=2029-13-01T00:00:00Z", 501), ("HOLDUNTIL=1893456000", 501), ("HOLDUNTIL", 501),
    ("HOLDFOR=1 HOLDUNTIL=2029-01-01T00:00:00Z", 501),
    ("SMTPUTF8=1", 501), ("REQUIRETLS", 555), ("NOTIFY=NEVER", 555), ("X=1", 555),
]  # fmt: skip
RCPT = [
    ("NOTIFY=NEVER", 250), ("NOTIFY=success,FAILURE,Delay", 250), ("NOTIFY=NEVER,SUCCESS", 501),
    ("NOTIFY=SUCCESS,", 501), ("NOTIFY=BOGUS", 501), ("NOTIFY", 501), ("NOTIFY=", 501),
    ("NOTIFY=NEVER NOTIFY=NEVER", 501),
    ("ORCPT=rfc822;b+2Bc@x.org", 250), ("ORCPT=X400;abc", 250), ("ORCPT=b@x.org", 501),
    ("ORCPT=rfc822;", 501), ("ORCPT=rfc822;b+0A@x.org", 501), ("ORCPT=rfc822;b+2b@x.org", 501),
    ("ORCPT=rfc822;é@x.org", 501), ("ORCPT=utf-8;é@x.org", 250), (r"ORCPT=utf-8;\x{E9}@x.org", 250),
    (r"ORCPT=utf-8;\xE9@x.org", 501), ("ORCPT=utf-8;a+2B@x.org", 501),
    (f"ORCPT=rfc822;{'x' * 487}", 250), (f"ORCPT=rfc822;{'x' * 488}", 501),
    ("RET=FULL", 555), ("ORCPT=;a", 501), ("ORCPT=rfc 822;a", 501),
]  # fmt: skip


def test_parameters_of_mail_and_rcpt() -> None:
    with (
        SmtpServer(security="insecure_plaintext", extensions=OFFERED) as server,
        closing(SMTP(server.host, server.port, "client.example", timeout=5)) as client,
    ):
        client.ehlo()
        for parameters, code in MAIL:
            answer = client.docmd(f"MAIL FROM:<a@x.org> {parameters}")
            assert answer[0] == code, (parameters, answer)
            client.rset()
        client.docmd("MAIL FROM:<a@x.org> SMTPUTF8")
        for parameters, code in RCPT:
            client.send(f"RCPT TO:<b@x.org> {parameters}\r\n".encode())
            answer = client.getreply()
            assert answer[0] == code, (parameters, answer)
        assert server.violations == ()


def test_addresses_outside_ascii_need_smtputf8_in_orcpt_too() -> None:
    with (
        SmtpServer(security="insecure_plaintext", extensions=("DSN",)) as server,
        closing(SMTP(server.host, server.port, "client.example", timeout=5)) as client,
    ):
        client.ehlo()
        client.docmd("MAIL FROM:<a@x.org>")
        client.send("RCPT TO:<b@x.org> ORCPT=utf-8;é@x.org\r\n".encode())
        assert client.getreply()[0] == 501
        assert client.docmd(r"RCPT TO:<b@x.org> ORCPT=utf-8;\x{E9}@x.org")[0] == 250


@pytest.mark.parametrize("security", ["insecure_plaintext", "starttls"])
def test_requiretls_is_not_offered_before_tls(security: str) -> None:
    with (
        SmtpServer(security=security, extensions=("REQUIRETLS",)) as server,
        closing(SMTP("localhost", server.port, "localhost", timeout=5)) as client,
    ):
        client.ehlo()
        assert not client.has_extn("REQUIRETLS")
        if security == "starttls":
            client.starttls(context=ssl.create_default_context(cafile=server.ca_file))
            client.ehlo()
            assert client.has_extn("REQUIRETLS")
            assert client.docmd("MAIL FROM:<a@x.org> REQUIRETLS=1")[0] == 501
            assert client.docmd("MAIL FROM:<a@x.org> REQUIRETLS")[0] == 250
