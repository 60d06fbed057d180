"""Where an image is unlike those that a model of stains has learned from: local statistics against those of training.

A network predicts something for any picture. How far each place is from places of the training data says where that
may be invented. Places are described by statistics of the scaled input, not by what the network makes of it: they need
no second pass, do not depend on how the image is cut, and change with the brightness, focus, magnification and noise
that differ between microscopes.
"""
