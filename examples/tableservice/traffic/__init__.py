"""Traffic for the table service, as a few customers would make it: ``python -m tableservice.traffic --url http://127.0.0.1:8480``.

pace      when requests come: steady, in bursts, hardly any
visits    what they are: many reads, some writes, some that fail
churn     a table that comes and goes
client    how they are made, slowly at times
__main__  all of it, until a signal
"""
