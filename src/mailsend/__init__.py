"""Typed SMTP submission."""
