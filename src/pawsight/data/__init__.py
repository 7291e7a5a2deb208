"""Tables of labelled pictures: read, cleaned, split, and fed to training."""
