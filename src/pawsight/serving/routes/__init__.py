"""The service's addresses, what they take and what they answer."""
