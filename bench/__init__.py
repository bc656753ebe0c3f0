"""What the README's figures come from: `make bench`. Ratios within one run, since machines are noisy."""
