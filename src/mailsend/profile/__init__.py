"""Profiles: every setting of a submission, and the ways to write them down."""
