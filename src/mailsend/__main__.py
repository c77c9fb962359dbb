"""``python -m mailsend``."""

from __future__ import annotations

import sys

from mailsend.cli import main

if __name__ == "__main__":
    sys.exit(main())
