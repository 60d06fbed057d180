"""The dock and all it shows in napari. The only part that knows Qt."""
