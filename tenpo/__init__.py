"""The kernel of Tenpo: what every room shares. It imports no room."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tenpo")
except PackageNotFoundError:  # running from a bare source tree
    __version__ = "0.0.0"
