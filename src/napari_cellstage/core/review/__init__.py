"""Which cells to look at, and why: what the review of a model is made from. No torch, no Qt."""
