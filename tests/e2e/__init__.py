"""The whole way of the data, over real services."""
