"""Reading image files: which reader for which file, one small module a format. `core.images` makes stacks of it."""
