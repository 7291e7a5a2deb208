"""Many pictures: sources → classify → sinks."""
