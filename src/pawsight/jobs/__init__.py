"""Training as a job: pictures that came in a ZIP, and trainings that run beside the service."""
