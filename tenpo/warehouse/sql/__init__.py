"""GoogleSQL of the warehouse itself, one statement a file."""
