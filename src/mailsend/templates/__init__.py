"""Templates: subject, text and HTML of a message from files and values, by Jinja2.

Needs the extra ``templates``. A template is sandboxed, a missing variable is an error, HTML is
escaped, a subject is one line, and what a template makes is bounded.
"""

from mailsend.templates.template import MAX_CHARACTERS, Rendered, Template

__all__ = ["MAX_CHARACTERS", "Rendered", "Template"]
