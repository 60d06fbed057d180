"""Networks that torchvision does not have. `learn/networks.py` is the door to them and to torchvision's."""
