"""The local stack: every service of Tenpo as a real process on this machine, under one folder.

`layout` says where things lie, `processes` what runs, `startup` in which order;
supervisord keeps it running. Not for production, where images and charts do this.
"""
