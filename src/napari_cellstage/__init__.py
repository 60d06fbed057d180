"""napari-cellstage: label single cells, fine-tune a network, review every prediction in napari."""

from importlib.metadata import version

__version__ = version("napari-cellstage")
