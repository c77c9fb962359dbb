"""From a message to an envelope and octets, with proof that they agree.

``reading`` takes the addresses from a message, ``writing`` makes its octets, ``transfer`` fits its
parts to the path, and ``verification`` reads the octets back with ``header_section`` and
``address_list``, which share nothing with the standard library's parser or generator.
"""

from __future__ import annotations

from mailsend.message.reading import AnyMessage, ParsedMessage, envelope_of, parse
from mailsend.message.writing import render

__all__ = ["AnyMessage", "ParsedMessage", "envelope_of", "parse", "render"]
