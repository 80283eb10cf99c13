"""`tenpo demo`: the whole way of the data, once, with proof that nothing got lost on it."""
