"""The steps from each schema of the records to the next, for alembic."""
