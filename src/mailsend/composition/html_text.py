"""The text of an HTML text, for those who do not show HTML."""

from __future__ import annotations

from mailsend.errors import ConfigurationError, InvalidMessage


def text_of_html(html: str) -> str:
    """What the HTML says, laid out as plain text, with the addresses of its links.

    Nothing is fetched.

    Raises:
        ConfigurationError: The extra ``html-text`` is not installed.
        InvalidMessage: It cannot be read, or says nothing.
    """
    try:
        # Imported here: it is an extra, and brings a parser of a megabyte.
        from inscriptis import get_text  # noqa: PLC0415
        from inscriptis.model.config import ParserConfig  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "making the text of a message from its HTML needs the package inscriptis",
            advice="Install it with: pip install 'mailsend[html-text]', or pass text=",
        ) from error
    try:
        # Without the addresses of its links a text would ask to click on nothing.
        text: str = get_text(html, ParserConfig(display_links=True, display_images=True))
    except Exception as error:
        # The parser's own errors are those of libxml2, of several classes.
        raise InvalidMessage(
            f"html cannot be read to make a text of it: {type(error).__name__}",
            advice="Pass text= instead",
        ) from error
    lines = [line.rstrip() for line in text.splitlines()]
    plain = "\n".join(lines).strip("\n")
    if not plain:
        raise InvalidMessage(
            "html has no text to make a plain text of", advice="Pass text= instead"
        )
    return plain + "\n"
