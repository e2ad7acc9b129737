"""Usage, for billing and planning: what tables took in a period, and who read and wrote how much.

period    hours and days of UTC
activity  what the events of a period say of each table
audit     the events ``*.table.usage`` of a period
totals    reads, writes and storage added up by service, domain and project

Rules: nothing is billed here. Figures are what was told; what is missing is left out, never zero.
"""
