"""Tests of faces: found, judged, cut out, made features of."""
