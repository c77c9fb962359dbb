"""What docs/how-to/sign-messages.md signs is good for OpenSSL, and no more when it is changed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sign-messages.md"


def test_what_smime_signed_is_verified_by_the_command_of_the_page(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## S/MIME")[2]
    code = re.search(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    command = re.search(r"^```sh\n(openssl smime .*?)\n```$", text, re.MULTILINE)
    assert code is not None
    assert command is not None
    subprocess.run([sys.executable, "-c", code[1]], cwd=tmp_path, check=True, capture_output=True)

    def verify() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            shlex.split(command[1]), cwd=tmp_path, capture_output=True, check=False
        )

    good = verify()
    assert good.returncode == 0, good.stderr
    assert b"Gr=C3=B6=C3=9Fe: 5 =E2=82=AC" in good.stdout
    signed = tmp_path / "signed.eml"
    octets = signed.read_bytes()
    assert octets.count(b"\r\n") == octets.count(b"\n")
    signed.write_bytes(octets.replace(b"5 =E2", b"6 =E2"))
    assert verify().returncode != 0
