"""The benchmark: what the integration costs beside the least that could do."""
