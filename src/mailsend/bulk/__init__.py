"""Mail for many: one text, made for each of its receivers."""

from mailsend.bulk.mailing import Mailing
from mailsend.bulk.rows import BadRow, Row
from mailsend.bulk.syntax import Syntax

__all__ = ["BadRow", "Mailing", "Row", "Syntax"]
