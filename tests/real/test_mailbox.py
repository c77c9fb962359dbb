"""Only what the server added is taken away."""

from __future__ import annotations

import pytest

from .mailbox import as_submitted

POSTFIX_TRACE = (
    b"Return-Path: <alice@example.test>\n"
    b"X-Original-To: bob@example.test\n"
    b"Delivered-To: bob@example.test\n"
    b"Received: from [127.0.0.1] (unknown [127.0.0.1])\n"
    b"\tby mx.example.test (Postfix) with ESMTPSA id 1\n"
)


@pytest.mark.parametrize(
    "submitted",
    [
        b"Subject: plain\r\n\r\nbody\r\n",
        b"Received: from elsewhere\r\n\tby here\r\nSubject: x\r\n\r\n\r\n",
        b"Return-Path: <mine@example.test>\r\n\r\n",
        b"\r\nReturn-Path: in the body\r\n",
    ],
)
def test_the_submitted_content_remains(submitted: bytes) -> None:
    stored = POSTFIX_TRACE + submitted.replace(b"\r\n", b"\n")
    assert as_submitted(stored, "postfix") == submitted


def test_a_stored_carriage_return_is_not_hidden() -> None:
    stored = POSTFIX_TRACE + b"Subject: x\r\n\nbody\n"
    assert as_submitted(stored, "postfix") == b"Subject: x\r\r\n\r\nbody\r\n"


def test_content_without_the_trace_fields_fails() -> None:
    with pytest.raises(AssertionError, match="did not add X-Original-To"):
        as_submitted(b"Return-Path: <>\nSubject: x\n\n", "postfix")
