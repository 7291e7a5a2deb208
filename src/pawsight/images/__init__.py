"""Bytes to pixels to tensors: the path that every picture takes, in training and in serving."""
