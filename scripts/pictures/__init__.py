"""The pictures of the docs, each made in the real window; a module a page or two."""
