"""Whether what comes in is still like what a model was chosen on."""
