"""What a store costs in the warehouse: bytes and money a month, estimated.

`estimate` counts and asks, `command` tells. Not a bill: that is Google's, and `labels` of every
job let it be split by job and tenant.
"""
