"""Additions to ministack for end-to-end tests of `stackgen deploy`."""
