"""The networks in torch and the checkpoints of others, apart from training and serving."""
