"""Secrets in settings: the type is everybody's, for commands carry secrets too."""

from mds_engine.secret import Secret

__all__ = ["Secret"]
