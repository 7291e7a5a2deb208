"""What was answered, and what people said of it: in SQLite, or in PostgreSQL."""
