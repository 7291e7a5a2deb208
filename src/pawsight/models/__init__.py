"""The networks in torch, apart from how they are trained and served."""
