"""What runs on Google Cloud, against stand-ins built from Go: `make google`."""
