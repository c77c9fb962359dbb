"""Signing what goes over the wire, as the last thing that is done to it."""
