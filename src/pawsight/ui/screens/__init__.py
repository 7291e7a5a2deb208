"""One file for each page of the application; each shows itself by ``show()``."""
