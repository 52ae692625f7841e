"""What a reader sees: tables on a terminal, a page in a browser."""

from isthmus.report._page import bridge_plane, write_page
from isthmus.report._tables import audit_answer, audit_tables, overlap_table

__all__ = ["audit_answer", "audit_tables", "bridge_plane", "overlap_table", "write_page"]
