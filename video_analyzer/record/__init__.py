"""Recording: what a camera sends becomes chunks with wall-clock names, and waits for nobody.

`tape` cuts packets into files in a child process, `shelf` keeps finished chunks sealed in the
lake, `bulk` analyses them in order.
"""
