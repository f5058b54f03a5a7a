"""The only part of the layer that talks to AWS."""
