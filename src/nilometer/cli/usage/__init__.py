"""``nilometer usage``: what tables took in a period, told as events; and usage added up.

command   the group
audit     `nilometer usage audit`
totals    `nilometer usage totals`
store     the store of events that both read
"""
