"""What every payload goes through, whichever way it came: access, group commit, work, answer."""
