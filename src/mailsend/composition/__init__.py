"""Composing messages: `compose()`, and what a message is put together from."""
