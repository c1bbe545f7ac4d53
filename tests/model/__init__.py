"""The protocols of docs/architecture.md, as a model: every interleaving, a crash at every step, each step taken out."""
