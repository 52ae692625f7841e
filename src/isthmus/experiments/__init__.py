"""Whole experiments: mappings learned, measured and compared."""

from isthmus.experiments._audit import Audit, AuditRow, Direction, audit

__all__ = ["Audit", "AuditRow", "Direction", "audit"]
