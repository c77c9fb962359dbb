"""Preview: a message as one page that shows how it will look, and loads and runs nothing."""

from mailsend.preview.page import findings_in, preview
from mailsend.preview.transport import PreviewTransport

__all__ = ["PreviewTransport", "findings_in", "preview"]
