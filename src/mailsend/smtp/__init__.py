"""The session layer: sockets, TLS, and the conversation up to a mail transaction."""
