"""``make demo``: the whole main job on one machine, with real processes, and a check that not one person was lost."""
