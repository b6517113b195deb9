"""``consul doctor``: what is wrong with an agent and its cluster, what will be, and what to do; ours."""
