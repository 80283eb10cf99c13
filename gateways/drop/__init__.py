"""The gateway over files: a folder or bucket that senders drop into."""
