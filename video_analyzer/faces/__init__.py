"""Faces in a picture: where they are, how well they can be used, and what tells them apart.

`yunet` finds them, `quality` judges them, `chip` cuts them out upright, `dlib_resnet` makes
features of them, `guard` keeps a slow or broken model from holding up the counting. Only a store
with faces gets here; who somebody is, is `identity`'s. Nothing here writes a file.
"""
