"""Virtual staining: fluorescence predicted from transmitted light, and where not to trust it.

Importing this loads no torch.
"""
