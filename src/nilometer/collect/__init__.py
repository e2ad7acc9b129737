"""What is asked of other systems at regular times: what their tables use, whether they are well.

Rules:

* Nothing that was read is kept, and nothing is sent twice: a system that is away has no figures.
* One system that fails, hangs or lies spoils nothing for the others.

schedule    when a task runs: never twice at a time, told when it is late
crew        several things side by side, with a bound and a deadline
sample      one value on its way out
names       names of series, from the names of other systems
tables      what sources say of their tables, and the gauges made of it
health      what health checks say, and the gauges made of it
"""
