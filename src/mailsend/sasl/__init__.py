"""SASL: how the credentials of a profile are presented (RFC 4422)."""
