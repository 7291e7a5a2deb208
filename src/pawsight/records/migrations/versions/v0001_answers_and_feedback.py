"""Answers, and what is said of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "answers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False, index=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_by_version", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("probabilities", sa.JSON, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("margin", sa.Double, nullable=False),
        sa.Column("rejected", sa.Boolean, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(32), sa.ForeignKey("answers.id"), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, index=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("comment", sa.Text),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced", sa.Text),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("feedback")
    op.drop_table("answers")
