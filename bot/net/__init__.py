"""HTTP to vendors: the only place that imports requests."""
