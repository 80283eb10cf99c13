"""GoogleSQL of what the models read: published store-days, and the clusters before."""
